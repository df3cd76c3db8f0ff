#include "harness/stats/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace smallmind::harness::stats {
namespace {

// SplitMix64 from seed 0 starts e220a8397b1dcdaf 6e789e6aa1b965f4 06c45d188009454f
// f88bb8a8724c81ec; with these as state, xoshiro256** gives rotl(s1 * 5, 7) * 9 first.
TEST(Rng, FollowsTheReferenceGenerators) {
  Rng rng(0);
  EXPECT_EQ(rng.Next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(rng.Next(), 0xbf6e1f784956452au);
}

TEST(Rng, BelowIsUniformAndInRange) {
  Rng rng(7);
  size_t counts[6] = {};
  for (int i = 0; i < 60000; ++i) ++counts[rng.Below(6)];
  double chi_square = 0.0;
  for (size_t c : counts) chi_square += std::pow(static_cast<double>(c) - 10000.0, 2) / 10000.0;
  EXPECT_LT(chi_square, 20.5);  // 99.9 % point of chi-square with 5 degrees of freedom
}

TEST(Rng, NormalHasMomentsOfANormal) {
  Rng rng(11);
  double sum = 0.0, squares = 0.0, fourth = 0.0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double z = rng.Normal();
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / n, 0.0, 0.01);
  EXPECT_NEAR(squares / n, 1.0, 0.015);
  EXPECT_NEAR(fourth / n, 3.0, 0.1);
}

TEST(Rng, DerivedSeedsDiffer) {
  std::set<uint64_t> seen;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (uint64_t index = 0; index < 100; ++index) seen.insert(DeriveSeed(seed, index));
  }
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace smallmind::harness::stats
