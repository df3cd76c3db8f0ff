#include "harness/progress.h"

#include <gtest/gtest.h>

namespace smallmind::harness {
namespace {

TEST(Progress, Durations) {
  EXPECT_EQ(FormatDuration(0.4), "0:00");
  EXPECT_EQ(FormatDuration(65), "1:05");
  EXPECT_EQ(FormatDuration(7384), "2:03:04");
  EXPECT_EQ(FormatDuration(-3), "0:00");
}

TEST(Progress, LineShowsShareAndTimeAndFitsTheTerminal) {
  const std::string line = ProgressLine("o2 on stories", 5, 10, 10, 12, 200);
  EXPECT_EQ(line, "[############............] 5/10  0:10, at most 0:12 left  o2 on stories");
  EXPECT_EQ(ProgressLine("x", 5, 10, 10, 12, 30).size(), 30u);
  EXPECT_EQ(ProgressLine("x", 0, 0, 0, -1, 80), "[........................] 0/0  0:00  x");
}

}  // namespace
}  // namespace smallmind::harness
