#include "harness/claims.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "harness/analysis.h"
#include "harness/testing/synthetic_run.h"

namespace smallmind::harness {
namespace {

TEST(Claims, RangeRule) {
  using V = ClaimVerdict;
  const auto judge = [](double low, double high) {
    return JudgeRange({0.5 * (low + high), low, high, 0.95}, 1.1, 1.3);
  };
  EXPECT_EQ(judge(1.12, 1.2), V::kConfirmed);
  EXPECT_EQ(judge(1.1, 1.3), V::kConfirmed);
  EXPECT_EQ(judge(1.05, 1.2), V::kInconclusive);
  EXPECT_EQ(judge(1.25, 1.35), V::kInconclusive);
  EXPECT_EQ(judge(1.0, 1.5), V::kInconclusive);
  EXPECT_EQ(judge(0.9, 1.09), V::kRefuted);
  EXPECT_EQ(judge(1.31, 1.4), V::kRefuted);
  EXPECT_EQ(judge(-std::numeric_limits<double>::infinity(), 1.0), V::kInconclusive);
  EXPECT_EQ(JudgeRange({}, 1.0, 2.0), V::kInconclusive);
}

std::map<std::string, Claim> ById(const std::vector<Claim>& claims, const std::string& model) {
  std::map<std::string, Claim> map;
  for (const Claim& c : claims) {
    if (c.regime.model.empty() || c.regime.model == model) map[c.id] = c;
  }
  return map;
}

TEST(Claims, PlantedAnswers) {
  SyntheticPlan plan;
  // native 1.25x: outside 0.9-1.1x and outside 5-10 %; native-pgo 1.25 * 0.94 = 1.175:
  // inside 1.1-1.3x.
  plan.variants = FactorialVariants(1.25, 1.0, 0.94);
  const auto run = MakeSyntheticRun(plan);
  const auto claims = ById(Analyze(run.info, run.samples).claims, "stories15m-q8_0");
  EXPECT_EQ(claims.at("throughput-nativeaot-decode_tps").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("throughput-nativeaot-pgo-decode_tps").verdict, ClaimVerdict::kConfirmed);
  EXPECT_EQ(claims.at("throughput-tier0-decode_tps").verdict, ClaimVerdict::kConfirmed);
  EXPECT_EQ(claims.at("steady-decode_tps").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("startup-nativeaot").verdict, ClaimVerdict::kConfirmed);
  EXPECT_EQ(claims.at("startup-jit").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("size-nativeaot").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("startup-vs-tier0").verdict,
            ClaimVerdict::kRefuted);  // 8.1x
  EXPECT_EQ(claims.at("memory-vs-jit").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("identical-outputs").verdict, ClaimVerdict::kConfirmed);
  EXPECT_NEAR(claims.at("throughput-nativeaot-decode_tps").measured.estimate, 1.25, 0.03);
  EXPECT_EQ(claims.at("lowest-ttft-vs-nativeaot").verdict,
            ClaimVerdict::kRefuted);  // pgo was planted slower
}

TEST(Claims, NoisyRunsStayInconclusive) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(1.10, 1.0, 1.0);  // at the very edge
  plan.noise = 0.05;
  const auto run = MakeSyntheticRun(plan);
  const auto claims = ById(Analyze(run.info, run.samples).claims, "stories15m-q8_0");
  EXPECT_EQ(claims.at("throughput-nativeaot-decode_tps").verdict, ClaimVerdict::kInconclusive);
}

TEST(Claims, WhatWasNotMeasuredIsInconclusiveAndSaysSo) {
  SyntheticPlan plan;
  plan.variants = {FactorialVariants()[0]};
  const auto run = MakeSyntheticRun(plan);
  size_t missing = 0;
  for (const Claim& c : Analyze(run.info, run.samples).claims) {
    if (c.regime.model.empty() && c.id != "identical-outputs" && c.id != "size-jit") {
      ++missing;
      EXPECT_EQ(c.verdict, ClaimVerdict::kInconclusive) << c.id;
      EXPECT_EQ(c.reason, "not measured in this run") << c.id;
      EXPECT_NE(c.judged.find("(not in this run)"), std::string::npos) << c.judged;
    }
  }
  EXPECT_EQ(missing, 23u);  // of 26: all but the reference's startup and size, and identity
}

// Startup of 9 ms, "instant" by at most 10; a neighbour makes rounds twice as slow.
TEST(Claims, AbsoluteFiguresRestOnCleanRounds) {
  const auto startup = [](int clean_rounds) {
    SyntheticPlan plan;
    plan.variants = FactorialVariants();
    plan.variants[4].startup_ms = 9.0;
    plan.drift = 0.0;
    plan.rounds = 12;
    plan.hog = [=](int round, const std::string& variant) {
      return round >= clean_rounds && variant == "native" ? 2.0 : 1.0;
    };
    const auto run = MakeSyntheticRun(plan);
    return ById(Analyze(run.info, run.samples).claims, "stories15m-q8_0").at("startup-nativeaot");
  };
  const Claim half = startup(6);
  EXPECT_NEAR(half.measured.estimate, 9.0, 0.3);
  EXPECT_EQ(half.verdict, ClaimVerdict::kInconclusive);
  EXPECT_EQ(half.reason, "with the contaminated samples the verdict would be another");
  EXPECT_EQ(startup(12).verdict, ClaimVerdict::kConfirmed);
  const Claim few = startup(4);  // fewer than five: all rounds
  EXPECT_GT(few.measured.estimate, 12.0);
}

// 1.2 times the reference, claimed 1.1 to 1.3. Neighbours slow three rounds of each side: the
// centre stays, and so does "better", but the interval of all rounds reaches across the edges.
TEST(Claims, RatiosRestOnCleanRounds) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(1.0, 1.0, 1.2);
  plan.rounds = 12;
  const auto claim = [&] {
    const auto run = MakeSyntheticRun(plan);
    const Comparison pair =
        ComparePair(Series(run.samples), "native-pgo", "o2", kSmall, "decode_tps", {});
    EXPECT_FALSE(pair.contamination_matters);
    return ById(Analyze(run.info, run.samples).claims, kSmall.model)
        .at("throughput-nativeaot-pgo-decode_tps");
  };
  EXPECT_EQ(claim().verdict, ClaimVerdict::kConfirmed);
  plan.hog = [](int round, const std::string& variant) {
    const bool slowed = round >= 9 ? variant == "o2" : round >= 6 && variant == "native-pgo";
    return slowed ? 1.3 : 1.0;
  };
  const Claim disturbed = claim();
  EXPECT_EQ(disturbed.verdict, ClaimVerdict::kInconclusive);
  EXPECT_EQ(disturbed.reason, "with the contaminated samples the verdict would be another");
}

// Whichever of the guide's modes a run has, its claims are the same ones.
TEST(Claims, AreAsManyWhoeverIsMeasured) {
  const auto ids = [](size_t variants) {
    SyntheticPlan plan;
    plan.variants = FactorialVariants();
    plan.variants.resize(variants);
    const auto run = MakeSyntheticRun(plan);
    std::set<std::string> found;
    for (const Claim& c : Analyze(run.info, run.samples).claims) found.insert(c.id);
    return found;
  };
  EXPECT_EQ(ids(1), ids(9));
  EXPECT_EQ(ids(5), ids(9));  // without native-pgo and tier0
  EXPECT_EQ(ids(9).size(), 26u);
}

TEST(Claims, ATallyCountsClaimsAndNotModels) {
  using V = ClaimVerdict;
  std::vector<Claim> claims;
  for (const auto& [id, model, verdict] : {std::tuple{"a", "small", V::kConfirmed},
                                           {"a", "large", V::kConfirmed},
                                           {"b", "small", V::kConfirmed},
                                           {"b", "large", V::kRefuted},
                                           {"c", "small", V::kRefuted},
                                           {"c", "large", V::kRefuted},
                                           {"d", "", V::kRefuted},
                                           {"e", "small", V::kInconclusive}}) {
    Claim& c = claims.emplace_back();
    c.id = id;
    c.regime.model = model;
    c.verdict = verdict;
  }
  const ClaimTally tally = TallyClaims(claims);
  EXPECT_EQ(tally.claims, 5u);
  EXPECT_EQ(tally.confirmed, 1u);
  EXPECT_EQ(tally.refuted, 2u);
  EXPECT_EQ(tally.inconclusive, 2u);
}

TEST(Claims, OneDifferingOutputRefutesIdentity) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants();
  plan.variants[4].logits_hash = "0000000000000000";
  const auto run = MakeSyntheticRun(plan);
  const auto claims = ById(Analyze(run.info, run.samples).claims, "stories15m-q8_0");
  EXPECT_EQ(claims.at("identical-outputs").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("throughput-nativeaot-decode_tps").verdict, ClaimVerdict::kInconclusive);
}

}  // namespace
}  // namespace smallmind::harness
