// Rows, their verdicts and the paired judgement. Tested on synthetic runs: unchanged, slower,
// faster, too few rounds, other output, a drifting machine (gate_test.cc).
#include "harness/gate.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "harness/analysis/comparison.h"
#include "harness/error.h"
#include "harness/gate_rows.h"
#include "harness/metrics.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

// What the gate's rounds can decide on a shared machine: prefill scatters twice as much as decode,
// a few milliseconds of startup more yet; sizes do not scatter.
const std::map<std::string, double> kDefaultThresholds = {
    {"decode_tps", 3},  {"prefill_tps", 5},  {"ttft_ms", 5},
    {"startup_ms", 15}, {"peak_rss_mib", 5}, {"stripped_bytes", 2}};

constexpr double kGateAlpha = 0.05;
constexpr size_t kFewestUnits = 3;

bool IsMeasured(const std::string& metric) {
  return FindMetric(metric)->scope == MetricScope::kSample;
}

// 0 where the record does not have it.
double BytesOf(const RunInfo& run, const std::string& name, const std::string& metric) {
  const VariantInfo* variant = FindVariant(run, name);
  if (variant == nullptr) return 0;
  const BinarySize& size = variant->size;
  return static_cast<double>(metric == "file_bytes"   ? size.file_bytes
                             : metric == "text_bytes" ? size.text_bytes
                                                      : size.stripped_bytes);
}

}  // namespace

GateRow EmptyRow(const Regime& regime, const std::string& metric, double threshold_pct,
                 const std::vector<double>& before, const std::vector<double>& after) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  GateRow row;
  row.regime = regime.model + ", " + regime.workload;
  row.metric = metric;
  row.threshold_pct = threshold_pct;
  row.low_pct = -kInfinity;
  row.high_pct = row.mde_pct = kInfinity;
  if (!before.empty()) row.before = stats::Median(before);
  if (!after.empty()) row.after = stats::Median(after);
  return row;
}

void SetEstimate(GateRow& row, stats::Interval log, double df, double p, size_t units) {
  row.pairs = units;
  if (!std::isfinite(log.estimate)) return;
  const double sign = FindMetric(row.metric)->direction == Direction::kLowerIsBetter ? 1 : -1;
  row.worse_pct = 100 * std::expm1(sign * log.estimate);
  if (units < kFewestUnits) return;
  row.p = p;
  row.low_pct = 100 * std::expm1(sign > 0 ? log.low : -log.high);
  row.high_pct = 100 * std::expm1(sign > 0 ? log.high : -log.low);
  row.log = log;
  row.df = df;
}

void AddSizes(const RunInfo& before_run, const std::string& before, const RunInfo& after_run,
              const std::string& after, const std::map<std::string, double>& thresholds,
              std::vector<GateRow>& rows) {
  for (const auto& [metric, threshold] : thresholds) {
    if (IsMeasured(metric)) continue;
    const double a = BytesOf(before_run, before, metric);
    const double b = BytesOf(after_run, after, metric);
    if (a <= 0 || b <= 0) continue;
    GateRow row;
    row.regime = "binary";
    row.metric = metric;
    row.before = a;
    row.after = b;
    row.worse_pct = row.low_pct = row.high_pct = 100 * (b / a - 1);
    row.p = a == b ? 1 : 0;
    row.pairs = 1;
    row.threshold_pct = threshold;
    rows.push_back(row);
  }
}

void JudgeRows(std::vector<GateRow>& rows) {
  std::vector<double> p_values;
  for (const GateRow& row : rows) {
    if (IsMeasured(row.metric)) p_values.push_back(row.p);
  }
  const std::vector<double> adjusted = stats::HolmAdjust(p_values);
  size_t next = 0;
  for (GateRow& row : rows) {
    row.p_adjusted = IsMeasured(row.metric) ? adjusted[next++] : row.p;
    if (row.df > 0) {
      row.mde_pct = 100 * std::expm1(stats::MinimumDetectableEffect(
                              row.log, row.df, kGateAlpha / static_cast<double>(p_values.size())));
    }
    const bool significant = row.p_adjusted < kGateAlpha;
    if (significant && row.worse_pct >= row.threshold_pct) {
      row.verdict = GateVerdict::kRegression;
    } else if (significant && row.worse_pct <= -row.threshold_pct) {
      row.verdict = GateVerdict::kImprovement;
    } else if (row.high_pct < row.threshold_pct) {
      row.verdict = GateVerdict::kPass;
    }
  }
}

std::string OutputDifference(const std::vector<Sample>& old_samples, const std::string& before,
                             const std::vector<Sample>& new_samples, const std::string& after) {
  std::map<std::string, std::map<std::string, std::string>> expected;
  for (const Sample& sample : old_samples) {
    if (sample.Usable() && sample.variant == before) {
      expected[sample.model + ", " + sample.workload] = sample.hashes;
    }
  }
  for (const Sample& sample : new_samples) {
    if (!sample.Usable() || sample.variant != after) continue;
    const auto it = expected.find(sample.model + ", " + sample.workload);
    if (it == expected.end() || it->second == sample.hashes) continue;
    return "the output differs on " + it->first +
           ": speed is compared between equals only; see `harness verify`";
  }
  return "";
}

std::map<std::string, double> GateThresholds(const std::string& overrides) {
  std::map<std::string, double> thresholds = kDefaultThresholds;
  std::istringstream parts(overrides);
  for (std::string part; std::getline(parts, part, ',');) {
    const size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    double value = 0;
    bool good = equals != std::string::npos && FindMetric(name) != nullptr;
    if (good) {
      const char* end = part.data() + part.size();
      const auto [stop, error] = std::from_chars(part.data() + equals + 1, end, value);
      good = error == std::errc() && stop == end && value > 0;
    }
    if (!good) throw RunError("--threshold wants METRIC=PERCENT, not: " + part);
    thresholds[name] = value;
  }
  return thresholds;
}

GateResult JudgePaired(const RunInfo& run, const std::vector<Sample>& samples,
                       const std::string& before, const std::string& after,
                       const std::map<std::string, double>& thresholds) {
  GateResult result;
  result.before_name = before;
  result.after_name = after;
  result.output_difference = OutputDifference(samples, before, samples, after);
  const Series series(samples);
  for (const Regime& regime : series.regimes()) {
    for (const auto& [metric, threshold] : thresholds) {
      if (!IsMeasured(metric)) continue;
      const auto old_values = series.Values(before, regime, metric, Cleanliness::kAll);
      const auto new_values = series.Values(after, regime, metric, Cleanliness::kAll);
      if (old_values.empty() && new_values.empty()) continue;
      const Comparison c = ComparePair(series, after, before, regime, metric, {});
      GateRow row = EmptyRow(regime, metric, threshold, old_values, new_values);
      SetEstimate(row, c.ratio().log, c.ratio().df, c.ratio().p_value,
                  c.rests_on_clean ? c.clean_pairs : c.pairs);
      result.rows.push_back(row);
      if (c.contamination_matters) {
        result.notes.push_back(row.regime + ", " + metric +
                               ": contaminated samples change the result; it rests on the " +
                               (c.rests_on_clean ? "clean ones" : "whole, too few are clean"));
      }
    }
  }
  AddSizes(run, before, run, after, thresholds, result.rows);
  JudgeRows(result.rows);
  return result;
}

GateVerdict GateResult::Verdict() const {
  if (!output_difference.empty()) return GateVerdict::kRegression;
  bool unclear = false, throughput = false, improved = false;
  for (const GateRow& row : rows) {
    if (row.verdict == GateVerdict::kRegression) return GateVerdict::kRegression;
    const bool primary = row.metric == "decode_tps" || row.metric == "prefill_tps";
    throughput |= primary;
    unclear |= primary && row.verdict == GateVerdict::kInconclusive;
    improved |= row.verdict == GateVerdict::kImprovement;
  }
  if (unclear || !throughput) return GateVerdict::kInconclusive;
  return improved ? GateVerdict::kImprovement : GateVerdict::kPass;
}

int GateResult::ExitCode() const {
  switch (Verdict()) {
    case GateVerdict::kRegression:
      return kExitRegression;
    case GateVerdict::kInconclusive:
      return kExitInconclusive;
    default:
      return kExitOk;
  }
}

}  // namespace smallmind::harness
