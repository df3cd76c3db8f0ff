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
    // A lane of chain i becomes i·0.999 + 0.001, two operations.
    const CeilingWork fma = FmaWork(1);
    const double count = fma.operations / 2.0;  // lanes of all chains
    const double start = (fma.sink - 0.001 * count) / 0.999;
    size_t fitting = 0;
    for (const double width : {4.0, 8.0, 16.0}) {
      const double chains = count / width;
      fitting += std::abs(width * chains * (chains - 1) / 2 - start) < 1e-3 * start;
    }
    EXPECT_EQ(fitting, 1u) << target << " " << fma.sink;
    // Each dot of a lane adds four products of 3 and −2: eight operations.
    const CeilingWork dots = Int8DotWork(1);
    EXPECT_EQ(Int8DotWork(2).sink - dots.sink, -3.0 * dots.operations) << target;
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
