#include "harness/analysis/choice.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/analysis.h"
#include "harness/profile_base.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

const Recommendation* Goal(const Analysis& a, const std::string& goal) {
  for (const Recommendation& r : a.recommendations) {
    if (r.goal == goal) return &r;
  }
  return nullptr;
}

TEST(Pareto, FrontOfFourObjectives) {
  SyntheticPlan plan;
  plan.noise = 0.0005;
  plan.drift = 0.0;
  const auto add = [&](const char* name, double speed, int64_t bytes, double startup) {
    Planted p;
    p.name = name;
    p.speed = speed;
    p.stripped_bytes = bytes;
    p.startup_ms = startup;
    plan.variants.push_back(p);
  };
  add("o2", 1.0, 2'000'000, 4.0);
  add("fast", 1.5, 3'000'000, 3.9);
  add("small", 0.8, 1'000'000, 3.8);
  add("useless", 0.9, 2'500'000, 5.0);
  add("counting", 2.0, 500'000, 1.0);
  plan.variants.back().pgo = "instrument";
  add("wrong", 3.0, 400'000, 1.0);
  plan.variants.back().token_hash = "0";
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  std::map<std::string, bool> front;
  for (const ParetoPoint& p : a.pareto) {
    if (p.regime.model == "smollm2-135m-q8_0") front[p.variant] = p.on_front;
  }
  EXPECT_EQ(front.size(), 4u);  // neither what counts nor what computes something else competes
  EXPECT_TRUE(front.at("fast"));
  EXPECT_TRUE(front.at("small"));
  EXPECT_FALSE(front.at("useless"));
}

TEST(Pareto, EqualVariantsBeatNobody) {
  SyntheticPlan plan;
  plan.noise = 0.02;
  for (const char* name : {"o2", "a", "b", "c", "d", "e"}) {
    plan.variants.emplace_back();
    plan.variants.back().name = name;
  }
  plan.variants[3].stripped_bytes -= 1'000;  // within what is called equal
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  EXPECT_EQ(a.pareto.size(), 12u);
  for (const ParetoPoint& p : a.pareto) EXPECT_TRUE(p.on_front) << p.variant << " " << p.beaten_by;
}

TEST(Pareto, RatiosAreTheTables) {
  SyntheticPlan plan;
  plan.drift = 0.5;
  for (const char* name : {"o2", "slow"}) {
    plan.variants.emplace_back();
    plan.variants.back().name = name;
  }
  plan.variants[1].speed = 0.9;
  auto run = MakeSyntheticRun(plan);
  // In half of the rounds alone: medians of what is left would compare other minutes.
  std::erase_if(run.samples, [](const Sample& s) { return s.variant == "slow" && s.round < 5; });
  const Analysis a = Analyze(run.info, run.samples);
  for (const ParetoPoint& p : a.pareto) {
    if (p.variant != "slow") continue;
    EXPECT_EQ(p.speed.log.estimate,
              a.Against("slow", p.regime, "decode_tps")->ratio().log.estimate);
    EXPECT_NEAR(p.speed.Ratio(), 0.9, 0.02);
    EXPECT_EQ(p.beaten_by, "o2");
  }
}

TEST(Pareto, ASmallerBinaryBeatsOnlyWithoutBeingSlower) {
  SyntheticPlan plan;
  plan.noise = 0.002;  // intervals within what is called equal
  for (const char* name : {"o2", "equal", "slower"}) {
    plan.variants.emplace_back();
    plan.variants.back().name = name;
  }
  plan.variants[1].stripped_bytes = 1'900'000;
  plan.variants[2].stripped_bytes = 1'500'000;
  plan.variants[2].speed = 0.9;
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  for (const ParetoPoint& p : a.pareto) {
    EXPECT_EQ(p.beaten_by, p.variant == "o2" ? "equal" : "") << p.variant;
  }
}

TEST(Recommend, GoalsPickDifferentVariants) {
  SyntheticPlan plan;
  Planted o2, fast, small;
  o2.name = "o2";
  fast.name = "fast";
  fast.speed = 1.4;
  fast.isa = "native";
  fast.stripped_bytes = 2'500'000;
  small.name = "small";
  small.speed = 0.97;
  small.stripped_bytes = 900'000;
  plan.variants = {o2, fast, small};
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  ASSERT_NE(Goal(a, "batch"), nullptr);
  EXPECT_EQ(Goal(a, "batch")->variant, "fast");
  EXPECT_EQ(Goal(a, "interactive")->variant, "fast");
  EXPECT_EQ(Goal(a, "embedded")->variant, "small");
  EXPECT_NE(Goal(a, "batch")->evidence.find("times o2"), std::string::npos);
}

TEST(Recommend, AmongEqualsTheSimplest) {
  SyntheticPlan plan;
  Planted o2, tuned;
  o2.name = "o2";
  tuned.name = "tuned";
  tuned.isa = "native";
  tuned.pgo = "use";
  plan.variants = {o2, tuned};
  plan.seed = 3;
  const auto run = MakeSyntheticRun(plan);
  const Analysis a = Analyze(run.info, run.samples);
  EXPECT_EQ(Goal(a, "batch")->variant, "o2");
  EXPECT_NE(Goal(a, "batch")->evidence.find("cannot tell it from tuned"), std::string::npos);
}

TEST(Recommend, WhoHardlyRanIsNeverRecommended) {
  SyntheticPlan plan;
  Planted o2, tuned, slow;
  o2.name = "o2";
  tuned.name = "tuned";
  tuned.isa = "native";
  tuned.speed = 1.3;
  slow.name = "slow";
  slow.speed = 0.02;
  plan.variants = {o2, tuned, slow};
  auto run = MakeSyntheticRun(plan);
  // One round in eight, as slow competitors run: no interval, and so no verdict against it.
  std::erase_if(run.samples,
                [](const Sample& s) { return s.variant == "slow" && s.round % 8 != 0; });
  std::erase_if(run.samples, [](const Sample& s) { return s.round > 7; });
  const Analysis a = Analyze(run.info, run.samples);
  ASSERT_EQ(a.recommendations.size(), 4u);
  for (const Recommendation& r : a.recommendations) {
    EXPECT_NE(r.variant, "slow") << r.goal;
    EXPECT_EQ(std::ranges::count(r.as_good, "slow"), 0) << r.goal;
  }
  EXPECT_EQ(Goal(a, "batch")->variant, "tuned");
}

TEST(Layouts, SpreadIsFoundAndSmallEffectsAreNotAboveIt) {
  SyntheticPlan plan;
  Planted o2, lucky, solid;
  o2.name = "o2";
  lucky.name = "lucky";
  lucky.speed = 1.005;
  lucky.layout_sigma = 0.04;
  solid.name = "solid";
  solid.speed = 1.3;
  solid.layout_sigma = 0.01;
  plan.variants = {o2, lucky, solid};
  plan.layouts = 6;
  plan.rounds = 5;
  plan.noise = 0.002;
  plan.models = {"smollm2-135m-q8_0"};
  const auto run = MakeSyntheticRun(plan);
  int seen = 0;
  for (const LayoutSpread& l : MeasureLayouts(run.info, Series(run.samples), {})) {
    if (l.metric != "decode_tps") continue;
    ++seen;
    EXPECT_EQ(l.layouts, 6u);
    if (l.variant == "o2") {
      EXPECT_LT(l.spread, 0.005);
    }
    if (l.variant == "lucky") {
      EXPECT_GT(l.spread, 0.015);
      EXPECT_FALSE(l.above);
    }
    if (l.variant == "solid") {
      EXPECT_TRUE(l.above);
    }
  }
  EXPECT_EQ(seen, 3);
  // What lies within the luck is not ranked, however narrow its interval.
  plan.variants[1].speed = 1.03;
  plan.variants[1].layout_sigma = 0.0;
  plan.variants[0].layout_sigma = 0.1;
  const auto loud = MakeSyntheticRun(plan);
  const Analysis a = Analyze(loud.info, loud.samples);
  for (const Comparison& c : a.comparisons) {
    if (c.metric != "decode_tps" || c.variant != "lucky") continue;
    EXPECT_EQ(c.verdict, Verdict::kUnclear);
  }
  plan.layouts = 0;
  const auto plain = MakeSyntheticRun(plan);
  EXPECT_TRUE(MeasureLayouts(plain.info, Series(plain.samples), {}).empty());
}

TEST(Pgo, GapBetweenTrainingAndUnseenPrompts) {
  SyntheticPlan plan;
  Planted o2, pgo;
  o2.name = "o2";
  pgo.name = "pgo";
  pgo.pgo = "use";
  pgo.speed = 1.05;
  plan.variants = {o2, pgo};
  plan.models = {"smollm2-135m-q8_0"};
  plan.noise = 0.002;
  const auto plain = MakeSyntheticRun(plan);
  const auto gaps_of = [](const smallmind::harness::Run& run) {
    return MeasurePgoGap(run.info, Series(run.samples), Series(run.samples, Prompts::kTraining),
                         {});
  };
  ASSERT_EQ(gaps_of(plain).size(), 2u);  // decode and prefill
  EXPECT_NE(gaps_of(plain)[0].sentence.find("were not run"), std::string::npos);
  const auto with_training = [&](double speed) {
    auto run = plain;
    SyntheticPlan other = plan;
    other.variants[1].speed = speed;
    other.seed = 9;
    for (Sample s : MakeSyntheticRun(other).samples) {
      s.workload = "train-" + s.workload;
      run.samples.push_back(s);
    }
    return run;
  };
  const auto flattering = with_training(1.20);
  for (const PgoGap& g : gaps_of(flattering)) {
    EXPECT_EQ(g.base, "o2");
    EXPECT_NEAR(g.evaluated.Ratio(), 1.05, 0.01);
    EXPECT_NEAR(g.on_training.Ratio(), 1.20, 0.01);
    EXPECT_NEAR(g.gap.Ratio(), 1.20 / 1.05, 0.01) << g.metric;
    EXPECT_NE(g.sentence.find("flatters itself by 1.1"), std::string::npos) << g.sentence;
  }
  for (const PgoGap& g : gaps_of(with_training(1.05))) {
    EXPECT_NE(g.sentence.find(": no gap"), std::string::npos) << g.sentence;
  }
  // What was trained on is no result: no table, no comparison knows it.
  const Analysis a = Analyze(flattering.info, flattering.samples);
  EXPECT_EQ(a.regimes.size(), 1u);
  EXPECT_NEAR(a.Against("pgo", a.regimes[0], "decode_tps")->ratio().Ratio(), 1.05, 0.01);
}

TEST(Pgo, TheBaseOfAProfiledRowDiffersInItsProfileAlone) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants();
  auto run = MakeSyntheticRun(plan);
  const auto base = [&](const char* name) {
    for (const VariantInfo& v : run.info.variants) {
      if (v.name == name) return ProfileBase(run.info, v);
    }
    return std::string();
  };
  EXPECT_EQ(base("pgo"), "o2");
  EXPECT_EQ(base("native-pgo"), "native");
  EXPECT_EQ(base("lto-pgo"), "lto");
  EXPECT_EQ(base("production"), "native-lto");
  std::erase_if(run.info.variants, [](const VariantInfo& v) { return v.name == "native-lto"; });
  EXPECT_EQ(base("production"), "o2");
}

}  // namespace
}  // namespace smallmind::harness
