#include "harness/gate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/error.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

struct GateScene {
  RunInfo run;
  std::vector<Sample> samples;
};

// `rounds` rounds of old and new; the machine drifts by a third, the noise is 1 %.
GateScene SceneOf(int rounds, double new_factor, const std::string& new_hash = "aa",
                  double machine = 1.0, const std::string& old_name = "o2@old") {
  GateScene scene;
  stats::Rng random(static_cast<uint64_t>(rounds) * 1000 + static_cast<uint64_t>(new_factor * 100));
  scene.run.id = "run";
  scene.run.workloads = {{"p8-n4-t2", 8, 4, 2, 1}};
  for (const std::string& name : {old_name, std::string("o2")}) {
    VariantInfo variant;
    variant.name = name;
    variant.size.stripped_bytes = 1000000;
    scene.run.variants.push_back(variant);
  }
  for (int round = 0; round < rounds; ++round) {
    const double drift = machine * (1 + 0.33 * round / rounds);
    scene.run.ceilings.push_back({"read_gbps", 2, 30 * drift, round});
    scene.run.ceilings.push_back({"int8_gops", 2, 600 * drift, round});
    for (const VariantInfo& variant : scene.run.variants) {
      const double own = variant.name == "o2" ? new_factor : 1.0;
      Sample sample;
      sample.round = round;
      sample.variant = variant.name;
      sample.model = "tiny";
      sample.workload = "p8-n4-t2";
      const auto noise = [&] { return 1 + 0.01 * (random.Uniform() + random.Uniform() - 1); };
      sample.metrics["decode_tps"] = 100 * own * drift * noise();
      sample.metrics["prefill_tps"] = 900 * own * drift * noise();
      sample.metrics["ttft_ms"] = 10 / own / drift * noise();
      sample.metrics["peak_rss_mib"] = 50;
      sample.hashes["token"] = variant.name == "o2" ? new_hash : "aa";
      scene.samples.push_back(sample);
    }
  }
  return scene;
}

GateResult Judge(const GateScene& scene) {
  return JudgePaired(scene.run, scene.samples, "o2@old", "o2", GateThresholds(""));
}

TEST(Gate, UnchangedPassesInSpiteOfDrift) {
  const GateResult result = Judge(SceneOf(15, 1.0));
  EXPECT_EQ(result.ExitCode(), 0) << GateMarkdown(result);
}

TEST(Gate, FivePercentSlowerIsARegression) {
  const GateResult result = Judge(SceneOf(15, 0.95));
  EXPECT_EQ(result.ExitCode(), kExitRegression) << GateMarkdown(result);
  for (const GateRow& row : result.rows) {
    if (row.metric != "decode_tps") continue;
    EXPECT_NEAR(row.worse_pct, 5.26, 1.5);  // in time: 1 / 0.95
  }
}

TEST(Gate, SpeedUpPasses) {
  const GateResult result = Judge(SceneOf(15, 1.10));
  EXPECT_EQ(result.ExitCode(), 0);
  EXPECT_EQ(result.Verdict(), GateVerdict::kImprovement);
}

TEST(Gate, TooFewRoundsAreInconclusive) {
  EXPECT_EQ(Judge(SceneOf(2, 1.0)).ExitCode(), kExitInconclusive);
  EXPECT_EQ(Judge(SceneOf(2, 0.95)).ExitCode(), kExitInconclusive);
  EXPECT_EQ(Judge(SceneOf(0, 1.0)).ExitCode(), kExitInconclusive) << "sizes alone prove no speed";
}

TEST(Gate, NoiseInStartupAloneDoesNotBlockAPass) {
  GateScene scene = SceneOf(15, 1.0);
  stats::Rng random(3);
  for (Sample& sample : scene.samples) sample.metrics["startup_ms"] = 5 + 20 * random.Uniform();
  EXPECT_EQ(Judge(scene).ExitCode(), 0);
  for (Sample& sample : scene.samples) {  // but a startup that doubled is still a regression
    sample.metrics["startup_ms"] = (sample.variant == "o2" ? 20 : 10) + random.Uniform();
  }
  EXPECT_EQ(Judge(scene).ExitCode(), kExitRegression);
}

TEST(Gate, DifferentOutputIsNotComparedForSpeed) {
  const GateResult result = Judge(SceneOf(15, 1.0, "bb"));
  EXPECT_EQ(result.ExitCode(), kExitRegression);
  EXPECT_NE(result.output_difference, "");
}

TEST(Gate, SizeIsJudgedWithoutStatistics) {
  GateScene scene = SceneOf(15, 1.0);
  scene.run.variants[1].size.stripped_bytes = 1050000;
  EXPECT_EQ(Judge(scene).ExitCode(), kExitRegression);
}

GateResult JudgeFigures(const GateScene& before, const GateScene& after) {
  return JudgeBaseline(before.run, before.samples, after.run, after.samples, "o2",
                       GateThresholds(""));
}

TEST(Gate, BaselineIsNormalisedByTheCeilings) {
  const GateScene before = SceneOf(40, 1.0, "aa", 1.0, "none");
  const GateResult slow_machine = JudgeFigures(before, SceneOf(40, 1.0, "aa", 0.8, "none"));
  EXPECT_EQ(slow_machine.ExitCode(), 0) << GateMarkdown(slow_machine);
  EXPECT_EQ(JudgeFigures(before, SceneOf(40, 0.9, "aa", 1.0, "none")).ExitCode(), kExitRegression);
  EXPECT_EQ(JudgeFigures(before, SceneOf(40, 1.1, "aa", 0.9, "none")).Verdict(),
            GateVerdict::kImprovement);
  EXPECT_EQ(JudgeFigures(before, SceneOf(2, 0.9, "aa", 1.0, "none")).ExitCode(), kExitInconclusive);
  EXPECT_NE(GateMarkdown(slow_machine).find("this machine is now 20.0 % slower"),
            std::string::npos);
}

// A machine whose speed wanders over tens of rounds, and whose ceilings do not tell: samples close
// in time agree, and a test that took them for independent would find differences everywhere.
TEST(Gate, BaselineJudgesBatchesBecauseNeighbouringRoundsAgree) {
  constexpr int kRounds = 160, kRuns = 300;
  stats::Rng rng(8);
  const auto wander = [&] {
    std::vector<double> logs;
    double state = 0;
    for (int i = 0; i < kRounds; ++i) {
      state = 0.85 * state + 0.02 * rng.Normal();
      logs.push_back(state + 0.02 * rng.Normal());
    }
    return logs;
  };
  const auto scene = [&] {
    GateScene result;
    const std::vector<double> logs = wander();
    for (int round = 0; round < kRounds; ++round) {
      result.samples.emplace_back();
      Sample& sample = result.samples.back();
      sample.round = round;
      sample.variant = "o2";
      sample.metrics["decode_tps"] = std::exp(logs[static_cast<size_t>(round)]);
    }
    return result;
  };
  int by_batches = 0, by_rounds = 0;
  for (int run = 0; run < kRuns; ++run) {
    const GateScene before = scene(), after = scene();
    by_batches += JudgeFigures(before, after).rows.at(0).p < 0.05;
    const auto logs = [](const GateScene& s) {
      std::vector<double> values;
      for (const Sample& sample : s.samples) {
        values.push_back(std::log(sample.metrics.at("decode_tps")));
      }
      return values;
    };
    by_rounds += stats::Welch(logs(before), logs(after)).p_value < 0.05;
  }
  EXPECT_LT(by_batches, 0.09 * kRuns);
  EXPECT_GT(by_rounds, 0.2 * kRuns);  // what the gate does not do
}

TEST(Gate, EverySizeWithAThresholdIsJudged) {
  GateScene scene = SceneOf(15, 1.0);
  scene.run.variants[0].size.text_bytes = scene.run.variants[0].size.file_bytes = 1000;
  scene.run.variants[1].size.text_bytes = 1040;
  scene.run.variants[1].size.file_bytes = 1010;
  EXPECT_EQ(Judge(scene).ExitCode(), 0);
  const GateResult result = JudgePaired(scene.run, scene.samples, "o2@old", "o2",
                                        GateThresholds("text_bytes=3,file_bytes=3"));
  std::map<std::string, GateVerdict> verdicts;
  for (const GateRow& row : result.rows) verdicts[row.metric] = row.verdict;
  EXPECT_EQ(verdicts.at("text_bytes"), GateVerdict::kRegression);
  EXPECT_EQ(verdicts.at("file_bytes"), GateVerdict::kPass);
  EXPECT_EQ(verdicts.at("stripped_bytes"), GateVerdict::kPass);
}

// A machine that computes slower and reads as fast as before: gaps between tokens lean on reading,
// memory on nothing.
TEST(Gate, AMetricIsNormalisedByWhatItLeansOn) {
  const auto scene = [](double int8_gops) {
    GateScene result = SceneOf(40, 1.0, "aa", 1.0, "none");
    for (Ceiling& ceiling : result.run.ceilings) {
      ceiling.value = ceiling.name == "int8_gops" ? int8_gops : 30;
    }
    stats::Rng random(7);
    for (Sample& sample : result.samples) {
      sample.metrics = {{"itl_p50_ms", 10 + 0.1 * random.Uniform()},
                        {"rss_anon_mib", 20 + 0.1 * random.Uniform()}};
    }
    return result;
  };
  const GateScene before = scene(600), after = scene(300);
  const GateResult result = JudgeBaseline(before.run, before.samples, after.run, after.samples,
                                          "o2", GateThresholds("itl_p50_ms=5,rss_anon_mib=5"));
  int judged = 0;
  for (const GateRow& row : result.rows) {
    if (row.metric != "itl_p50_ms" && row.metric != "rss_anon_mib") continue;
    ++judged;
    EXPECT_EQ(row.verdict, GateVerdict::kPass) << row.metric;
    EXPECT_NEAR(row.worse_pct, 0, 1) << row.metric;
  }
  EXPECT_EQ(judged, 2);
}

TEST(Gate, SizesDoNotDiluteTheTestsOfWhatIsMeasured) {
  const GateResult with = Judge(SceneOf(15, 1.0));
  GateScene without = SceneOf(15, 1.0);
  for (VariantInfo& variant : without.run.variants) variant.size = {};
  const GateResult bare = Judge(without);
  ASSERT_EQ(with.rows.size(), bare.rows.size() + 1);
  for (size_t i = 0; i < bare.rows.size(); ++i) {
    EXPECT_EQ(with.rows[i].p_adjusted, bare.rows[i].p_adjusted);
  }
}

TEST(Gate, EveryRowSaysWhatItCouldHaveSeen) {
  for (const GateRow& row : Judge(SceneOf(15, 1.0)).rows) {
    if (row.metric != "decode_tps") continue;
    EXPECT_GT(row.mde_pct, 0.3);
    EXPECT_LT(row.mde_pct, 1.5);
    // Of four measured rows: alone it would have seen a good deal less.
    const stats::Interval log{0, std::log1p(row.low_pct / 100), std::log1p(row.high_pct / 100)};
    const double alone = std::expm1(stats::MinimumDetectableEffect(log, 14.0)) * 100;
    EXPECT_GT(row.mde_pct, 1.2 * alone);
  }
  EXPECT_TRUE(std::isinf(Judge(SceneOf(2, 1.0)).rows.at(0).mde_pct));
}

TEST(Gate, Thresholds) {
  EXPECT_EQ(GateThresholds("decode_tps=7.5").at("decode_tps"), 7.5);
  for (const char* bad : {"nosuch=3", "decode_tps", "decode_tps=x", "decode_tps=-1"}) {
    EXPECT_THROW(GateThresholds(bad), RunError) << bad;
  }
}

}  // namespace
}  // namespace smallmind::harness
