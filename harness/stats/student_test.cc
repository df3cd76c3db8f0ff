#include "harness/stats/student.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace smallmind::harness::stats {
namespace {

// Gosset's sleep data (1908), difference of the two drugs: 95 % interval 0.70 to 2.46.
TEST(Student, SleepData) {
  const std::vector<double> d = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
  const Interval interval = StudentInterval(d, 0.95);
  EXPECT_NEAR(interval.estimate, 1.58, 1e-12);
  EXPECT_NEAR(interval.low, 0.7001142, 1e-6);
  EXPECT_NEAR(interval.high, 2.4598858, 1e-6);
}

// Hesterberg's table: a 95 % interval for n = 10 uses the 0.86 % percentile.
TEST(Student, ExpandedPercentile) { EXPECT_NEAR(ExpandedTail(10, 0.95), 0.0086, 0.0001); }

TEST(Student, OneValueBoundsNothing) {
  const Interval interval = StudentInterval(std::vector<double>{4.0}, 0.95);
  EXPECT_EQ(interval.estimate, 4.0);
  EXPECT_TRUE(std::isinf(interval.low) && std::isinf(interval.high));
  EXPECT_TRUE(std::isnan(StudentInterval({}, 0.95).estimate));
}

}  // namespace
}  // namespace smallmind::harness::stats
