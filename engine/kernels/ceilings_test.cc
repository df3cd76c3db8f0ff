// The ceilings count the operations they do, and the reader sees every byte.
#include "engine/kernels/ceilings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/kernels/targets_testing.h"

namespace smallmind {
namespace {

TEST(Ceilings, WorkGrowsWithIterations) {
  ForEachTarget([](const std::string& target) {
    for (const auto work : {FmaWork, Int8DotWork, Bf16DotWork}) {
      const CeilingWork one = work(1), thousand = work(1000);
      EXPECT_GE(one.operations, 8.0) << target;
      EXPECT_EQ(thousand.operations, 1000.0 * one.operations) << target;
      EXPECT_TRUE(std::isfinite(thousand.sink)) << target;
    }
    // Each step of a chain adds 2^-9 a lane.
    const float grown = Bf16DotWork(1024).sink - Bf16DotWork(512).sink;
    const double lanes = Bf16DotWork(1).operations / 4.0;
    EXPECT_FLOAT_EQ(grown, static_cast<float>(lanes)) << target;
  });
}

TEST(Ceilings, ReaderDependsOnEveryByte) {
  std::vector<uint8_t> bytes(1000, 7);
  ForEachTarget([&](const std::string& target) {
    const uint64_t plain = ReadWork(bytes);
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] ^= 0x10;
      ASSERT_NE(ReadWork(bytes), plain) << target << " byte " << i;
      bytes[i] ^= 0x10;
    }
  });
}

}  // namespace
}  // namespace smallmind
