#include "engine/runtime/memory_size.h"

#include <gtest/gtest.h>

namespace smallmind {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(MemorySize, ReadsFourTimesTheCacheWithinAQuarterOfTheMemory) {
  EXPECT_EQ(BytesBeyondCache(260 * kMiB, 24'000 * kMiB), 1040 * kMiB);
  EXPECT_EQ(BytesBeyondCache(8 * kMiB, 24'000 * kMiB), 256 * kMiB);
  EXPECT_EQ(BytesBeyondCache(0, 24'000 * kMiB), 256 * kMiB);  // unknown cache
  EXPECT_EQ(BytesBeyondCache(260 * kMiB, 512 * kMiB), 128 * kMiB);
  EXPECT_EQ(BytesBeyondCache(260 * kMiB, 0), kMiB);  // unknown memory
}

TEST(MemorySize, OfThisMachineIsWithinItsMemory) {
  EXPECT_GT(UsableMemory(), 64 * kMiB);
  EXPECT_LE(BytesBeyondCache(), UsableMemory() / 4);
}

}  // namespace
}  // namespace smallmind
