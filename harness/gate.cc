// Tested on synthetic runs: unchanged, slower, faster, too few rounds, other output, a drifting
// machine (gate_test.cc).
#include "harness/gate.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "harness/analysis/comparison.h"
#include "harness/analysis/outputs.h"
#include "harness/ceilings.h"
#include "harness/error.h"
#include "harness/metrics.h"
#include "harness/protocol.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

// Throughput moves in percents; a few milliseconds of startup scatter more; sizes do not scatter.
const std::map<std::string, double> kDefaultThresholds = {
    {"decode_tps", 3},  {"prefill_tps", 3},  {"ttft_ms", 5},
    {"startup_ms", 15}, {"peak_rss_mib", 5}, {"stripped_bytes", 2}};

constexpr double kAlpha = 0.05;

double WorseSign(const std::string& metric) {
  return FindMetric(metric)->direction == Direction::kLowerIsBetter ? 1 : -1;
}

// log ratio new/old with interval -> percent worse
void SetInterval(GateRow& row, const stats::Interval& log) {
  const double sign = WorseSign(row.metric);
  row.worse_pct = 100 * std::expm1(sign * log.estimate);
  row.low_pct = 100 * std::expm1(sign > 0 ? log.low : -log.high);
  row.high_pct = 100 * std::expm1(sign > 0 ? log.high : -log.low);
}

void Judge(GateRow& row) {
  const bool significant = row.p_adjusted < kAlpha;
  if (significant && row.worse_pct >= row.threshold_pct) {
    row.verdict = GateVerdict::kRegression;
  } else if (significant && row.worse_pct <= -row.threshold_pct) {
    row.verdict = GateVerdict::kImprovement;
  } else if (row.high_pct < row.threshold_pct) {
    row.verdict = GateVerdict::kPass;
  }
}

void JudgeAll(std::vector<GateRow>& rows) {
  std::vector<double> p_values;
  for (const GateRow& row : rows) p_values.push_back(row.p);
  const std::vector<double> adjusted = stats::HolmAdjust(p_values);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].p_adjusted = adjusted[i];
    Judge(rows[i]);
  }
}

const VariantInfo* FindVariant(const RunInfo& run, const std::string& name) {
  const auto it =
      std::ranges::find_if(run.variants, [&](const VariantInfo& v) { return v.name == name; });
  return it == run.variants.end() ? nullptr : &*it;
}

// A size is a fact, not an estimate: no interval, and p is 0 or 1.
void AddSize(const VariantInfo* before, const VariantInfo* after,
             const std::map<std::string, double>& thresholds, std::vector<GateRow>& rows) {
  const auto threshold = thresholds.find("stripped_bytes");
  if (before == nullptr || after == nullptr || threshold == thresholds.end()) return;
  const double a = static_cast<double>(before->size.stripped_bytes);
  const double b = static_cast<double>(after->size.stripped_bytes);
  if (a <= 0 || b <= 0) return;
  GateRow row;
  row.regime = "binary";
  row.metric = "stripped_bytes";
  row.before = a;
  row.after = b;
  row.worse_pct = row.low_pct = row.high_pct = 100 * (b / a - 1);
  row.p = a == b ? 1 : 0;
  row.pairs = 1;
  row.threshold_pct = threshold->second;
  rows.push_back(row);
}

std::string RegimeName(const Regime& regime) { return regime.model + ", " + regime.workload; }

// What the machine could do, for a metric: higher = faster machine.
double MachineSpeed(const RunInfo& run, const std::vector<Sample>& samples, const Regime& regime,
                    const std::string& metric, std::string* normaliser) {
  int threads = 0;
  for (const Workload& workload : run.workloads) {
    if (workload.name == regime.workload) threads = workload.threads;
  }
  if (metric == "peak_rss_mib") return 1;
  if (metric != "startup_ms") {
    const std::string name = metric == "decode_tps" ? "read_gbps" : "int8_gops";
    if (const double ceiling = MedianCeiling(run, name, threads); ceiling > 0) {
      *normaliser = name;
      return ceiling;
    }
  }
  std::vector<double> calibrations;
  for (const Sample& sample : samples) {
    const auto it = sample.system.find("calibration_ns");
    if (sample.Usable() && it != sample.system.end() && it->second > 0) {
      calibrations.push_back(it->second);
    }
  }
  *normaliser = "calibration loop";
  return calibrations.empty() ? 1 : 1e9 / Quantile(calibrations, 0.5);
}

std::vector<double> LogsOf(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) {
    if (value > 0) logs.push_back(std::log(value));
  }
  return logs;
}

// Welch's interval of the difference of means.
stats::Interval Welch(const std::vector<double>& a, const std::vector<double>& b, double* p) {
  const auto moments = [](const std::vector<double>& v) {
    double mean = 0, squares = 0;
    for (const double x : v) mean += x / static_cast<double>(v.size());
    for (const double x : v) squares += (x - mean) * (x - mean);
    const double n = static_cast<double>(v.size());
    return std::tuple(mean, squares / (n - 1) / n, n);  // mean, its variance, n
  };
  stats::Interval interval;
  *p = 1;
  if (a.size() < 3 || b.size() < 3) {
    const double infinity = std::numeric_limits<double>::infinity();
    interval.estimate =
        a.empty() || b.empty() ? 0 : std::get<0>(moments(b)) - std::get<0>(moments(a));
    interval.low = -infinity;
    interval.high = infinity;
    return interval;
  }
  const auto [mean_a, var_a, n_a] = moments(a);
  const auto [mean_b, var_b, n_b] = moments(b);
  const double error = std::sqrt(var_a + var_b);
  interval.estimate = mean_b - mean_a;
  if (error <= 0) {
    interval.low = interval.high = interval.estimate;
    *p = interval.estimate == 0 ? 1 : 0;
    return interval;
  }
  const double df =
      (var_a + var_b) * (var_a + var_b) / (var_a * var_a / (n_a - 1) + var_b * var_b / (n_b - 1));
  const double half = stats::StudentQuantile(0.975, df) * error;
  interval.low = interval.estimate - half;
  interval.high = interval.estimate + half;
  *p = 2 * (1 - stats::StudentCdf(std::abs(interval.estimate) / error, df));
  return interval;
}

std::string OutputDifference(const std::vector<Sample>& old_samples,
                             const std::vector<Sample>& new_samples, const std::string& before,
                             const std::string& after) {
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

std::string Percent(double value) {
  if (!std::isfinite(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  snprintf(text, sizeof text, "%+.1f %%", value);
  return text;
}

}  // namespace

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
  result.output_difference = OutputDifference(samples, samples, before, after);
  const Series series(samples);
  for (const Regime& regime : series.regimes()) {
    for (const auto& [metric, threshold] : thresholds) {
      if (FindMetric(metric)->scope != MetricScope::kSample) continue;
      const Comparison comparison = ComparePair(series, after, before, regime, metric, {});
      const auto old_values = series.Values(before, regime, metric, Cleanliness::kAll);
      const auto new_values = series.Values(after, regime, metric, Cleanliness::kAll);
      if (old_values.empty() && new_values.empty()) continue;
      GateRow row;
      row.regime = RegimeName(regime);
      row.metric = metric;
      row.threshold_pct = threshold;
      row.pairs = comparison.rests_on_clean ? comparison.clean_pairs : comparison.pairs;
      row.mde_pct = 100 * comparison.mde;
      if (!old_values.empty()) row.before = Quantile(old_values, 0.5);
      if (!new_values.empty()) row.after = Quantile(new_values, 0.5);
      stats::Interval log = comparison.ratio().log;
      row.p = comparison.ratio().p_value;
      if (row.pairs < 3 || !std::isfinite(log.estimate)) {
        if (!std::isfinite(log.estimate)) log.estimate = 0;
        log.low = -std::numeric_limits<double>::infinity();
        log.high = std::numeric_limits<double>::infinity();
        row.p = 1;
      }
      SetInterval(row, log);
      if (comparison.contamination_matters) {
        result.notes.push_back(
            RegimeName(regime) + ", " + metric +
            ": contaminated samples change the result; it rests on the clean ones");
      }
      result.rows.push_back(row);
    }
  }
  AddSize(FindVariant(run, before), FindVariant(run, after), thresholds, result.rows);
  JudgeAll(result.rows);
  return result;
}

GateResult JudgeBaseline(const RunInfo& old_run, const std::vector<Sample>& old_samples,
                         const RunInfo& new_run, const std::vector<Sample>& new_samples,
                         const std::string& variant,
                         const std::map<std::string, double>& thresholds) {
  GateResult result;
  result.before_name = variant + " in " + old_run.id;
  result.after_name = variant;
  result.output_difference = OutputDifference(old_samples, new_samples, variant, variant);
  if (old_run.environment.cpu_model != new_run.environment.cpu_model) {
    result.notes.push_back("the baseline was measured on another CPU (" +
                           old_run.environment.cpu_model +
                           "): ratios to a ceiling travel badly; "
                           "prefer --against REF");
  }
  const Series old_series(old_samples), new_series(new_samples);
  std::vector<std::string> normalisers;
  for (const Regime& regime : new_series.regimes()) {
    for (const auto& [metric, threshold] : thresholds) {
      if (FindMetric(metric)->scope != MetricScope::kSample) continue;
      const auto old_values = old_series.Values(variant, regime, metric, Cleanliness::kAll);
      const auto new_values = new_series.Values(variant, regime, metric, Cleanliness::kAll);
      if (new_values.empty() || old_values.empty()) continue;
      GateRow row;
      row.regime = RegimeName(regime);
      row.metric = metric;
      row.threshold_pct = threshold;
      row.pairs = std::min(old_values.size(), new_values.size());
      row.before = Quantile(old_values, 0.5);
      row.after = Quantile(new_values, 0.5);
      std::string old_name, new_name;
      const double speed = MachineSpeed(new_run, new_samples, regime, metric, &new_name) /
                           MachineSpeed(old_run, old_samples, regime, metric, &old_name);
      // On a machine that is faster by `speed`, an unchanged binary's times shrink by it.
      const double expected = old_name == new_name ? -WorseSign(metric) * std::log(speed) : 0;
      stats::Interval log = Welch(LogsOf(old_values), LogsOf(new_values), &row.p);
      if (row.metric != "peak_rss_mib" && std::abs(expected) > 0) {
        // Shift the interval; the test must follow it, so it is taken again on shifted values.
        std::vector<double> shifted = LogsOf(new_values);
        for (double& value : shifted) value -= expected;
        log = Welch(LogsOf(old_values), shifted, &row.p);
      }
      SetInterval(row, log);
      if (!new_name.empty() && std::ranges::find(normalisers, new_name) == normalisers.end()) {
        normalisers.push_back(new_name);
        char text[160];
        snprintf(text, sizeof text, "%s: this machine is now %.1f %% %s than in the baseline's run",
                 new_name.c_str(), 100 * std::abs(speed - 1), speed >= 1 ? "faster" : "slower");
        result.notes.push_back(text);
      }
      result.rows.push_back(row);
    }
  }
  if (result.rows.empty()) {
    result.notes.push_back("nothing to compare: the baseline has no sample of " + variant +
                           " with these models and workloads");
  }
  AddSize(FindVariant(old_run, variant), FindVariant(new_run, variant), thresholds, result.rows);
  JudgeAll(result.rows);
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

std::string ToString(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return "pass";
    case GateVerdict::kImprovement:
      return "improvement";
    case GateVerdict::kInconclusive:
      return "inconclusive";
    case GateVerdict::kRegression:
      return "regression";
  }
  return "unknown";
}

std::string GateMarkdown(const GateResult& result) {
  std::ostringstream text;
  text << "### Performance gate: " << ToString(result.Verdict()) << "\n\n"
       << result.after_name << " against " << result.before_name << "\n\n";
  if (!result.output_difference.empty()) text << "**" << result.output_difference << "**\n\n";
  text << "| what | metric | before | after | worse by | 95 % interval | threshold | could see | "
          "pairs | verdict |\n|---|---|---:|---:|---:|---|---:|---:|---:|---|\n";
  for (const GateRow& row : result.rows) {
    const MetricDef* metric = FindMetric(row.metric);
    char numbers[128];
    snprintf(numbers, sizeof numbers, "%.4g | %.4g", row.before, row.after);
    text << "| " << row.regime << " | " << metric->title << " (" << metric->unit << ") | "
         << numbers << " | " << Percent(row.worse_pct) << " | " << Percent(row.low_pct) << " … "
         << Percent(row.high_pct) << " | " << Percent(row.threshold_pct) << " | "
         << (row.mde_pct > 0 ? Percent(row.mde_pct) : "-") << " | " << row.pairs << " | "
         << ToString(row.verdict) << " |\n";
  }
  for (const std::string& note : result.notes) text << "\n" << note << "\n";
  text << "\nregression: significant (Holm) and at least the threshold; inconclusive: the interval "
          "reaches the threshold, run more rounds or on a quieter machine\n";
  return text.str();
}

Json GateJson(const GateResult& result) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Json json = {{"schema", 1},
               {"verdict", ToString(result.Verdict())},
               {"before", result.before_name},
               {"after", result.after_name},
               {"output_difference", result.output_difference},
               {"notes", result.notes},
               {"rows", Json::array()}};
  for (const GateRow& row : result.rows) {
    json["rows"].push_back({{"regime", row.regime},
                            {"metric", row.metric},
                            {"before", number(row.before)},
                            {"after", number(row.after)},
                            {"worse_pct", number(row.worse_pct)},
                            {"low_pct", number(row.low_pct)},
                            {"high_pct", number(row.high_pct)},
                            {"p_adjusted", row.p_adjusted},
                            {"pairs", row.pairs},
                            {"threshold_pct", row.threshold_pct},
                            {"mde_pct", number(row.mde_pct)},
                            {"verdict", ToString(row.verdict)}});
  }
  return json;
}

}  // namespace smallmind::harness
