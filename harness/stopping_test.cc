#include "harness/stopping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/analysis/comparison.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

// Share of comparisons of identical binaries that end as "different" (p < 5 %), judged as the
// report judges: `pairs` binaries against one reference, noise of 2 %; where `stalls`, one sample
// in ten loses 30 % more.
template <typename StopRule>
double FalsePositives(int pairs, int runs, int min_rounds, int max_rounds, bool stalls,
                      StopRule&& stop) {
  stats::Rng rng(20261122);
  const auto noise = [&] {
    return 0.02 * rng.Normal() - (stalls && rng.Uniform() < 0.1 ? 0.3 * rng.Uniform() : 0);
  };
  int found = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<std::vector<double>> ratios(pairs);
    for (int round = 1; round <= max_rounds; ++round) {
      const double reference = noise();
      for (auto& values : ratios) values.push_back(noise() - reference);
      if (round >= min_rounds && stop(round, ratios)) break;
    }
    for (const auto& values : ratios) {
      found += stats::Location(values, {0.95, 200, rng.Next()}).p_value < 0.05;
    }
  }
  return static_cast<double>(found) / runs / pairs;
}

// The rule in use with a target that stops runs in the middle of their range, the worst place.
double FalsePositivesOfTheRule(int pairs, int runs, int min_rounds, int max_rounds, double target,
                               bool stalls) {
  const StoppingRule rule{min_rounds, max_rounds, target, 0};
  return FalsePositives(pairs, runs, min_rounds, max_rounds, stalls,
                        [&](int round, const std::vector<std::vector<double>>& ratios) {
                          double widest = 0;
                          for (const auto& values : ratios) {
                            widest = std::max(widest, 100 * std::expm1(HalfWidth(values)));
                          }
                          return Decide(rule, round, 0, 0, widest) != Next::kContinue;
                        });
}

TEST(Stopping, WidthRuleKeepsAlpha) {
  // A table: eight variants, the widest decides; a gate: one pair, many rounds.
  EXPECT_LT(FalsePositivesOfTheRule(8, 250, 8, 30, 1.5, false), 0.065);
  EXPECT_LT(FalsePositivesOfTheRule(8, 250, 8, 30, 2.5, true), 0.065);
  EXPECT_LT(FalsePositivesOfTheRule(1, 1000, 24, 80, 0.9, false), 0.07);
  EXPECT_LT(FalsePositivesOfTheRule(1, 1000, 24, 80, 1.5, true), 0.07);
}

TEST(Stopping, SignificanceRuleWouldNot) {
  const double found = FalsePositives(
      1, 1000, 8, 30, false, [](int, const std::vector<std::vector<double>>& ratios) {
        return std::abs(stats::Mean(ratios[0])) > HalfWidth(ratios[0]);
      });
  EXPECT_GT(found, 0.085);
}

TEST(Stopping, AStalledSampleDoesNotKeepARunGoing) {
  std::vector<double> values;
  stats::Rng rng(4);
  for (int i = 0; i < 40; ++i) values.push_back(0.02 * rng.Normal());
  const double clean = HalfWidth(values);
  values[7] = -1.2;
  EXPECT_LT(HalfWidth(values), 1.25 * clean);
  EXPECT_TRUE(std::isinf(HalfWidth({0.1, 0.2})));
}

TEST(Stopping, DecisionsInOrder) {
  const StoppingRule rule{
      .min_rounds = 3, .max_rounds = 10, .target_ci_pct = 2, .budget_s = 100, .sure_rounds = 3};
  EXPECT_EQ(Decide(rule, 1, 99, 9, 0.1), Next::kContinue);  // too few rounds, whatever else holds
  EXPECT_EQ(Decide(rule, 3, 10, 9, 1.9), Next::kPrecise);
  EXPECT_EQ(Decide(rule, 3, 10, 9, 2.1), Next::kContinue);
  EXPECT_EQ(Decide(rule, 4, 81, 20, 9), Next::kBudget);  // the next round would end at 101 s
  EXPECT_EQ(Decide(rule, 4, 79, 20, 9), Next::kContinue);
  EXPECT_EQ(Decide(rule, 10, 79, 9, 9), Next::kMaxRounds);
  EXPECT_EQ(Decide({.min_rounds = 1, .max_rounds = 5}, 4, 1e9, 1, 1e9), Next::kContinue);
}

TEST(Stopping, TheBudgetHasRoundsOfItsOwnToLeave) {
  const StoppingRule rule{
      .min_rounds = 8, .max_rounds = 10, .target_ci_pct = 2, .budget_s = 100, .sure_rounds = 1};
  EXPECT_EQ(Decide(rule, 0, 99, 9, 9), Next::kContinue);
  EXPECT_EQ(Decide(rule, 1, 99, 9, 9), Next::kBudget);
  EXPECT_EQ(Decide(rule, 5, 10, 9, 0.1), Next::kContinue);  // a width of few rounds ends nothing
  EXPECT_TRUE(Overruns(rule, 99, 9));
  EXPECT_FALSE(Overruns(rule, 91, 9));
  EXPECT_FALSE(Overruns({.budget_s = 0}, 1e9, 9));
}

TEST(Stopping, WidestIntervalPairsByRoundAndSkipsThinnedCells) {
  RunInfo run;
  run.reference = "o2";
  std::vector<Sample> samples;
  const auto add = [&](const char* variant, int round, double tps) {
    Sample sample;
    sample.variant = variant;
    sample.round = round;
    sample.metrics["decode_tps"] = tps;
    samples.push_back(sample);
  };
  // The machine drifts by half, the ratio does not: nothing is left to sharpen.
  for (int round = 0; round < 5; ++round) {
    add("o2", round, 100.0 + 10 * round);
    add("lto", round, 2 * (100.0 + 10 * round));
  }
  EXPECT_LT(WidestInterval(run, samples), 1e-6);
  for (int round = 0; round < 5; ++round) add("tier0", round, 1.0 + round);
  EXPECT_GT(WidestInterval(run, samples), 10);
  run.plan.strides["tier0|0||"] = 4;
  EXPECT_LT(WidestInterval(run, samples), 1e-6);
  run.plan.strides["lto|0||"] = 4;
  EXPECT_TRUE(std::isinf(WidestInterval(run, samples))) << "nothing is watched";
}

// Each layout's ratio is the same in every round; what the report's interval has to answer for is
// that layouts differ.
TEST(Stopping, WidestIntervalIsTheReportsOverLayouts) {
  RunInfo run;
  run.reference = "o2";
  run.plan.layouts = 2;
  std::vector<Sample> samples;
  for (int round = 0; round < 6; ++round) {
    for (int layout = 0; layout <= 2; ++layout) {
      for (const char* variant : {"o2", "lto"}) {
        Sample& sample = samples.emplace_back();
        sample.variant = variant;
        sample.round = round;
        sample.layout = layout;
        sample.metrics["decode_tps"] =
            (100.0 + 10 * round) * (sample.variant == "lto" ? 1.0 + 0.05 * layout : 1.0);
      }
    }
  }
  const double reported =
      ComparePair(Series(samples), "lto", "o2", {"", ""}, "decode_tps", {}).all.log.HalfWidth();
  EXPECT_NEAR(WidestInterval(run, samples), 100 * std::expm1(reported), 1e-9);
  EXPECT_GT(reported, 0.1);
  run.plan.strides["lto|1||"] = 4;
  EXPECT_TRUE(std::isinf(WidestInterval(run, samples)));
}

}  // namespace
}  // namespace smallmind::harness
