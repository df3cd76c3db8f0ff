#include "harness/claims.h"

#include <gtest/gtest.h>

#include <map>

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
  EXPECT_EQ(claims.at("throughput-native-decode_tps").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("throughput-native-pgo-decode_tps").verdict, ClaimVerdict::kConfirmed);
  EXPECT_EQ(claims.at("throughput-tier0-decode_tps").verdict, ClaimVerdict::kConfirmed);
  EXPECT_EQ(claims.at("steady-decode_tps").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("startup-native").verdict, ClaimVerdict::kConfirmed);
  EXPECT_EQ(claims.at("startup-o2").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("size-native").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("startup-vs-tier0").verdict, ClaimVerdict::kRefuted);  // 8.1x
  EXPECT_EQ(claims.at("memory-vs-o2").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("identical-outputs").verdict, ClaimVerdict::kConfirmed);
  EXPECT_NEAR(claims.at("throughput-native-decode_tps").measured.estimate, 1.25, 0.03);
  EXPECT_EQ(claims.at("lowest-ttft-vs-native").verdict,
            ClaimVerdict::kRefuted);  // pgo was planted slower
}

TEST(Claims, NoisyRunsStayInconclusive) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants(1.10, 1.0, 1.0);  // at the very edge
  plan.noise = 0.05;
  const auto run = MakeSyntheticRun(plan);
  const auto claims = ById(Analyze(run.info, run.samples).claims, "stories15m-q8_0");
  EXPECT_EQ(claims.at("throughput-native-decode_tps").verdict, ClaimVerdict::kInconclusive);
}

TEST(Claims, WhatWasNotMeasuredIsInconclusiveAndSaysSo) {
  SyntheticPlan plan;
  plan.variants = {FactorialVariants()[0]};
  const auto run = MakeSyntheticRun(plan);
  for (const Claim& c : Analyze(run.info, run.samples).claims) {
    if (c.variant.empty()) {
      EXPECT_EQ(c.verdict, ClaimVerdict::kInconclusive) << c.id;
      EXPECT_NE(c.reason, "") << c.id;
    }
  }
}

TEST(Claims, OneDifferingOutputRefutesIdentity) {
  SyntheticPlan plan;
  plan.variants = FactorialVariants();
  plan.variants[4].logits_hash = "0000000000000000";
  const auto run = MakeSyntheticRun(plan);
  const auto claims = ById(Analyze(run.info, run.samples).claims, "stories15m-q8_0");
  EXPECT_EQ(claims.at("identical-outputs").verdict, ClaimVerdict::kRefuted);
  EXPECT_EQ(claims.at("throughput-native-decode_tps").verdict, ClaimVerdict::kInconclusive);
}

}  // namespace
}  // namespace smallmind::harness
