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

TEST(Summary, AMediansIntervalIsAPairOfOrderStatistics) {
  std::vector<double> values = {9, 2, 7, 4, 5, 6, 3, 8, 1};  // P(at most 1 of 9) = 0.0195
  const Interval nine = MedianInterval(values);
  EXPECT_EQ(nine.estimate, 5);
  EXPECT_EQ(nine.low, 2);
  EXPECT_EQ(nine.high, 8);
  values.resize(6);
  EXPECT_EQ(MedianInterval(values).low, 2);
  EXPECT_EQ(MedianInterval(values).high, 9);
  values.resize(5);
  EXPECT_TRUE(std::isinf(MedianInterval(values).low) && std::isinf(MedianInterval(values).high));
  EXPECT_TRUE(std::isfinite(MedianInterval(values, 0.9).low));
  EXPECT_TRUE(std::isnan(MedianInterval({}).estimate));
  const std::vector<double> many(5000, 3.0);  // 2^-5000 is no double
  EXPECT_EQ(MedianInterval(many).low, 3.0);
}

}  // namespace
}  // namespace smallmind::harness::stats
