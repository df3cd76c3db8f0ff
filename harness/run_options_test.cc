#include "harness/run_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "harness/ceiling_schedule.h"
#include "harness/error.h"

namespace smallmind::harness {
namespace {

RunOptions Parse(const std::string& line, RunKind kind = RunKind::kTable) {
  RunOptions options;
  options.kind = kind;
  CLI::App app;
  AddRunOptions(app, options);
  app.parse(line, false);
  return options;
}

TEST(RunOptions, Defaults) {
  const PlanInfo plan = MakePlan(Parse(""), 1.5);
  EXPECT_EQ(plan.seed, "1500000");
  EXPECT_EQ(plan.min_rounds, 8);
  EXPECT_EQ(plan.max_rounds, 100);
  EXPECT_TRUE(plan.random_environment);
  const auto workloads = WorkloadsOf(Parse(""), 4);
  ASSERT_EQ(workloads.size(), 1u);
  EXPECT_EQ(workloads[0].name, "p128-n32-t4");
  EXPECT_EQ(workloads[0].reps, 2);
}

TEST(RunOptions, BudgetGrowsWithTheVariants) {
  EXPECT_EQ(MakePlan(Parse(""), 0, 9).budget_s, 180);
  EXPECT_EQ(MakePlan(Parse(""), 0, 18).budget_s, 360);  // as many rounds for twice the variants
  EXPECT_EQ(MakePlan(Parse("--budget 100"), 0, 18).budget_s, 100);
  EXPECT_EQ(MakePlan(Parse("--quick"), 0, 18).budget_s, 52);
}

TEST(RunOptions, ABudgetThatWasAskedForNeedsOneRound) {
  EXPECT_EQ(MakePlan(Parse(""), 0).sure_rounds, 8);
  EXPECT_EQ(MakePlan(Parse("--quick"), 0).sure_rounds, 3);
  const PlanInfo plan = MakePlan(Parse("--budget 1"), 0);
  EXPECT_EQ(plan.sure_rounds, 1);
  EXPECT_EQ(plan.min_rounds, 8) << "for intervals to end the run";
  EXPECT_EQ(MakePlan(Parse("--budget 1 --min-rounds 5"), 0).sure_rounds, 5);
  EXPECT_EQ(MakePlan(Parse("", RunKind::kGate), 0).sure_rounds, 40);
  EXPECT_EQ(MakePlan(Parse("--budget 1", RunKind::kGate), 0).sure_rounds, 1);
}

TEST(RunOptions, GateAndSelftestHaveModesOfTheirOwn) {
  const RunOptions options = Parse("", RunKind::kGate);
  const PlanInfo plan = MakePlan(options, 0, 18);
  EXPECT_EQ(plan.budget_s, kPairBudgetS);
  EXPECT_EQ(plan.max_rounds, 400);
  EXPECT_EQ(ModelsOf(options), "smollm2-135m-q8_0");
  EXPECT_EQ(WorkloadsOf(options, 2).at(0).name, "p64-n16-t2");
  EXPECT_EQ(MakePlan(Parse("--quick", RunKind::kGate), 0).min_rounds, 12);
  EXPECT_EQ(MakePlan(Parse("--max-rounds 9", RunKind::kGate), 0).min_rounds, 9);
  EXPECT_EQ(MakePlan(Parse("--min-rounds 500", RunKind::kGate), 0).max_rounds, 500);
  const PlanInfo selftest = MakePlan(Parse("", RunKind::kSelftest), 0);
  EXPECT_EQ(selftest.max_rounds, 100);
  EXPECT_EQ(selftest.target_ci_pct + selftest.budget_s, 0) << "nothing ends it early";
  EXPECT_EQ(MakePlan(Parse("--budget 9", RunKind::kSelftest), 0).sure_rounds, 1);
}

TEST(RunOptions, CeilingsTakeMoreWhereFiguresAreDividedByThem) {
  EXPECT_EQ(MakePlan(Parse(""), 0).ceiling_share, kCeilingShare);
  for (const char* line : {"--save-baseline b", "--baseline b", "--rounds 8", "--budget 0"}) {
    EXPECT_EQ(MakePlan(Parse(line), 0).ceiling_share, kDivisorShare) << line;
  }
  RunOptions pair = Parse("", RunKind::kGate);
  pair.ceiling_share = 0;
  EXPECT_EQ(MakePlan(pair, 0).ceiling_share, 0);
}

TEST(RunOptions, ExactRoundsSwitchTheOtherStopsOff) {
  const PlanInfo plan = MakePlan(Parse("--rounds 40 --seed 18446744073709551615"), 0);
  EXPECT_EQ(plan.min_rounds, 40);
  EXPECT_EQ(plan.max_rounds, 40);
  EXPECT_EQ(plan.target_ci_pct, 0);
  EXPECT_EQ(plan.budget_s, 0);
  EXPECT_EQ(plan.seed, "18446744073709551615");
}

TEST(RunOptions, QuickModeYieldsToFlags) {
  const RunOptions options = Parse("--quick -p 32 --budget 10 --target-ci 0");
  const PlanInfo plan = MakePlan(options, 0);
  EXPECT_EQ(plan.max_rounds, 12);
  EXPECT_EQ(plan.budget_s, 10);
  EXPECT_EQ(WorkloadsOf(options, 2)[0].name, "p32-n16-t2");
}

TEST(RunOptions, AResumedRunIsNotChanged) {
  EXPECT_EQ(Parse("--resume r --instructions --no-plots --build-dir b").resume, "r");
  for (const char* changed : {"--rounds 9", "--variants o2", "--models m", "--cold", "-p 8"}) {
    EXPECT_THROW(Parse(std::string("--resume r ") + changed), CLI::ExcludesError) << changed;
  }
}

TEST(RunOptions, BadValuesAreRefused) {
  EXPECT_THROW(Parse("--rounds -1"), CLI::ParseError);
  EXPECT_THROW(Parse("--rounds x"), CLI::ParseError);
  EXPECT_THROW(Parse("--nosuch"), CLI::ParseError);
  EXPECT_THROW(Parse("--timeout 0"), CLI::ParseError);
  for (const char* line : {"--seed x", "--seed -1", "--rounds 3 --max-rounds 4",
                           "--rounds 3 --budget 9", "--rounds 3 --target-ci 2",
                           "--min-rounds 9 --max-rounds 4", "--inject o2", "--inject o2=x"}) {
    EXPECT_THROW(MakePlan(Parse(line), 0), RunError) << line;
  }
}

}  // namespace
}  // namespace smallmind::harness
