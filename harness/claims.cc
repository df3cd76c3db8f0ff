// Words become ranges once, here, before any number is seen: "~50 ms" and "~50 MB" mean within a
// factor of two; "instant" means at most 10 ms; "lowest" means lower than every other mode of the
// guide's table. Tested with intervals on each side of each edge, and on synthetic runs
// (claims_test.cc).
#include "harness/claims.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace smallmind::harness {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMegabyte = 1e6;

struct Mode {
  const char* mode;
  const char* guide_row;
  const char* startup;
  const char* throughput;
  const char* size;
  const char* ttft;
};

constexpr Mode kModes[] = {
    {"JIT (Tier 0)", "JIT, Tier-0", "~50 ms", "slow", "~50 MB", "high"},
    {"JIT (Tier 1 + PGO)", "JIT", "~50 ms", "1.0x", "~50 MB", "medium"},
    {"NativeAOT", "NativeAOT", "instant", "0.9-1.1x", "~80 MB", "low"},
    {"NativeAOT + PGO", "NativeAOT + PGO", "instant", "1.1-1.3x", "~80 MB", "lowest"},
    {"recommended production flags", "production", "", "", "", ""},
};

std::string VariantOf(const RunInfo& run, const Mode& mode) {
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

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, std::fabs(value) < 10 ? "%.2f" : "%.1f", value);
  return text;
}

std::string Explain(const Claim& c) {
  const bool exact = c.measured.low == c.measured.high;
  const std::string what = exact ? Figure(c.measured.low) + " " + c.unit + " lies "
                                 : "the whole interval, " + Figure(c.measured.low) + "-" +
                                       Figure(c.measured.high) + " " + c.unit + ", lies ";
  switch (c.verdict) {
    case ClaimVerdict::kConfirmed:
      return what + "inside";
    case ClaimVerdict::kRefuted:
      return what + (c.measured.low > c.expected_high ? "above" : "below");
    case ClaimVerdict::kInconclusive:
      return std::isfinite(c.measured.low) && std::isfinite(c.measured.high)
                 ? "the interval, " + Figure(c.measured.low) + "-" + Figure(c.measured.high) + " " +
                       c.unit + ", reaches across an edge"
                 : "too few rounds for an interval";
  }
  return "";
}

// The judge with everything it looks up.
class Bench {
 public:
  Bench(const RunInfo& run, const Series& series, const std::vector<MetricSummary>& summaries,
        const std::vector<OutputCheck>& outputs, const AnalysisOptions& options)
      : run_(run), series_(series), summaries_(summaries), outputs_(outputs), options_(options) {}

  std::vector<Claim> claims;

  // `gain`: the claim speaks of "times faster", so a lower-is-better ratio is inverted.
  void Ratio(const Claim& c, bool gain) {
    for (const Regime& regime : series_.regimes()) {
      Claim claim = c;
      claim.regime = regime;
      claim.unit = claim.unit.empty() ? "x" : claim.unit;
      if (!Present(claim)) continue;
      const Comparison pair =
          ComparePair(series_, claim.variant, claim.baseline, regime, claim.metric, options_);
      if (pair.pairs == 0) {
        claim.reason = "no round measured both";
        claim.beyond_interval = true;
      } else {
        claim.measured = Scaled(pair.ratio(), claim, gain);
        Settle(claim);
        const stats::Interval all = Scaled(pair.all, claim, gain);
        if (pair.contamination_matters &&
            JudgeRange(all, claim.expected_low, claim.expected_high) != claim.verdict) {
          claim.verdict = ClaimVerdict::kInconclusive;
          claim.reason = "with the contaminated samples the verdict would be another";
          claim.beyond_interval = true;
        }
      }
      claims.push_back(claim);
    }
    if (series_.regimes().empty()) Missing(c);
  }

  void Absolute(const Claim& c) {
    for (const Regime& regime : series_.regimes()) {
      Claim claim = c;
      claim.regime = regime;
      if (!Present(claim)) continue;
      for (const MetricSummary& s : summaries_) {
        if (s.variant == claim.variant && s.regime == regime && s.metric == claim.metric) {
          claim.measured = s.interval;
        }
      }
      if (std::isnan(claim.measured.estimate)) {
        claim.reason = "not measured";
      } else {
        Settle(claim);
      }
      claims.push_back(claim);
    }
    if (series_.regimes().empty()) Missing(c);
  }

  void Size(Claim claim) {
    claim.metric = "stripped_bytes";
    claim.unit = "MB";
    const VariantInfo* v = FindVariant(run_, claim.variant);
    if (v == nullptr || v->size.stripped_bytes <= 0) {
      claim.reason = "not measured";
    } else {
      const double size = static_cast<double>(v->size.stripped_bytes) / kMegabyte;
      claim.measured = {size, size, size, 1.0};
      Settle(claim);
    }
    claims.push_back(claim);
  }

  void IdenticalOutputs(Claim claim) {
    size_t same = 0, other = 0;
    std::string example;
    for (const OutputCheck& check : outputs_) {
      if (check.status == OutputStatus::kSame) ++same;
      if (Disqualifies(check.status)) {
        ++other;
        if (example.empty())
          example = check.variant + " on " + check.regime.model + ": " + check.detail;
      }
    }
    claim.unit = "%";
    if (same + other == 0) {
      claim.reason = "no outputs were compared";
    } else {
      const double share = 100.0 * static_cast<double>(same) / static_cast<double>(same + other);
      claim.measured = {share, share, share, 1.0};
      claim.verdict = other == 0 ? ClaimVerdict::kConfirmed : ClaimVerdict::kRefuted;
      claim.beyond_interval = true;
      claim.reason = other == 0 ? "tokens and logits agree bit for bit in all " +
                                      std::to_string(same) + " comparisons"
                                : example;
    }
    claims.push_back(claim);
  }

 private:
  bool Present(Claim& claim) {
    const auto& names = series_.variants();
    const auto has = [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (has(claim.variant) && (claim.baseline.empty() || has(claim.baseline))) return true;
    Missing(claim);
    return false;
  }

  // One row, not one a regime, for what was not measured at all.
  void Missing(Claim claim) {
    for (const Claim& c : claims) {
      if (c.id == claim.id) return;
    }
    claim.regime = {};
    claim.reason = "not measured in this run";
    claim.beyond_interval = true;
    claims.push_back(claim);
  }

  static stats::Interval Scaled(const stats::LogRatio& ratio, const Claim& claim, bool gain) {
    stats::Interval i{ratio.Ratio(), ratio.Low(), ratio.High(), ratio.log.level};
    if (gain) i = {1.0 / i.estimate, 1.0 / i.high, 1.0 / i.low, i.level};
    if (claim.unit == "%") {
      i = {100.0 * (i.estimate - 1.0), 100.0 * (i.low - 1.0), 100.0 * (i.high - 1.0), i.level};
    } else if (claim.unit == "% lower") {
      i = {100.0 * (1.0 - i.estimate), 100.0 * (1.0 - i.high), 100.0 * (1.0 - i.low), i.level};
    }
    return i;
  }

  void Settle(Claim& claim) {
    claim.verdict = JudgeRange(claim.measured, claim.expected_low, claim.expected_high);
    claim.reason = Explain(claim);
    for (const OutputCheck& check : outputs_) {
      if (check.variant == claim.variant && check.regime == claim.regime &&
          Disqualifies(check.status)) {
        claim.verdict = ClaimVerdict::kInconclusive;
        claim.reason = "its output differs from the reference: " + check.detail;
        claim.beyond_interval = true;
      }
    }
  }

  const RunInfo& run_;
  const Series& series_;
  const std::vector<MetricSummary>& summaries_;
  const std::vector<OutputCheck>& outputs_;
  const AnalysisOptions& options_;
};

Claim Make(std::string id, std::string statement, std::string variant, std::string baseline,
           std::string metric, std::string expected, double low, double high,
           std::string unit = "") {
  Claim c;
  c.id = std::move(id);
  c.statement = std::move(statement);
  c.variant = std::move(variant);
  c.baseline = std::move(baseline);
  c.metric = std::move(metric);
  c.expected = std::move(expected);
  c.expected_low = low;
  c.expected_high = high;
  c.unit = std::move(unit);
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
  for (const Mode& mode : kModes) {
    rows.push_back(
        {mode.mode, VariantOf(run, mode), mode.startup, mode.throughput, mode.size, mode.ttft});
  }
  return rows;
}

std::vector<Claim> JudgeClaims(const RunInfo& run, const Series& series,
                               const std::vector<MetricSummary>& summaries,
                               const std::vector<OutputCheck>& outputs,
                               const AnalysisOptions& options) {
  Bench bench(run, series, summaries, outputs, options);
  const std::string tier0 = VariantOf(run, kModes[0]), jit = VariantOf(run, kModes[1]);
  const std::string aot = VariantOf(run, kModes[2]), aot_pgo = VariantOf(run, kModes[3]);

  // The guide's table, row by row.
  for (size_t i = 0; i < 4; ++i) {
    const std::string variant = VariantOf(run, kModes[i]);
    const std::string mode = kModes[i].mode;
    const bool is_jit = i < 2;
    bench.Absolute(is_jit ? Make("startup-" + variant, mode + ": startup ~50 ms", variant, "",
                                 "startup_ms", "25-100 ms", 25.0, 100.0, "ms")
                          : Make("startup-" + variant, mode + ": instant startup", variant, "",
                                 "startup_ms", "at most 10 ms", 0.0, 10.0, "ms"));
    bench.Size(
        is_jit ? Make("size-" + variant, mode + ": ~50 MB", variant, "", "", "25-100 MB", 25, 100)
               : Make("size-" + variant, mode + ": ~80 MB", variant, "", "", "40-160 MB", 40, 160));
  }
  for (const char* metric : {"decode_tps", "prefill_tps"}) {
    const std::string name = metric;
    bench.Ratio(Make("throughput-tier0-" + name, "JIT (Tier 0): slow, below Tier 1", tier0, jit,
                     metric, "below 1x", 0.0, 1.0),
                false);
    bench.Ratio(Make("throughput-native-" + name, "NativeAOT: 0.9-1.1x", aot, jit, metric,
                     "0.9-1.1x", 0.9, 1.1),
                false);
    bench.Ratio(Make("throughput-native-pgo-" + name, "NativeAOT + PGO: 1.1-1.3x", aot_pgo, jit,
                     metric, "1.1-1.3x", 1.1, 1.3),
                false);
    bench.Ratio(Make("steady-" + name, "steady-state throughput 5-10 % higher", aot, jit, metric,
                     "+5 to +10 %", 5.0, 10.0, "%"),
                false);
  }
  // Its list of expected improvements, against both things that "JIT" can mean here.
  for (const std::string& base : {tier0, jit}) {
    bench.Ratio(Make("ttft-vs-" + base, "time to first token 2-5x faster", aot, base,
                     "ttft_cold_ms", "2-5x", 2.0, 5.0),
                true);
    bench.Ratio(Make("startup-vs-" + base, "startup 10-100x faster", aot, base, "startup_ms",
                     "10-100x", 10.0, 100.0),
                true);
    bench.Ratio(Make("memory-vs-" + base, "memory 10-20 % lower", aot, base, "peak_rss_mib",
                     "10-20 % lower", 10.0, 20.0, "% lower"),
                false);
  }
  for (const std::string& other : {tier0, jit, aot}) {
    bench.Ratio(Make("lowest-ttft-vs-" + other, "NativeAOT + PGO: lowest first-token latency",
                     aot_pgo, other, "ttft_cold_ms", "faster than " + other, 1.0, kInfinity),
                true);
  }
  bench.IdenticalOutputs(Make("identical-outputs", "all builds give identical outputs", "all built",
                              run.reference, "", "identical", 100.0, 100.0));
  return bench.claims;
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
