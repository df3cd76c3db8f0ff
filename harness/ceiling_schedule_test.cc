#include "harness/ceiling_schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace smallmind::harness {
namespace {

// The rounds of 40, of `round_s` seconds each, that a measurement of two seconds follows.
std::vector<int> Rounds(double share, double round_s) {
  CeilingSchedule schedule(share);
  std::vector<int> rounds;
  double elapsed_s = 0;
  for (int round = 0; round < 40; ++round) {
    elapsed_s += round_s;
    if (!schedule.Due(elapsed_s)) continue;
    schedule.Measured(2);
    elapsed_s += 2;
    rounds.push_back(round);
  }
  return rounds;
}

TEST(CeilingSchedule, KeepsToItsShareOfTheTime) {
  EXPECT_EQ(Rounds(kCeilingShare, 10), (std::vector<int>{0, 7, 11, 15, 18, 22, 26, 30, 34, 37}));
  EXPECT_EQ(Rounds(kCeilingShare, 0.6), std::vector<int>{0});
  EXPECT_EQ(Rounds(0, 10), std::vector<int>{0});
}

TEST(CeilingSchedule, FollowsEveryLongRound) {
  EXPECT_EQ(Rounds(kCeilingShare, 40).size(), 40u);
  EXPECT_EQ(Rounds(kDivisorShare, 5).size(), 40u);
}

}  // namespace
}  // namespace smallmind::harness
