#include "harness/selftest.h"

#include <gtest/gtest.h>

#include "harness/error.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

std::vector<double> Rounds(double centre, double noise, uint64_t seed) {
  stats::Rng rng(seed);
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(centre + noise * rng.Normal());
  return values;
}

TEST(Selftest, QuietMachineFindsFivePercentAndKeepsAlpha) {
  const SelftestResult result = OperatingCurve(
      Rounds(0, 0.02, 1), {{1, Rounds(0.01, 0.02, 2)}, {5, Rounds(0.05, 0.02, 3)}}, 60, 9);
  ASSERT_EQ(result.curve.size(), 6u);
  EXPECT_EQ(result.ExitCode(), kExitOk) << SelftestMarkdown(result);
  for (const CurvePoint& point : result.curve) EXPECT_LE(point.fp_low, 0.05);
  EXPECT_GT(result.curve[2].power.at(5), 0.9);
  EXPECT_GT(result.curve[2].power.at(5), result.curve[2].power.at(1));
  EXPECT_GT(result.curve[0].mde_pct, result.curve.back().mde_pct);
}

TEST(Selftest, NoisyMachineSaysThatItCannotSee) {
  const SelftestResult result =
      OperatingCurve(Rounds(0, 0.3, 1), {{5, Rounds(0.05, 0.3, 3)}}, 60, 9);
  EXPECT_EQ(result.ExitCode(), kExitInconclusive);
}

TEST(Selftest, ASlowdownThatLooksLikeASpeedUpIsNotPower) {
  const SelftestResult result =
      OperatingCurve(Rounds(0, 0.02, 1), {{5, Rounds(-0.05, 0.02, 3)}}, 60, 9);
  EXPECT_EQ(result.curve.back().power.at(5), 0);
}

TEST(Selftest, RatiosArePairedByRound) {
  std::vector<Sample> samples(3);
  samples[0].variant = "a";
  samples[0].metrics["decode_tps"] = 200;
  samples[1].variant = "b";
  samples[1].metrics["decode_tps"] = 100;
  samples[2] = samples[1];
  samples[2].round = 1;  // without its partner
  const auto ratios = SlowdownRatios(samples, "a", "b", "decode_tps");
  ASSERT_EQ(ratios.size(), 1u);
  EXPECT_NEAR(ratios[0], 0.693, 0.001);
}

}  // namespace
}  // namespace smallmind::harness
