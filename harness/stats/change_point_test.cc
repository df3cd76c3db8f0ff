#include "harness/stats/change_point.h"

#include <gtest/gtest.h>

#include "harness/stats/rng.h"

namespace smallmind::harness::stats {
namespace {

// Annual flow of the Nile at Aswan, 1871-1970 (Cobb, 1978): the flow dropped from 1899 on.
const std::vector<double> kNile = {
    1120, 1160, 963, 1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994,  1020,
    960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
    874,  694,  940, 833,  701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,
    1120, 1100, 832, 764,  821,  768,  845,  864,  862,  698,  845,  744,  796,  1040, 759,
    781,  865,  845, 944,  984,  897,  822,  1010, 771,  676,  649,  846,  812,  742,  801,
    1040, 860,  874, 848,  890,  744,  749,  838,  1050, 918,  986,  797,  923,  975,  815,
    1020, 906,  901, 1170, 912,  746,  919,  718,  714,  740};

TEST(ChangePoint, NileDropsAfter1898) {
  ASSERT_EQ(kNile.size(), 100u);
  const auto changes = FindChangePoints(kNile, {0.01, 199, 10, 4});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(1871 + changes[0].index, 1899u);
  EXPECT_GT(changes[0].before, 1050.0);
  EXPECT_LT(changes[0].after, 900.0);
}

TEST(ChangePoint, FindsTwoPlantedSteps) {
  Rng rng(8);
  std::vector<double> series;
  for (int i = 0; i < 60; ++i) {
    const double level = i < 20 ? 100.0 : (i < 45 ? 95.0 : 104.0);
    series.push_back(level + rng.Normal());
  }
  const auto changes = FindChangePoints(series, {0.05, 199, 5, 1});
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_NEAR(static_cast<double>(changes[0].index), 20.0, 1.0);
  EXPECT_NEAR(static_cast<double>(changes[1].index), 45.0, 1.0);
}

TEST(ChangePoint, FalseAlarmsStayAtAlpha) {
  Rng rng(13);
  int alarms = 0;
  const int trials = 200;
  for (int t = 0; t < trials; ++t) {
    std::vector<double> series(30);
    for (double& v : series) v = rng.Normal();
    ChangePointOptions options{0.05, 99, 5, static_cast<uint64_t>(t)};
    alarms += FindChangePoints(series, options).empty() ? 0 : 1;
  }
  EXPECT_LE(alarms, 20);  // 10 expected; 20 is three standard deviations above
}

TEST(ChangePoint, ShortSeriesHasNone) {
  EXPECT_TRUE(FindChangePoints(std::vector<double>{1, 2, 3}).empty());
  EXPECT_TRUE(FindChangePoints({}).empty());
}

}  // namespace
}  // namespace smallmind::harness::stats
