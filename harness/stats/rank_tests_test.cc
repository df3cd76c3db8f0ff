#include "harness/stats/rank_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/stats/rng.h"

namespace smallmind::harness::stats {
namespace {

// Hollander & Wolfe (1973), p. 29: Hamilton depression scale factors, before and after.
const std::vector<double> kBefore = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
const std::vector<double> kAfter = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};

std::vector<double> DepressionDifferences() {
  std::vector<double> d;
  for (size_t i = 0; i < kBefore.size(); ++i) d.push_back(kBefore[i] - kAfter[i]);
  return d;
}

TEST(SignedRank, HollanderWolfeDepression) {
  const RankTest test = WilcoxonSignedRank(DepressionDifferences());
  EXPECT_EQ(test.statistic, 40.0);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p_value, 2 * 0.01953125, 1e-12);
}

// Their estimate 0.46 and interval (0.010, 0.786) at 96.1 %.
TEST(SignedRank, HodgesLehmannDepression) {
  const Interval interval = HodgesLehmannInterval(DepressionDifferences(), 0.95);
  EXPECT_NEAR(interval.estimate, 0.46, 1e-9);
  EXPECT_NEAR(interval.low, 0.010, 5e-4);
  EXPECT_NEAR(interval.high, 0.786, 5e-4);
  EXPECT_NEAR(interval.level, 0.961, 5e-4);
}

TEST(SignedRank, FewValuesStateTheirRealLevel) {
  const Interval interval = HodgesLehmannInterval(std::vector<double>{1, 2, 4, 8, 16}, 0.95);
  EXPECT_EQ(interval.low, 1.0);
  EXPECT_EQ(interval.high, 16.0);
  EXPECT_NEAR(interval.level, 1.0 - 2.0 / 32.0, 1e-12);
}

// Hollander & Wolfe (1973), p. 69: permeability of the chorioamnion; R: W = 35, one-sided p 0.1272.
TEST(MannWhitney, HollanderWolfePermeability) {
  const std::vector<double> x = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const std::vector<double> y = {1.15, 0.88, 0.90, 0.74, 1.21};
  const RankTest test = MannWhitney(x, y);
  EXPECT_EQ(test.statistic, 35.0);
  EXPECT_TRUE(test.exact);
  EXPECT_NEAR(test.p_value, 0.2544, 5e-5);
}

// SciPy's documented example: U = 17, exact p 0.111.
TEST(MannWhitney, ScipyDiagnosisAges) {
  const RankTest test =
      MannWhitney(std::vector<double>{19, 22, 16, 29, 24}, std::vector<double>{20, 11, 17, 12});
  EXPECT_EQ(test.statistic, 17.0);
  EXPECT_NEAR(test.p_value, 14.0 / 126.0, 1e-12);
}

TEST(MannWhitney, ExactMatchesEnumerationOfAllRankings) {
  const std::vector<double> x = {3, 7, 8}, y = {1, 2, 4, 5, 6};
  const double observed = MannWhitney(x, y).statistic;
  int low = 0, high = 0, total = 0;
  std::vector<int> mask = {0, 0, 0, 0, 0, 1, 1, 1};
  do {
    double rank_sum = 0;
    for (int i = 0; i < 8; ++i) rank_sum += mask[static_cast<size_t>(i)] * (i + 1);
    const double u = rank_sum - 6.0;
    ++total;
    low += u <= observed;
    high += u >= observed;
  } while (std::next_permutation(mask.begin(), mask.end()));
  EXPECT_NEAR(MannWhitney(x, y).p_value, std::min(1.0, 2.0 * std::min(low, high) / total), 1e-12);
}

// With ties: normal approximation, tie-corrected; the figure by hand from the formula.
TEST(MannWhitney, TiesUseTheCorrectedApproximation) {
  const std::vector<double> x = {1, 2, 2, 3}, y = {2, 3, 4, 5, 5};
  const RankTest test = MannWhitney(x, y);
  EXPECT_FALSE(test.exact);
  EXPECT_EQ(test.statistic, 2.5);
  const double ties = (27 - 3) + (8 - 2) + (8 - 2);
  const double sigma = std::sqrt(20.0 / 12.0 * (10.0 - ties / 72.0));
  EXPECT_NEAR(test.p_value, std::erfc((10.0 - 2.5 - 0.5) / sigma / std::sqrt(2.0)), 1e-12);
}

TEST(MannWhitney, LargeExactTailIsNotNegative) {
  std::vector<double> x(50), y(50);
  std::iota(x.begin(), x.end(), 0.0);
  std::iota(y.begin(), y.end(), 1000.0);
  EXPECT_NEAR(MannWhitney(x, y).p_value / (2.0 / 1.0089134454556e29), 1.0, 1e-6);
  EXPECT_NEAR(MannWhitney(y, x).p_value / (2.0 / 1.0089134454556e29), 1.0, 1e-6);
}

// The documented example of R's effsize package: delta -0.25, small.
TEST(CliffsDelta, EffsizeExample) {
  const std::vector<double> treatment = {10, 10, 20, 20, 20, 30, 30, 30, 40, 50};
  const std::vector<double> control = {10, 20, 30, 40, 40, 50};
  EXPECT_NEAR(CliffsDelta(treatment, control), -0.25, 1e-12);
  EXPECT_STREQ(CliffsDeltaWord(-0.25), "small");
}

TEST(HodgesLehmann, FastReplicatesEqualTheSlowOnes) {
  Rng rng(5);
  for (size_t n : {1u, 2u, 7u, 8u, 13u, 20u}) {
    std::vector<double> x(n);
    for (double& v : x) v = rng.Normal();
    if (n > 3) x[2] = x[1];  // a tie
    const std::vector<double> fast = HodgesLehmannReplicates(x, 200, 17);
    std::vector<double> slow;
    Rng draws(17);
    for (int b = 0; b < 200; ++b) {
      std::vector<double> drawn(n);
      for (double& v : drawn) v = x[draws.Below(n)];
      slow.push_back(HodgesLehmann(drawn));
    }
    std::sort(slow.begin(), slow.end());
    ASSERT_EQ(fast.size(), slow.size());
    for (size_t i = 0; i < fast.size(); ++i) EXPECT_NEAR(fast[i], slow[i], 1e-14) << n;
  }
}

TEST(Ranks, TiesShare) {
  EXPECT_EQ(Ranks(std::vector<double>{3, 1, 3, 2}), (std::vector<double>{3.5, 1, 3.5, 2}));
}

}  // namespace
}  // namespace smallmind::harness::stats
