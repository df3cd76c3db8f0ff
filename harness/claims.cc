// Words become ranges once, here, before any number is seen: "~50 ms" and "~50 MB" mean within a
// factor of two; "instant" means at most 10 ms; "lowest" means lower than every other mode of the
// guide's table. Tested with intervals on each side of each edge, and on synthetic runs
// (claims_test.cc).
#include "harness/claims.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "harness/claim_bench.h"

namespace smallmind::harness {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct GuideMode {
  const char* id;
  const char* mode;
  const char* guide_row;
  const char* startup;
  const char* throughput;
  const char* size;
  const char* ttft;
};

constexpr GuideMode kModes[] = {
    {"tier0", "JIT (Tier 0)", "JIT, Tier-0", "~50 ms", "slow", "~50 MB", "high"},
    {"jit", "JIT (Tier 1 + PGO)", "JIT", "~50 ms", "1.0x", "~50 MB", "medium"},
    {"nativeaot", "NativeAOT", "NativeAOT", "instant", "0.9-1.1x", "~80 MB", "low"},
    {"nativeaot-pgo", "NativeAOT + PGO", "NativeAOT + PGO", "instant", "1.1-1.3x", "~80 MB",
     "lowest"},
    {"production", "recommended production flags", "production", "", "", "", ""},
};

std::string VariantOf(const RunInfo& run, const GuideMode& mode) {
  const VariantInfo* reference = FindVariant(run, run.reference);
  for (const VariantInfo& v : run.variants) {
    // By name too: older records have no guide_row for the production row.
    if ((v.guide_row == mode.guide_row || v.name == mode.guide_row) &&
        (reference == nullptr || v.toolchain == reference->toolchain)) {
      return v.name;
    }
  }
  return "";
}

// One of the guide's modes, and the variant that plays its part; empty where none does.
struct Player {
  Player(const RunInfo& run, const GuideMode& mode)
      : id(mode.id), mode(mode.mode), variant(VariantOf(run, mode)) {}

  std::string Name() const { return variant.empty() ? mode + " (not in this run)" : variant; }

  std::string id, mode, variant;
};

Claim Make(std::string id, std::string statement, const Player& player, std::string metric,
           std::string expected, double low, double high, std::string unit = "") {
  Claim c;
  c.id = std::move(id);
  c.statement = std::move(statement);
  c.variant = player.variant;
  c.judged = player.Name();
  c.metric = std::move(metric);
  c.expected = std::move(expected);
  c.expected_low = low;
  c.expected_high = high;
  c.unit = std::move(unit);
  return c;
}

Claim Against(const Player& baseline, Claim c) {
  c.baseline = baseline.variant;
  c.judged += " against " + baseline.Name();
  return c;
}

}  // namespace

std::string ToString(ClaimVerdict verdict) {
  switch (verdict) {
    case ClaimVerdict::kConfirmed:
      return "confirmed";
    case ClaimVerdict::kRefuted:
      return "refuted";
    case ClaimVerdict::kInconclusive:
      return "inconclusive";
  }
  return "inconclusive";
}

ClaimVerdict JudgeRange(const stats::Interval& measured, double expected_low,
                        double expected_high) {
  if (!std::isfinite(measured.low) || !std::isfinite(measured.high))
    return ClaimVerdict::kInconclusive;
  if (measured.low >= expected_low && measured.high <= expected_high)
    return ClaimVerdict::kConfirmed;
  if (measured.low > expected_high || measured.high < expected_low) return ClaimVerdict::kRefuted;
  return ClaimVerdict::kInconclusive;
}

std::vector<GuideRow> GuideTable(const RunInfo& run) {
  std::vector<GuideRow> rows;
  for (const GuideMode& mode : kModes) {
    rows.push_back(
        {mode.mode, VariantOf(run, mode), mode.startup, mode.throughput, mode.size, mode.ttft});
  }
  return rows;
}

std::vector<Claim> JudgeClaims(const RunInfo& run, const Series& series,
                               const std::vector<OutputCheck>& outputs,
                               const AnalysisOptions& options) {
  ClaimBench bench(run, series, outputs, options);
  const Player tier0(run, kModes[0]), jit(run, kModes[1]), aot(run, kModes[2]);
  const Player aot_pgo(run, kModes[3]);

  // The guide's table, row by row.
  for (const Player& jitted : {tier0, jit}) {
    bench.Absolute(Make("startup-" + jitted.id, jitted.mode + ": startup ~50 ms", jitted,
                        "startup_ms", "25-100 ms", 25.0, 100.0, "ms"));
    bench.Size(
        Make("size-" + jitted.id, jitted.mode + ": ~50 MB", jitted, "", "25-100 MB", 25, 100));
  }
  for (const Player& native : {aot, aot_pgo}) {
    bench.Absolute(Make("startup-" + native.id, native.mode + ": instant startup", native,
                        "startup_ms", "at most 10 ms", 0.0, 10.0, "ms"));
    bench.Size(
        Make("size-" + native.id, native.mode + ": ~80 MB", native, "", "40-160 MB", 40, 160));
  }
  for (const std::string metric : {"decode_tps", "prefill_tps"}) {
    const auto throughput = [&](const Player& player, const char* statement, const char* expected,
                                double low, double high) {
      bench.Ratio(Against(jit, Make("throughput-" + player.id + "-" + metric, statement, player,
                                    metric, expected, low, high)),
                  false);
    };
    throughput(tier0, "JIT (Tier 0): slow, below Tier 1", "below 1x", 0.0, 1.0);
    throughput(aot, "NativeAOT: 0.9-1.1x", "0.9-1.1x", 0.9, 1.1);
    throughput(aot_pgo, "NativeAOT + PGO: 1.1-1.3x", "1.1-1.3x", 1.1, 1.3);
    bench.Ratio(Against(jit, Make("steady-" + metric, "steady-state throughput 5-10 % higher", aot,
                                  metric, "+5 to +10 %", 5.0, 10.0, "%")),
                false);
  }
  // Its list of expected improvements, against both things that "JIT" can mean here.
  for (const Player& base : {tier0, jit}) {
    bench.Ratio(Against(base, Make("ttft-vs-" + base.id, "time to first token 2-5x faster", aot,
                                   "ttft_cold_ms", "2-5x", 2.0, 5.0)),
                true);
    bench.Ratio(Against(base, Make("startup-vs-" + base.id, "startup 10-100x faster", aot,
                                   "startup_ms", "10-100x", 10.0, 100.0)),
                true);
    bench.Ratio(Against(base, Make("memory-vs-" + base.id, "memory 10-20 % lower", aot,
                                   "peak_rss_mib", "10-20 % lower", 10.0, 20.0, "% lower")),
                false);
  }
  for (const Player& other : {tier0, jit, aot}) {
    bench.Ratio(Against(other, Make("lowest-ttft-vs-" + other.id,
                                    "NativeAOT + PGO: lowest first-token latency", aot_pgo,
                                    "ttft_cold_ms", "faster than " + other.mode, 1.0, kInfinity)),
                true);
  }
  Claim identical;
  identical.id = "identical-outputs";
  identical.statement = "all builds give identical outputs";
  identical.variant = "all built";
  identical.baseline = run.reference;
  identical.judged = "all built against " + run.reference;
  identical.expected = "identical";
  identical.expected_low = identical.expected_high = 100.0;
  bench.IdenticalOutputs(identical);
  return bench.claims;
}

ClaimTally TallyClaims(const std::vector<Claim>& claims) {
  std::map<std::string, std::set<ClaimVerdict>> verdicts;
  for (const Claim& c : claims) verdicts[c.id].insert(c.verdict);
  ClaimTally tally;
  tally.claims = verdicts.size();
  for (const auto& [id, found] : verdicts) {
    const bool agreed = found.size() == 1;
    if (agreed && *found.begin() == ClaimVerdict::kConfirmed) {
      ++tally.confirmed;
    } else if (agreed && *found.begin() == ClaimVerdict::kRefuted) {
      ++tally.refuted;
    } else {
      ++tally.inconclusive;
    }
  }
  return tally;
}

void to_json(Json& json, const ClaimTally& t) {
  json = {{"claims", t.claims},
          {"confirmed", t.confirmed},
          {"refuted", t.refuted},
          {"inconclusive", t.inconclusive}};
}

void to_json(Json& json, const Claim& c) {
  json = {{"id", c.id},
          {"statement", c.statement},
          {"variant", c.variant},
          {"baseline", c.baseline},
          {"model", c.regime.model},
          {"workload", c.regime.workload},
          {"metric", c.metric},
          {"expected", c.expected},
          {"expected_low", Number(c.expected_low)},
          {"expected_high", Number(c.expected_high)},
          {"measured", Number(c.measured.estimate)},
          {"low", Number(c.measured.low)},
          {"high", Number(c.measured.high)},
          {"unit", c.unit},
          {"verdict", ToString(c.verdict)},
          {"reason", c.reason}};
}

void to_json(Json& json, const GuideRow& r) {
  json = {{"mode", r.mode},       {"variant", r.variant},
          {"startup", r.startup}, {"throughput", r.throughput},
          {"size", r.size},       {"ttft", r.ttft}};
}

}  // namespace smallmind::harness
