// Breakdown, roofline, waterfall and footprint: planted causes must be named.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/analysis.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

SyntheticPlan Two(double speed) {
  SyntheticPlan plan;
  Planted o2, other;
  o2.name = "o2";
  other.name = "other";
  other.speed = speed;
  plan.variants = {o2, other};
  return plan;
}

TEST(Breakdown, NamesThePlantedSlowKernel) {
  SyntheticPlan plan = Two(1.0);
  plan.variants[1].slow_matmul = 1.15;
  plan.drift = 0.02;
  const auto run = MakeSyntheticRun(plan);
  const auto rows = ExplainDifferences(Series(run.samples), "o2", {});
  ASSERT_EQ(rows.size(), 2u);
  for (const Breakdown& b : rows) {
    EXPECT_EQ(b.kernels.front().name, "matmul");
    EXPECT_GT(b.kernels.front().delta_ms.low, 0.0);
    EXPECT_NE(b.sentence.find("loses"), std::string::npos);
    EXPECT_NE(b.sentence.find("matmul"), std::string::npos);
  }
}

TEST(Breakdown, AmongEqualsNoKernelIsBlamed) {
  size_t said = 0, rows = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SyntheticPlan plan = Two(1.0);
    plan.seed = seed;
    const auto run = MakeSyntheticRun(plan);
    for (const Breakdown& b : ExplainDifferences(Series(run.samples), "o2", {})) {
      ++rows;
      said += !b.sentence.empty();
    }
  }
  EXPECT_EQ(rows, 40u);
  EXPECT_LE(said, 4u);  // 5 % of 40 is 2
}

TEST(Breakdown, PhasesFollowTheSpeed) {
  const auto run = MakeSyntheticRun(Two(1.25));
  for (const Breakdown& b : ExplainDifferences(Series(run.samples), "o2", {})) {
    EXPECT_LT(b.total_ms.high, 0.0);
    EXPECT_EQ(b.phases.size(), 3u);
    EXPECT_LT(b.phases[2].delta_ms.high, 0.0);
    EXPECT_NE(b.sentence.find("saves"), std::string::npos);
  }
}

// A run's slow rows run one repetition where the reference runs three.
void KeepOneRepetition(Sample& s) {
  s.reps.resize(1);
  for (auto& [name, time] : s.kernels) time.ns /= 3;
}

TEST(Breakdown, ARowOfFewerRepetitionsIsComparedByTheRepetition) {
  SyntheticPlan plan = Two(0.1);
  plan.drift = 0.0;
  auto run = MakeSyntheticRun(plan);
  for (Sample& s : run.samples) {
    if (s.variant == "other") KeepOneRepetition(s);
  }
  const auto rows = ExplainDifferences(Series(run.samples), "o2", {});
  ASSERT_EQ(rows.size(), 2u);
  for (const Breakdown& b : rows) {
    for (const BreakdownPart& part : {b.phases[1], b.phases[2], b.kernels.front()}) {
      EXPECT_NEAR(part.variant_ms / part.reference_ms, 10.0, 0.5) << part.name;
    }
    EXPECT_NEAR(b.total_ms.estimate, b.phases[1].delta_ms.estimate + b.phases[2].delta_ms.estimate,
                0.02 * b.total_ms.estimate);
    EXPECT_NE(b.sentence.find("ms a repetition in matmul"), std::string::npos) << b.sentence;
  }
}

TEST(Instructions, PlantedCountsComeBackAsRatiosBesideTheTime) {
  SyntheticPlan plan = Two(0.5);
  plan.variants.push_back(plan.variants[1]);
  plan.variants[2].name = "wide";
  auto run = MakeSyntheticRun(plan);
  run.info.instructions = {{"o2", "stories15m-q8_0", "AVX2", 1e6, 10e6},
                           {"other", "stories15m-q8_0", "AVX2", 1.01e6, 20e6},
                           {"wide", "stories15m-q8_0"}};
  run.info.instructions[2].reason = "compiled for AVX3 alone";
  const Analysis a = Analyze(run.info, run.samples);
  ASSERT_EQ(a.instructions.size(), 6u);
  const InstructionRatio& prefill = a.instructions[2];
  EXPECT_EQ(prefill.work, "prefill");
  EXPECT_DOUBLE_EQ(prefill.ratio, 1.01);
  EXPECT_EQ(prefill.sentence, "");  // as many
  const InstructionRatio& decode = a.instructions[3];
  EXPECT_DOUBLE_EQ(decode.ratio, 2.0);
  EXPECT_NEAR(decode.time_ratio, 2.0, 0.1);
  EXPECT_TRUE(decode.time_clear);
  EXPECT_EQ(decode.regime, kSmall);
  EXPECT_EQ(decode.sentence.find(
                "other executes 2.00 times o2's instructions a generated token of stories15m-q8_0 "
                "and takes "),
            0u)
      << decode.sentence;
  EXPECT_TRUE(std::isnan(a.instructions[4].count));
  EXPECT_EQ(a.instructions[4].reason, "compiled for AVX3 alone");
  EXPECT_EQ(a.instructions[0].sentence, "");
}

TEST(Warnings, AVariantWhoseCodeIsTheReferencesIsNamed) {
  auto run = MakeSyntheticRun(Two(1.0));
  run.info.variants[0].size.text_hash = "0123456789abcdef";
  const auto named = [&](const char* hash) {
    run.info.variants[1].size.text_hash = hash;
    const auto warnings = Analyze(run.info, run.samples).warnings;
    return std::ranges::count_if(warnings, [](const std::string& w) {
      return w.starts_with("other: its code is that of o2");
    });
  };
  EXPECT_EQ(named("0123456789abcdef"), 1);
  EXPECT_EQ(named("1123456789abcdef"), 0);
  EXPECT_EQ(named(""), 0);
}

TEST(Instructions, HardwareCountersAreComparedProcessByProcess) {
  auto run = MakeSyntheticRun(Two(1.0));
  for (Sample& s : run.samples) {
    s.counters["instructions"] = (s.variant == "other" ? 3e9 : 2e9) * (1 + s.round);
  }
  const Analysis a = Analyze(run.info, run.samples);
  ASSERT_EQ(a.instructions.size(), 4u);  // two variants on two models
  EXPECT_EQ(a.instructions[1].source, "counters");
  EXPECT_EQ(a.instructions[1].work, "process");
  EXPECT_NEAR(a.instructions[1].ratio, 1.5, 1e-12);  // whatever a round's size
}

TEST(Instructions, ProcessesOfUnlikeRepetitionsAreNotCompared) {
  auto run = MakeSyntheticRun(Two(1.0));
  for (Sample& s : run.samples) {
    s.counters["instructions"] = 2e9;
    if (s.variant == "other") s.reps.resize(1);
  }
  const Analysis a = Analyze(run.info, run.samples);
  ASSERT_EQ(a.instructions.size(), 4u);
  EXPECT_EQ(a.instructions[1].count, 2e9);
  EXPECT_TRUE(std::isnan(a.instructions[1].ratio));
  EXPECT_TRUE(std::isnan(a.instructions[1].time_ratio));
}

std::string RooflineOf(double speed, double read_gbps, const std::string& l3, Bound* bound) {
  SyntheticPlan plan = Two(speed);
  plan.drift = 0.0;
  auto run = MakeSyntheticRun(plan);
  run.info.ceilings = {
      {"read_gbps", 4, read_gbps, -1}, {"read_gbps", 1, 10.0, -1}, {"int8_gops", 4, 670.0, -1}};
  if (!l3.empty()) run.info.environment.caches["L3"] = l3;
  const Series series(run.samples);
  for (const RooflinePoint& p : PlaceOnRoofline(run.info, series, Summarise(series, {}))) {
    if (p.variant == "other" && p.regime == kLarge && p.work == "decode") {
      *bound = p.bound;
      return p.sentence;
    }
  }
  return "";
}

TEST(Roofline, SentencesFollowThePosition) {
  Bound bound = Bound::kUnknown;
  // 170 tok/s x 142.9 MB = 24.3 GB/s.
  EXPECT_NE(RooflineOf(1.0, 25.8, "", &bound).find("bandwidth-bound at 94."), std::string::npos);
  EXPECT_EQ(bound, Bound::kMemory);
  EXPECT_NE(RooflineOf(1.0, 50.0, "", &bound).find("faster code can help"), std::string::npos);
  EXPECT_EQ(bound, Bound::kOverhead);
  for (double ceiling : {50.0, 25.8}) {  // at 49 and 94 % of memory's speed
    EXPECT_NE(RooflineOf(1.0, ceiling, "256 MiB x 1", &bound)
                  .find("cannot tell whether that is its limit; the weights would fit the"),
              std::string::npos);
    EXPECT_EQ(bound, Bound::kUnknown);
  }
  RooflineOf(1.0, 250.0, "256 MiB x 1", &bound);
  EXPECT_EQ(bound, Bound::kOverhead);  // a tenth of memory's speed: a cache would give more
  EXPECT_NE(RooflineOf(1.0, 15.0, "", &bound).find("come from cache"), std::string::npos);
  EXPECT_EQ(bound, Bound::kCache);  // above the memory's ceiling: it cannot come from memory
}

// Of one engine on the larger model: decode, then prefill.
std::vector<RooflinePoint> PointsOf(const std::function<void(RunInfo*)>& change) {
  SyntheticPlan plan = Two(1.0);
  plan.drift = 0.0;
  auto run = MakeSyntheticRun(plan);
  run.info.ceilings = {{"read_gbps", 4, 40.0, -1},
                       {"int8_gops", 4, 800.0, -1},
                       {"fma_gflops", 4, 200.0, -1},
                       {"bf16_gflops", 4, 400.0, -1}};
  change(&run.info);
  const Series series(run.samples);
  std::vector<RooflinePoint> points;
  for (RooflinePoint& p : PlaceOnRoofline(run.info, series, Summarise(series, {}))) {
    if (p.variant == "other" && p.regime == kLarge) points.push_back(std::move(p));
  }
  return points;
}

TEST(Roofline, CountsWhatTheEngineSaysOfAToken) {
  const auto all = PointsOf([](RunInfo*) {});
  ASSERT_EQ(all.size(), 2u);
  const auto said = PointsOf([](RunInfo* run) {
    for (ModelInfo& m : run->models) {
      m.token_bytes = m.weight_bytes / 2;
      m.prompt_ops = m.params;  // half of the two that a parameter costs
    }
  });
  EXPECT_NEAR(said[0].achieved, all[0].achieved / 2, 1e-9);
  EXPECT_NEAR(said[1].achieved, all[1].achieved / 2, 1e-9);
  const auto several = PointsOf([](RunInfo* run) {
    for (Workload& w : run->workloads) w.sequences = 4;
  });
  EXPECT_NEAR(several[0].achieved, all[0].achieved / 4, 1e-9);
  EXPECT_NEAR(several[1].achieved, all[1].achieved, 1e-9);
  const auto cached = PointsOf([](RunInfo* run) {
    for (Workload& w : run->workloads) w.prompt_tokens = 1000, w.gen_tokens = 48;
    for (ModelInfo& m : run->models) m.position_bytes = m.weight_bytes / 1024;
  });
  EXPECT_NEAR(cached[0].achieved, all[0].achieved * 2, 1e-3);
}

TEST(Roofline, TheShareIsTakenWithinARound) {
  SyntheticPlan plan = Two(1.0);
  plan.drift = 0.3;
  auto run = MakeSyntheticRun(plan);
  for (const Sample& s : run.samples) {  // ceilings that drift as the large model's decode does
    if (s.variant != "other" || s.model != kLarge.model) continue;
    run.info.ceilings.push_back(
        {"read_gbps", 4, s.metrics.at("decode_tps") * 142.9e-3 / 0.9, s.round});
  }
  const Series series(run.samples);
  for (const RooflinePoint& p : PlaceOnRoofline(run.info, series, Summarise(series, {}))) {
    if (p.variant != "other" || p.regime != kLarge || p.work != "decode") continue;
    EXPECT_NEAR(p.fraction.estimate, 0.9, 1e-9);
    EXPECT_NEAR(p.fraction.low, 0.9, 1e-9);
    EXPECT_NEAR(p.fraction.high, 0.9, 1e-9);
    EXPECT_EQ(p.bound, Bound::kMemory);
  }
}

TEST(Roofline, EveryWeightTypeHasItsArithmeticsCeiling) {
  for (const auto& [type, ceiling] : {std::pair{"Q4_0", "int8_gops"},
                                      {"F16", "fma_gflops"},
                                      {"F32", "fma_gflops"},
                                      {"BF16", "bf16_gflops"}}) {
    const auto points = PointsOf([&, &weight_type = type](RunInfo* run) {
      for (ModelInfo& m : run->models) m.weight_type = weight_type;
    });
    EXPECT_EQ(points[0].ceiling_name, "read_gbps");
    EXPECT_EQ(points[1].ceiling_name, ceiling) << type;
  }
}

TEST(Roofline, WithoutCeilingsNothingIsClaimed) {
  auto run = MakeSyntheticRun(Two(1.0));
  run.info.ceilings.clear();
  const Series series(run.samples);
  for (const RooflinePoint& p : PlaceOnRoofline(run.info, series, Summarise(series, {}))) {
    EXPECT_EQ(p.bound, Bound::kUnknown);
    EXPECT_EQ(p.sentence, "");
    EXPECT_GT(p.achieved, 0.0);
  }
}

TEST(Roofline, ReadsCacheSizes) {
  Environment e;
  EXPECT_EQ(LastLevelCacheBytes(e), 0);
  e.caches["L2"] = "1024 KiB x 4";
  EXPECT_EQ(LastLevelCacheBytes(e), 1 << 20);
  e.caches["L3"] = "32 MiB x 2";
  EXPECT_EQ(LastLevelCacheBytes(e), 32 << 20);
}

TEST(Waterfall, PhasesAddUpToTheFirstToken) {
  auto run = MakeSyntheticRun(Two(1.0));
  run.info.variants[0].size.sections[".rela.dyn"] = 2400;
  const auto falls = DrawWaterfalls(run.info, Series(run.samples), {});
  ASSERT_EQ(falls.size(), 4u);
  ASSERT_EQ(falls[0].phases.size(), 6u);
  // Planted: 25, 5, 20, 30 and 20 % of a startup of 4 ms.
  EXPECT_NEAR(falls[0].phases[0].length_ms, 1.0, 0.15);
  EXPECT_EQ(falls[0].phases[0].name, "loader");
  EXPECT_NEAR(falls[0].phases[2].length_ms, 0.8, 0.15);
  EXPECT_NEAR(falls[0].phases[5].start_ms, 4.0, 0.5);
  EXPECT_EQ(falls[0].phases[1].minor_faults, 20.0);  // 100 up to loaded, 120 up to main
  EXPECT_EQ(falls[0].phases[2].minor_faults, 80.0);
  EXPECT_EQ(falls[0].phases[2].major_faults, 1.0);
  EXPECT_TRUE(std::isnan(falls[0].phases[4].minor_faults));  // not reported: unknown, not zero
  EXPECT_EQ(falls[0].relocations, 100);
  EXPECT_EQ(falls[1].relocations, 0);
  EXPECT_EQ(falls[0].minor_faults, 900.0);
  for (size_t i = 1; i < falls[0].phases.size(); ++i) {
    const WaterfallPhase& before = falls[0].phases[i - 1];
    EXPECT_DOUBLE_EQ(falls[0].phases[i].start_ms, before.start_ms + before.length_ms);
  }
}

TEST(Footprint, FoldsSuffixes) {
  bool cold = false;
  EXPECT_EQ(FoldSymbol("_ZN3FooEv.part.0.cold", &cold), "_ZN3FooEv");
  EXPECT_TRUE(cold);
  EXPECT_EQ(FoldSymbol("_ZN3FooEv.isra.12.constprop.3", &cold), "_ZN3FooEv");
  EXPECT_FALSE(cold);
  EXPECT_EQ(FoldSymbol("bar.lto_priv.5"), "bar");
  EXPECT_EQ(FoldSymbol("bar.llvm.123456789"), "bar");
  EXPECT_EQ(FoldSymbol("bar.localalias"), "bar");
  EXPECT_EQ(FoldSymbol("guard.1"), "guard.1");
  EXPECT_EQ(FoldSymbol(".hidden"), ".hidden");
  EXPECT_EQ(FoldSymbol("plain"), "plain");
}

TEST(Footprint, JoinsFunctionsAndHeat) {
  SyntheticPlan plan = Two(1.1);
  plan.variants[1].stripped_bytes = 2'102'400;
  const auto run = MakeSyntheticRun(plan);
  const Series series(run.samples);
  const std::string hot = "_ZN9smallmind11N_AVX3_ZEN46MatMulEv",
                    other = "_ZN9smallmind6N_SSE26MatMulEv";
  const std::map<std::string, std::vector<SymbolSize>> symbols = {
      {"o2",
       {{hot, ".text", 1000, true}, {other, ".text", 800, true}, {"_Z4Loadv", ".text", 300, true}}},
      {"other",
       {{hot + ".lto_priv.0", ".text", 1500, true},
        {hot + ".cold", ".text.unlikely", 200, true},
        {other, ".text", 800, true},
        {"table", ".rodata", 5000, false},
        {"_Z3Newv.part.0", ".text", 50, true}}}};
  const auto prints = MeasureFootprints(run.info, symbols, Compare(series, "o2", {}));
  ASSERT_EQ(prints.size(), 2u);
  const Footprint& f = prints[1];
  EXPECT_EQ(f.heat_bytes.at("running target"), 1500);
  EXPECT_EQ(f.heat_bytes.at("other targets"), 800);
  EXPECT_EQ(f.heat_bytes.at("cold"), 200);
  EXPECT_EQ(f.heat_delta.at("other code"), 50 - 300);
  ASSERT_EQ(f.functions.size(), 3u);
  EXPECT_EQ(f.functions[0].name, "smallmind::N_AVX3_ZEN4::MatMul()");
  EXPECT_EQ(f.functions[0].variant_bytes, 1700);  // the cold part is a part of it
  EXPECT_NEAR(f.speed_gain, 0.1, 0.02);
  EXPECT_NEAR(f.gain_per_kib, 0.1 / 100.0, 0.0003);
  EXPECT_TRUE(prints[0].functions.empty());
  // On a machine without the binaries the record keeps what it knew.
  auto later = MeasureFootprints(run.info, {}, Compare(series, "o2", {}));
  EXPECT_TRUE(later[1].heat_bytes.empty());
  RestoreSymbols(later, Json{{"footprint", prints}});
  EXPECT_EQ(Json(later), Json(prints));
}

}  // namespace
}  // namespace smallmind::harness
