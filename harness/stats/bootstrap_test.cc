#include "harness/stats/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/stats/summary.h"

namespace smallmind::harness::stats {
namespace {

double PlugInVariance(std::span<const double> v) {
  const double n = static_cast<double>(v.size());
  return Variance(v) * (n - 1.0) / n;
}

double MeanOf(std::span<const double> v) { return Mean(v); }
double MedianOf(std::span<const double> v) { return Median(v); }

// Efron & Tibshirani (1993), table 14.1: the spatial test data; theta is the plug-in variance.
const std::vector<double> kSpatial = {48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6,
                                      0,  33, 28, 34, 4,  32, 24, 47, 41, 24, 26, 30, 41};
// Their table 2.1: survival of treated mice.
const std::vector<double> kTreated = {94, 197, 16, 38, 99, 141, 23};

TEST(Bootstrap, SpatialDataPercentileAndBca) {
  EXPECT_NEAR(PlugInVariance(kSpatial), 171.5, 0.05);
  EXPECT_NEAR(JackknifeAcceleration(kSpatial, PlugInVariance), 0.061, 0.0006);
  const BootstrapOptions options{20000, 0.90, 3};
  const Interval percentile = PercentileBootstrap(kSpatial, PlugInVariance, options);
  EXPECT_NEAR(percentile.low, 100.8, 2.5);
  EXPECT_NEAR(percentile.high, 233.9, 3.5);
  const Interval bca = BcaBootstrap(kSpatial, PlugInVariance, options);
  EXPECT_NEAR(bca.low, 115.8, 3.5);
  EXPECT_NEAR(bca.high, 259.6, 5.0);
}

// Their table 2.2 gives the limits of the standard errors: 23.36 for the mean, 37.83 for the
// median.
TEST(Bootstrap, MouseDataStandardErrors) {
  const BootstrapOptions options{20000, 0.95, 5};
  EXPECT_NEAR(StandardDeviation(BootstrapReplicates(kTreated, MeanOf, options)), 23.36, 0.4);
  EXPECT_NEAR(StandardDeviation(BootstrapReplicates(kTreated, MedianOf, options)), 37.83, 0.6);
}

// Gosset's sleep data (1908), difference of the two drugs: 95 % interval 0.70 to 2.46.
TEST(Bootstrap, StudentSleepData) {
  const std::vector<double> d = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
  const Interval interval = StudentInterval(d, 0.95);
  EXPECT_NEAR(interval.estimate, 1.58, 1e-12);
  EXPECT_NEAR(interval.low, 0.7001142, 1e-6);
  EXPECT_NEAR(interval.high, 2.4598858, 1e-6);
}

TEST(Bootstrap, SameSeedSameInterval) {
  const BootstrapOptions options{500, 0.95, 9};
  const Interval a = ExpandedBootstrap(kTreated, MeanOf, options);
  const Interval b = ExpandedBootstrap(kTreated, MeanOf, options);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, ExpandedBootstrap(kTreated, MeanOf, {500, 0.95, 10}).low);
}

TEST(Bootstrap, ExpandedIsWiderThanPercentile) {
  const BootstrapOptions options{4000, 0.95, 2};
  const Interval narrow = PercentileBootstrap(kTreated, MeanOf, options);
  const Interval wide = ExpandedBootstrap(kTreated, MeanOf, options);
  EXPECT_LT(wide.low, narrow.low);
  EXPECT_GT(wide.high, narrow.high);
  // Hesterberg's table: a 95 % interval for n = 10 uses the 0.86 % percentile.
  EXPECT_NEAR(ExpandedTail(10, 0.95), 0.0086, 0.0001);
}

TEST(Bootstrap, OneValueBoundsNothing) {
  const Interval interval = BcaBootstrap(std::vector<double>{4.0}, MeanOf, {});
  EXPECT_EQ(interval.estimate, 4.0);
  EXPECT_TRUE(std::isinf(interval.low) && std::isinf(interval.high));
  EXPECT_TRUE(std::isnan(PercentileBootstrap({}, MeanOf, {}).estimate));
}

}  // namespace
}  // namespace smallmind::harness::stats
