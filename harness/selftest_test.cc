#include "harness/selftest.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/error.h"
#include "harness/plan.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

constexpr size_t kDecode = 4, kPrefill = 3;

// Log ratios of 40 rounds: a slowdown by `slower` lowers the two throughputs and raises the rest.
std::vector<HeadlineRow> Rounds(double slower, double noise, uint64_t seed) {
  stats::Rng rng(seed);
  std::vector<HeadlineRow> rows(40);
  for (HeadlineRow& row : rows) {
    const double common = noise * rng.Normal();
    for (size_t m = 0; m < row.size(); ++m) {
      const double worse = slower + common + 0.5 * noise * rng.Normal();
      row[m] = m == kDecode || m == kPrefill ? -worse : worse;
    }
  }
  return rows;
}

SelftestResult Curve(std::vector<HeadlineRow> null,
                     std::map<double, std::vector<HeadlineRow>> slowed, double budget_s = 100,
                     int comparisons = 60) {
  return OperatingCurve({std::move(null), std::move(slowed), 1.0}, "decode_tps", budget_s,
                        comparisons, 9);
}

TEST(Selftest, QuietMachineFindsFivePercentAndKeepsAlpha) {
  const SelftestResult result =
      Curve(Rounds(0, 0.02, 1), {{1, Rounds(0.01, 0.02, 2)}, {5, Rounds(0.05, 0.02, 3)}});
  ASSERT_EQ(result.curve.size(), 5u);
  EXPECT_EQ(result.curve.back().rounds, 40);
  EXPECT_EQ(result.ExitCode(), kExitOk) << SelftestMarkdown(result);
  for (const CurvePoint& point : result.curve) EXPECT_LE(point.fp_low, 0.05);
  EXPECT_GT(result.curve.back().power.at(5), 0.9);
  EXPECT_GT(result.curve.back().power.at(5), result.curve.back().power.at(1));
  EXPECT_GT(result.curve[0].mde_pct, result.curve.back().mde_pct);
}

TEST(Selftest, AComparisonTakesItsWarmUpToo) {
  const SelftestResult result =
      OperatingCurve({Rounds(0, 0.02, 1), {}, 2.0, 1}, "decode_tps", 81, 60, 9);
  EXPECT_EQ(result.curve.back().seconds, 82);
  EXPECT_LT(result.WithinBudget()->rounds, 40);
}

// What a point calls detectable is planted: found with power 0.8 or more (the other metrics, slowed
// with it, ease Holm's later steps) where all six are judged, as the power beside it is.
TEST(Selftest, DetectableSpeaksOfTheSameFamilyAsPower) {
  std::vector<HeadlineRow> rows = Rounds(0, 0.02, 1);
  double mean = 0;
  for (const HeadlineRow& row : rows) mean += row[kDecode] / static_cast<double>(rows.size());
  for (HeadlineRow& row : rows) row[kDecode] -= mean;
  const SelftestResult result = Curve(rows, {});
  for (HeadlineRow& row : rows) row[kDecode] -= std::log1p(result.curve[1].mde_pct / 100);
  const SelftestResult slowed = Curve(rows, {{5, rows}}, 100, 200);
  EXPECT_GT(slowed.curve[1].power.at(5), 0.74) << SelftestMarkdown(slowed);
  EXPECT_LT(slowed.curve[1].power.at(5), 0.9);
  EXPECT_NE(SelftestMarkdown(slowed).find("Holm over its 6 metrics"), std::string::npos);
}

// The rate that the machine's record states is the rate of the procedure: many draws, heavy tails.
TEST(Selftest, FalsePositivesOfAWholeRowStayBelowAlpha) {
  std::vector<HeadlineRow> rows = Rounds(0, 0.02, 4);
  for (size_t i = 0; i < rows.size(); i += 9) rows[i][kDecode] -= 0.5;  // stalled samples
  const SelftestResult result = Curve(rows, {}, 100, 1500);
  for (const CurvePoint& point : result.curve) {
    EXPECT_LE(point.false_positive_rate, 0.06) << point.rounds;
    EXPECT_LE(point.metric_false_positive_rate, point.false_positive_rate);
  }
}

TEST(Selftest, NoisyMachineSaysThatItCannotSee) {
  EXPECT_EQ(Curve(Rounds(0, 0.3, 1), {{5, Rounds(0.05, 0.3, 3)}}).ExitCode(), kExitInconclusive);
}

// Exchanging the names makes the drawn comparisons blind to it; the measured rounds are not.
TEST(Selftest, ABiasBetweenTheEqualNamesIsARegression) {
  const std::map<double, std::vector<HeadlineRow>> slowed = {{5, Rounds(0.05, 0.02, 3)}};
  const SelftestResult biased = Curve(Rounds(0.03, 0.02, 1), slowed);
  for (const CurvePoint& point : biased.curve) EXPECT_LE(point.fp_low, 0.05);
  EXPECT_EQ(biased.ExitCode(), kExitRegression) << SelftestMarkdown(biased);
  EXPECT_NE(SelftestMarkdown(biased).find("the two equal names differ"), std::string::npos);
  // Certain, but within what the report calls equal.
  EXPECT_FALSE(Curve(Rounds(0.005, 0.002, 1), slowed).Biased());
}

TEST(Selftest, PowerIsJudgedWithinTheBudget) {
  const std::map<double, std::vector<HeadlineRow>> slowed = {{5, Rounds(0.05, 0.04, 3)}};
  EXPECT_EQ(Curve(Rounds(0, 0.04, 1), slowed, 40).ExitCode(), kExitOk);
  const SelftestResult hasty = Curve(Rounds(0, 0.04, 1), slowed, 9);
  ASSERT_NE(hasty.WithinBudget(), nullptr);
  EXPECT_EQ(hasty.WithinBudget()->rounds, 8);
  EXPECT_EQ(hasty.ExitCode(), kExitInconclusive) << SelftestMarkdown(hasty);
  EXPECT_EQ(Curve(Rounds(0, 0.04, 1), slowed, 2).WithinBudget(), nullptr);
}

TEST(Selftest, ASlowdownThatLooksLikeASpeedUpIsNotPower) {
  EXPECT_EQ(Curve(Rounds(0, 0.02, 1), {{5, Rounds(-0.05, 0.02, 3)}}).curve.back().power.at(5), 0);
}

// Five samples of a third of a second, and two seconds between rounds: a pair's round has all of
// those two.
TEST(Selftest, APairPaysForWhatLiesBetweenRounds) {
  std::vector<Sample> samples;
  double now = 1e9;
  for (int round = kWarmupRound; round < 4; ++round) {
    for (int i = 0; i < 5; ++i) {
      samples.emplace_back();
      samples.back().round = round;
      samples.back().warmup = round < 0;
      samples.back().start_unix = now;
      now += 0.3;
    }
    now += 2;
  }
  EXPECT_NEAR(PairSeconds(samples), 0.3 + 2.3, 1e-6);
  EXPECT_EQ(PairSeconds({}), 0);
}

TEST(Selftest, RowsArePairedByRoundAndLeaveContaminatedOnesOut) {
  std::vector<Sample> samples;
  const auto add = [&](const char* variant, int round, double tps, bool contaminated = false) {
    samples.emplace_back();
    samples.back().variant = variant;
    samples.back().round = round;
    samples.back().metrics["decode_tps"] = tps;
    samples.back().contaminated = contaminated;
  };
  add("b", 1, 100);  // without its partner
  add("a", 0, 200);
  add("b", 0, 100);
  const auto one = HeadlineRows(samples, "a", "b");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_NEAR(one[0][kDecode], -0.693, 0.001);
  EXPECT_TRUE(std::isnan(one[0][kPrefill]));
  for (int round = 2; round < 8; ++round) {
    add("a", round, 100);
    add("b", round, round == 7 ? 10 : 100, round == 7);
  }
  EXPECT_EQ(HeadlineRows(samples, "a", "b").size(), 6u);
}

}  // namespace
}  // namespace smallmind::harness
