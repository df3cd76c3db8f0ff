#include "harness/stats/summary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace smallmind::harness::stats {
namespace {

// R's quantile(1:10, 0.25).
TEST(Summary, Quantiles) {
  const std::vector<double> x = {10, 1, 9, 2, 8, 3, 7, 4, 6, 5};
  EXPECT_DOUBLE_EQ(Quantile(x, 0.25), 3.25);
  EXPECT_EQ(Quantile(x, 0.0), 1.0);
  EXPECT_EQ(Quantile(x, 1.0), 10.0);
}

TEST(Summary, MedianAndMad) {
  const std::vector<double> x = {1, 1, 2, 2, 4, 6, 9};
  EXPECT_EQ(Median(x), 2.0);
  EXPECT_EQ(MedianAbsoluteDeviation(x), 1.0);
  EXPECT_EQ(Median(std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median(std::vector<double>{7}), 7.0);
  EXPECT_TRUE(std::isnan(Median({})));
}

TEST(Summary, Moments) {
  const std::vector<double> x = {2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(Mean(x), 5.0);
  EXPECT_NEAR(Variance(x), 32.0 / 7.0, 1e-12);
  EXPECT_TRUE(std::isnan(Variance(std::vector<double>{1})));
}

}  // namespace
}  // namespace smallmind::harness::stats
