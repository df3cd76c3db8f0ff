#include "harness/workloads.h"

#include <gtest/gtest.h>

#include "harness/error.h"

namespace smallmind::harness {
namespace {

TEST(Workloads, ListsMultiply) {
  const auto workloads = MakeWorkloads("128,512", "32", "1,4", "1,16", "0", 3);
  ASSERT_EQ(workloads.size(), 8u);
  EXPECT_EQ(workloads[2].name, "p128-n32-t4");
  EXPECT_EQ(workloads[3].name, "p128-n32-t4-s16");
  EXPECT_EQ(workloads[3].sequences, 16);
  EXPECT_EQ(workloads[4].prompt_tokens, 512);
  EXPECT_EQ(workloads[3].reps, 3);
}

TEST(Workloads, OfWeightsAsStoredAndRepacked) {
  const auto workloads = MakeWorkloads("8", "4", "2", "1", "0,1", 3);
  ASSERT_EQ(workloads.size(), 2u);
  EXPECT_FALSE(workloads[0].repack);
  EXPECT_EQ(workloads[0].name, "p8-n4-t2");
  EXPECT_TRUE(workloads[1].repack);
  EXPECT_EQ(workloads[1].name, "p8-n4-t2-repack");
}

TEST(Workloads, BadNumbersAreNamed) {
  for (const char* bad : {"", "0", "-1", "x", "1x", "1,,2", "99999999999"}) {
    EXPECT_THROW(MakeWorkloads(bad, "32", "1", "1", "1", 1), RunError) << bad;
    EXPECT_THROW(MakeWorkloads("1", bad, "1", "1", "1", 1), RunError) << bad;
    EXPECT_THROW(MakeWorkloads("1", "32", bad, "1", "1", 1), RunError) << bad;
    EXPECT_THROW(MakeWorkloads("1", "32", "1", bad, "1", 1), RunError) << bad;
  }
  for (const char* bad : {"", "2", "-1", "x", "0,0"}) {
    EXPECT_THROW(MakeWorkloads("1", "32", "1", "1", bad, 1), RunError) << bad;
  }
  EXPECT_THROW(MakeWorkloads("1,1", "32", "1", "1", "1", 1), RunError);
}

}  // namespace
}  // namespace smallmind::harness
