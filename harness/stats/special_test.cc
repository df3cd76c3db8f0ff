#include "harness/stats/special.h"

#include <gtest/gtest.h>

#include <cmath>

namespace smallmind::harness::stats {
namespace {

TEST(Special, NormalTable) {
  EXPECT_NEAR(NormalCdf(1.96), 0.9750021048517795, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.5), 0.0, 1e-14);
  EXPECT_NEAR(NormalQuantile(1e-10), -6.361340902404056, 1e-9);
  EXPECT_TRUE(std::isnan(NormalQuantile(0.0)));
}

// Student's t: the 97.5 % column of any printed table.
TEST(Special, StudentTable) {
  const struct {
    double df, t;
  } table[] = {{1, 12.706204736}, {2, 4.302652730},  {4, 2.776445105},
               {9, 2.262157163},  {29, 2.045229642}, {1000, 1.962339081}};
  for (const auto& row : table) {
    EXPECT_NEAR(StudentQuantile(0.975, row.df), row.t, 1e-8) << row.df;
    EXPECT_NEAR(StudentCdf(row.t, row.df), 0.975, 1e-10) << row.df;
  }
  EXPECT_NEAR(StudentQuantile(0.8, 9), 0.883403860, 1e-8);
}

TEST(Special, QuantileInvertsCdf) {
  for (double p : {0.001, 0.05, 0.3, 0.7, 0.999}) {
    EXPECT_NEAR(NormalCdf(NormalQuantile(p)), p, 1e-13);
    for (double df : {1.0, 3.5, 30.0})
      EXPECT_NEAR(StudentCdf(StudentQuantile(p, df), df), p, 1e-11);
  }
}

}  // namespace
}  // namespace smallmind::harness::stats
