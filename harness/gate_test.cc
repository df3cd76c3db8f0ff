#include "harness/gate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/error.h"
#include "harness/random.h"

namespace smallmind::harness {
namespace {

struct Scene {
  RunInfo run;
  std::vector<Sample> samples;
};

// `rounds` rounds of old and new; the machine drifts by a third, the noise is 1 %.
Scene Measure(int rounds, double new_factor, const std::string& new_hash = "aa",
              double machine = 1.0, const std::string& old_name = "o2@old") {
  Scene scene;
  Random random(static_cast<uint64_t>(rounds) * 1000 + static_cast<uint64_t>(new_factor * 100));
  scene.run.id = "run";
  scene.run.workloads = {{"p8-n4-t2", 8, 4, 2, 1}};
  for (const std::string& name : {old_name, std::string("o2")}) {
    VariantInfo variant;
    variant.name = name;
    variant.size.stripped_bytes = 1000000;
    scene.run.variants.push_back(variant);
  }
  scene.run.ceilings = {{"read_gbps", 2, 30 * machine, -1}, {"int8_gops", 2, 600 * machine, -1}};
  for (int round = 0; round < rounds; ++round) {
    const double drift = machine * (1 + 0.33 * round / rounds);
    for (const VariantInfo& variant : scene.run.variants) {
      const double own = variant.name == "o2" ? new_factor : 1.0;
      Sample sample;
      sample.round = round;
      sample.variant = variant.name;
      sample.model = "tiny";
      sample.workload = "p8-n4-t2";
      const auto noise = [&] { return 1 + 0.01 * (random.Unit() + random.Unit() - 1); };
      const double drifted = old_name == "none" ? machine : drift;
      sample.metrics["decode_tps"] = 100 * own * drifted * noise();
      sample.metrics["prefill_tps"] = 900 * own * drifted * noise();
      sample.metrics["ttft_ms"] = 10 / own / drifted * noise();
      sample.metrics["peak_rss_mib"] = 50;
      sample.hashes["token"] = variant.name == "o2" ? new_hash : "aa";
      scene.samples.push_back(sample);
    }
  }
  return scene;
}

GateResult Judge(const Scene& scene) {
  return JudgePaired(scene.run, scene.samples, "o2@old", "o2", GateThresholds(""));
}

TEST(Gate, UnchangedPassesInSpiteOfDrift) {
  const GateResult result = Judge(Measure(15, 1.0));
  EXPECT_EQ(result.ExitCode(), 0) << GateMarkdown(result);
}

TEST(Gate, FivePercentSlowerIsARegression) {
  const GateResult result = Judge(Measure(15, 0.95));
  EXPECT_EQ(result.ExitCode(), kExitRegression) << GateMarkdown(result);
  for (const GateRow& row : result.rows) {
    if (row.metric != "decode_tps") continue;
    EXPECT_NEAR(row.worse_pct, 5.26, 1.5);  // in time: 1 / 0.95
  }
}

TEST(Gate, SpeedUpPasses) {
  const GateResult result = Judge(Measure(15, 1.10));
  EXPECT_EQ(result.ExitCode(), 0);
  EXPECT_EQ(result.Verdict(), GateVerdict::kImprovement);
}

TEST(Gate, TooFewRoundsAreInconclusive) {
  EXPECT_EQ(Judge(Measure(2, 1.0)).ExitCode(), kExitInconclusive);
  EXPECT_EQ(Judge(Measure(2, 0.95)).ExitCode(), kExitInconclusive);
  EXPECT_EQ(Judge(Measure(0, 1.0)).ExitCode(), kExitInconclusive) << "sizes alone prove no speed";
}

TEST(Gate, NoiseInStartupAloneDoesNotBlockAPass) {
  Scene scene = Measure(15, 1.0);
  Random random(3);
  for (Sample& sample : scene.samples) sample.metrics["startup_ms"] = 5 + 20 * random.Unit();
  EXPECT_EQ(Judge(scene).ExitCode(), 0);
  for (Sample& sample : scene.samples) {  // but a startup that doubled is still a regression
    sample.metrics["startup_ms"] = (sample.variant == "o2" ? 20 : 10) + random.Unit();
  }
  EXPECT_EQ(Judge(scene).ExitCode(), kExitRegression);
}

TEST(Gate, DifferentOutputIsNotComparedForSpeed) {
  const GateResult result = Judge(Measure(15, 1.0, "bb"));
  EXPECT_EQ(result.ExitCode(), kExitRegression);
  EXPECT_NE(result.output_difference, "");
}

TEST(Gate, SizeIsJudgedWithoutStatistics) {
  Scene scene = Measure(15, 1.0);
  scene.run.variants[1].size.stripped_bytes = 1050000;
  EXPECT_EQ(Judge(scene).ExitCode(), kExitRegression);
}

TEST(Gate, BaselineIsNormalisedByTheCeilings) {
  const Scene old_scene = Measure(15, 1.0, "aa", 1.0, "none");
  const Scene slow_machine = Measure(15, 1.0, "aa", 0.8, "none");
  const Scene slow_code = Measure(15, 0.9, "aa", 1.0, "none");
  const auto judge = [&](const Scene& now) {
    return JudgeBaseline(old_scene.run, old_scene.samples, now.run, now.samples, "o2",
                         GateThresholds(""));
  };
  EXPECT_EQ(judge(slow_machine).ExitCode(), 0) << GateMarkdown(judge(slow_machine));
  EXPECT_EQ(judge(slow_code).ExitCode(), kExitRegression);
}

TEST(Gate, Thresholds) {
  EXPECT_EQ(GateThresholds("decode_tps=7.5").at("decode_tps"), 7.5);
  for (const char* bad : {"nosuch=3", "decode_tps", "decode_tps=x", "decode_tps=-1"}) {
    EXPECT_THROW(GateThresholds(bad), RunError) << bad;
  }
}

}  // namespace
}  // namespace smallmind::harness
