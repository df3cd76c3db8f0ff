#include "harness/analysis/factorial.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

std::vector<Factorial> Run8(double native, double lto, double pgo, double interaction,
                            uint64_t seed = 1) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(native, lto, pgo, interaction);
  plan.rounds = 12;
  plan.seed = seed;
  const auto run = MakeSyntheticRun(plan);
  // Stricter than usual: dozens of effects are looked at, and none may be a chance finding.
  AnalysisOptions options;
  options.level = 0.998;
  options.alpha = 0.002;
  return AnalyzeFactorial(run.info, Series(run.samples), options);
}

const FactorialEffect& Find(const std::vector<FactorialEffect>& list, const std::string& name) {
  for (const FactorialEffect& e : list) {
    if (e.name == name) return e;
  }
  throw std::runtime_error("no effect " + name);
}

bool Says(const Factorial& f, const std::string& text) {
  for (const std::string& s : f.sentences) {
    if (s.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(Factorial, RecoversPlantedEffectsAndInventsNoInteraction) {
  const auto results = Run8(1.25, 1.03, 1.08, 1.0);
  ASSERT_EQ(results.size(), 4u);  // two models, decode and prefill
  for (const Factorial& f : results) {
    EXPECT_EQ(f.rounds, 12u);
    EXPECT_TRUE(Find(f.effects, "native").effect.log.Contains(std::log(1.25))) << f.metric;
    EXPECT_TRUE(Find(f.effects, "PGO").effect.log.Contains(std::log(1.08))) << f.metric;
    EXPECT_EQ(Find(f.effects, "native").verdict, Verdict::kBetter);
    for (const FactorialEffect& e : f.effects) {
      if (e.interaction) {
        EXPECT_NE(e.verdict, Verdict::kBetter) << e.name;
        EXPECT_NE(e.verdict, Verdict::kWorse) << e.name;
      }
    }
    EXPECT_TRUE(f.surplus.log.Contains(0.0));
    EXPECT_NEAR(f.predicted.Ratio(), 1.25 * 1.03 * 1.08, 0.06);
  }
}

TEST(Factorial, FindsAPlantedInteraction) {
  // LTO gives 6 %, PGO 8 %, but together only PGO's 8 %: the interaction takes LTO's gain away.
  for (const Factorial& f : Run8(1.2, 1.06, 1.08, 1.0 / 1.06)) {
    const FactorialEffect& e = Find(f.effects, "LTO × PGO");
    EXPECT_TRUE(e.effect.log.Contains(-std::log(1.06))) << f.metric;
    EXPECT_EQ(e.verdict, Verdict::kWorse);
    EXPECT_TRUE(Says(f, "LTO × PGO interact"));
    EXPECT_LT(f.surplus.High(), 1.0);
    EXPECT_NEAR(Find(f.given, "LTO given PGO").effect.Ratio(), 1.0, 0.02);
    EXPECT_TRUE(Says(f, "less than the"));
  }
}

TEST(Factorial, SaysThatAFlagAddsNothingOnlyWhereSure) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(1.2, 1.06, 1.08, 1.0 / 1.06);
  plan.rounds = 30;
  plan.noise = 0.005;
  plan.models = {"smollm2-135m-q8_0"};
  const auto run = MakeSyntheticRun(plan);
  const auto results = AnalyzeFactorial(run.info, Series(run.samples), {});
  EXPECT_TRUE(
      Says(results.at(0), "LTO adds nothing to decode of smollm2-135m-q8_0 once PGO is on"));
  plan.noise = 0.05;
  const auto noisy = MakeSyntheticRun(plan);
  EXPECT_FALSE(Says(AnalyzeFactorial(noisy.info, Series(noisy.samples), {}).at(0), "adds nothing"));
}

TEST(Factorial, EachToolchainHasItsOwn) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(1.25, 1.02, 1.08);
  for (Planted p : FactorialVariants(1.10, 1.02, 1.08)) {
    p.name += "@clang";
    plan.variants.push_back(p);
  }
  plan.models = {"smollm2-135m-q8_0"};
  plan.noise = 0.003;
  auto run = MakeSyntheticRun(plan);
  for (VariantInfo& v : run.info.variants) {
    if (v.name.ends_with("@clang")) v.toolchain = "clang";
  }
  const auto results = AnalyzeFactorial(run.info, Series(run.samples), {});
  ASSERT_EQ(results.size(), 4u);  // two toolchains, decode and prefill
  for (const Factorial& f : results) {
    const double native = f.toolchain == "clang" ? 1.10 : 1.25;
    EXPECT_NEAR(Find(f.effects, "native").effect.Ratio(), native, 0.01) << f.toolchain;
    EXPECT_EQ(f.variants[0], f.toolchain == "clang" ? "o2@clang" : "o2");
    EXPECT_TRUE(Says(f, "with " + f.toolchain));
  }
}

// One model's tables, decode and prefill; `native`: that flag's planted effect, no other has one.
std::vector<Factorial> OverLayouts(int layouts, double sigma, double native, int rounds,
                                   double noise) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(native, 1.0, 1.0);
  for (Planted& p : plan.variants) p.layout_sigma = sigma;
  plan.models = {"smollm2-135m-q8_0"};
  plan.layouts = layouts;
  plan.rounds = rounds;
  plan.noise = noise;
  const auto run = MakeSyntheticRun(plan);
  return AnalyzeFactorial(run.info, Series(run.samples), {});
}

TEST(Factorial, LayoutsAreTheUnitsWhereThereAreSeveral) {
  for (const Factorial& f : OverLayouts(4, 0.03, 1.0, 20, 0.002)) {
    EXPECT_EQ(f.rounds, 20u);
    EXPECT_EQ(f.layouts, 4u);
    for (const FactorialEffect& e : f.effects) {
      EXPECT_EQ(e.effect.units, 4u);
      EXPECT_EQ(e.verdict, Verdict::kUnclear) << e.name;  // the luck of a layout is no effect
    }
  }
}

// Three layouts, their luck 0.5 %: each effect has two degrees of freedom of its own, the table
// fourteen.
TEST(Factorial, FewLayoutsAreEnoughForAnEffect) {
  const std::vector<Factorial> tables = OverLayouts(3, 0.005, 1.05, 8, 0.003);
  ASSERT_EQ(tables.size(), 2u);
  for (const Factorial& f : tables) {
    for (const FactorialEffect& e : f.effects) {
      EXPECT_EQ(e.effect.units, 3u);
      EXPECT_EQ(e.verdict == Verdict::kBetter, e.name == "native") << e.name;
      EXPECT_NE(e.verdict, Verdict::kWorse) << e.name;
    }
  }
}

TEST(Factorial, NeedsAllEight) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants();
  plan.variants.erase(plan.variants.begin() + 2);
  const auto run = MakeSyntheticRun(plan);
  EXPECT_TRUE(AnalyzeFactorial(run.info, Series(run.samples), {}).empty());
}

}  // namespace
}  // namespace smallmind::harness
