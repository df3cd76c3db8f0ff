// Proportions, multiple comparisons, outlier classes and power: a published example each.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/stats/binomial.h"
#include "harness/stats/multiple.h"
#include "harness/stats/outliers.h"
#include "harness/stats/power.h"
#include "harness/stats/rng.h"
#include "harness/stats/special.h"
#include "harness/stats/student.h"
#include "harness/stats/summary.h"
#include "harness/stats/welch.h"

namespace smallmind::harness::stats {
namespace {

// Newcombe (1998), table I.
TEST(Binomial, NewcombeExamples) {
  const struct {
    size_t k, n;
    double low, high;
  } rows[] = {{81, 263, 0.2553, 0.3662},
              {15, 148, 0.0624, 0.1605},
              {0, 20, 0.0000, 0.1611},
              {1, 29, 0.0061, 0.1718}};
  for (const auto& row : rows) {
    const Interval wilson = WilsonInterval(row.k, row.n);
    EXPECT_NEAR(wilson.low, row.low, 6e-5) << row.k;
    EXPECT_NEAR(wilson.high, row.high, 6e-5) << row.k;
  }
}

TEST(Holm, MatchesRsAdjustment) {
  const std::vector<double> p = {0.04, 0.01, 0.03, 0.02, 0.9};
  const std::vector<double> expected = {0.09, 0.05, 0.09, 0.08, 0.9};
  const std::vector<double> adjusted = HolmAdjust(p);
  for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-12) << i;
}

// Engineering statistics handbook, 7.1.6: one mild outlier.
TEST(Outliers, NistExample) {
  const std::vector<double> x = {
      30,  171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306, 322, 322, 336,  346,  351,  370,
      390, 404, 409, 411, 436, 437, 439, 441, 444, 448, 451, 453, 470, 480, 482,  487,  494,  495,
      499, 503, 514, 521, 522, 527, 548, 550, 559, 560, 570, 572, 574, 578, 585,  592,  592,  607,
      616, 618, 621, 629, 637, 638, 640, 656, 668, 707, 709, 719, 737, 739, 752,  758,  766,  792,
      792, 794, 802, 818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068, 1441};
  EXPECT_EQ(Median(x), 559.5);
  const OutlierCounts counts = CountOutliers(x);
  EXPECT_EQ(counts.high_mild, 1u);
  EXPECT_EQ(counts.total(), 1u);
  EXPECT_EQ(ClassifyOutliers(x).back(), OutlierClass::kHighMild);
}

TEST(Power, SimulatedPowerAtTheStatedEffect) {
  const size_t n = 10;
  const double effect = DetectableShift(n - 1.0, 0.05) * 0.02 / std::sqrt(10.0);
  Rng rng(21);
  int rejected = 0;
  const int trials = 4000;
  const double critical = StudentQuantile(0.975, n - 1.0);
  for (int i = 0; i < trials; ++i) {
    std::vector<double> d(n);
    for (double& v : d) v = effect + 0.02 * rng.Normal();
    rejected += std::fabs(Mean(d)) / (StandardDeviation(d) / std::sqrt(10.0)) > critical;
  }
  EXPECT_NEAR(rejected / static_cast<double>(trials), 0.8, 0.025);
}

// The first step of Holm over a large table, few rounds: noncentral t, not a sum of quantiles.
TEST(Power, SimulatedPowerAtSmallAlphaAndFewDegreesOfFreedom) {
  const double alpha = 0.05 / 48;
  for (double df : {2.0, 4.0, 28.0}) {
    const double shift = DetectableShift(df, alpha), critical = StudentQuantile(1 - alpha / 2, df);
    Rng rng(5);
    int rejected = 0;
    const int trials = 10000;
    for (int i = 0; i < trials; ++i) {
      double chi = 0.0;
      for (int k = 0; k < static_cast<int>(df); ++k) {
        const double z = rng.Normal();
        chi += z * z;
      }
      rejected += shift + rng.Normal() > critical * std::sqrt(chi / df);
    }
    EXPECT_NEAR(rejected / static_cast<double>(trials), 0.8, 0.012) << df;
  }
}

TEST(Power, RoundsShrinkTheEffect) {
  EXPECT_LT(DetectableShift(19, 0.05), DetectableShift(9, 0.05));
  EXPECT_TRUE(std::isinf(MinimumDetectableEffect(StudentInterval(std::vector{1.0}, 0.95), 0.0)));
}

// R's help page of t.test: t.test(extra ~ group, data = sleep), Gosset's data taken as two samples.
TEST(Welch, StudentSleepData) {
  const std::vector<double> one = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::vector<double> two = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const WelchTest test = Welch(two, one);
  EXPECT_NEAR(test.df, 17.776, 5e-4);
  EXPECT_NEAR(test.p_value, 0.07939, 5e-6);
  EXPECT_NEAR(test.difference.low, -3.3654832, 5e-8);
  EXPECT_NEAR(test.difference.high, 0.2054832, 5e-8);
  EXPECT_TRUE(std::isinf(Welch(one, std::vector<double>{1}).difference.high));
}

TEST(Power, FromAnIntervalAsFromItsDeviation) {
  const std::vector<double> d = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
  EXPECT_NEAR(MinimumDetectableEffect(StudentInterval(d, 0.95), 9.0),
              DetectableShift(9, 0.05) * StandardDeviation(d) / std::sqrt(10.0), 1e-12);
}

}  // namespace
}  // namespace smallmind::harness::stats
