#include "harness/stopping.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "harness/random.h"

namespace smallmind::harness {
namespace {

double Normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.Unit())) *
         std::cos(2 * std::numbers::pi * random.Unit());
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

bool Significant(const std::vector<double>& values) {
  return std::abs(Mean(values)) > HalfWidth(values);
}

// Share of false positives among `pairs` comparisons of identical binaries with one reference.
template <typename StopRule>
double FalsePositives(int pairs, int runs, StopRule&& stop) {
  Random random(20261122);
  int found = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<std::vector<double>> ratios(pairs);
    for (int round = 1; round <= 30; ++round) {
      const double reference = Normal(random);
      for (auto& values : ratios) values.push_back(0.02 * (Normal(random) - reference));
      if (round >= 8 && stop(round, ratios)) break;
    }
    for (const auto& values : ratios) found += Significant(values);
  }
  return static_cast<double>(found) / runs / pairs;
}

TEST(Stopping, WidthRuleKeepsAlphaAndSignificanceRuleDoesNot) {
  using Ratios = std::vector<std::vector<double>>;
  const StoppingRule rule{.min_rounds = 8, .max_rounds = 30, .target_ci_pct = 1.5, .budget_s = 0};
  const auto by_width = [&](int round, const Ratios& ratios) {
    double widest = 0;
    for (const auto& values : ratios) {
      widest = std::max(widest, 100 * std::expm1(HalfWidth(values)));
    }
    return Decide(rule, round, 0, widest) != Next::kContinue;
  };
  const auto by_significance = [](int, const Ratios& ratios) { return Significant(ratios[0]); };
  EXPECT_LT(FalsePositives(8, 800, by_width), 0.065);
  EXPECT_LT(FalsePositives(1, 3000, by_width), 0.085);
  EXPECT_GT(FalsePositives(1, 3000, by_significance), 0.12);  // the rule that we do not use
}

TEST(Stopping, DecisionsInOrder) {
  const StoppingRule rule{.min_rounds = 3, .max_rounds = 10, .target_ci_pct = 2, .budget_s = 100};
  EXPECT_EQ(Decide(rule, 1, 99, 0.1), Next::kContinue);  // too few rounds, whatever the rest says
  EXPECT_EQ(Decide(rule, 3, 10, 1.9), Next::kPrecise);
  EXPECT_EQ(Decide(rule, 3, 10, 2.1), Next::kContinue);
  EXPECT_EQ(Decide(rule, 4, 81, 9), Next::kBudget);  // the next round would end at 101 s
  EXPECT_EQ(Decide(rule, 4, 79, 9), Next::kContinue);
  EXPECT_EQ(Decide(rule, 10, 79, 9), Next::kMaxRounds);
  EXPECT_EQ(Decide({.min_rounds = 1, .max_rounds = 5}, 4, 1e9, 1e9), Next::kContinue);
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
}

}  // namespace
}  // namespace smallmind::harness
