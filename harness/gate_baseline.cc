// The unpaired judgement. Two things go wrong when runs of different hours are compared as if their
// samples were independent: the machine is another one (neighbours, clock), and samples that lie
// close in time agree with each other, so that n of them are worth far fewer. Against the second,
// rounds are gathered into kBatches consecutive batches, whose medians are the units of Welch's
// test (batch means: Law & Kelton, "Simulation Modeling and Analysis", section 9.5); against the
// first, each is divided by the ceilings measured among its rounds. Tested on synthetic runs with
// drift, another machine's speed and planted slowdowns (gate_test.cc).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "harness/ceilings.h"
#include "harness/gate.h"
#include "harness/gate_rows.h"
#include "harness/metrics.h"
#include "harness/stats.h"

namespace smallmind::harness {
namespace {

constexpr size_t kBatches = 6;

// The ceiling that a metric leans on; "" for what no machine speed explains.
struct Normaliser {
  std::string_view metric, ceiling;
};
constexpr Normaliser kNormalisers[] = {
    {"startup_ms", "calibration loop"},
    {"ttft_cold_ms", "int8_gops"},
    {"ttft_ms", "int8_gops"},
    {"prefill_tps", "int8_gops"},
    {"decode_tps", "read_gbps"},
    {"itl_p50_ms", "read_gbps"},
    {"itl_p95_ms", "read_gbps"},
    {"itl_p99_ms", "read_gbps"},
    {"peak_rss_mib", ""},
    {"rss_anon_mib", ""},
    {"rss_file_mib", ""},
};

constexpr const Normaliser* FindNormaliser(std::string_view metric) {
  for (const Normaliser& normaliser : kNormalisers) {
    if (normaliser.metric == metric) return &normaliser;
  }
  return nullptr;
}
static_assert(std::ranges::all_of(kMetrics, [](const MetricDef& metric) {
  return metric.scope != MetricScope::kSample || FindNormaliser(metric.name) != nullptr;
}));

// log of the machine's speed by round; higher is faster.
std::map<int, double> MachineSpeed(const RunInfo& run, const std::vector<Sample>& samples,
                                   const std::string& normaliser, int threads) {
  if (normaliser != "calibration loop") return CeilingLogs(run, normaliser, threads);
  std::map<int, double> speed;
  for (const Sample& sample : samples) {
    const auto it = sample.system.find("calibration_ns");
    if (sample.Usable() && it != sample.system.end() && it->second > 0) {
      speed[sample.round] = -std::log(it->second);
    }
  }
  return speed;
}

int ThreadsOf(const RunInfo& run, const std::string& workload) {
  for (const Workload& w : run.workloads) {
    if (w.name == workload) return w.threads;
  }
  return 0;
}

std::vector<double> Values(const std::map<int, double>& by_round, int first, int end) {
  std::vector<double> values;
  for (auto it = by_round.lower_bound(first); it != by_round.end() && it->first < end; ++it) {
    values.push_back(it->second);
  }
  return values;
}

// Batch by batch: median log of the metric, less `sign` times the machine's own (whose median over
// the run stands in where a batch has none).
std::vector<double> BatchLogs(const std::map<int, double>& logs, const std::map<int, double>& speed,
                              double sign) {
  std::vector<int> rounds;
  for (const auto& [round, value] : logs) rounds.push_back(round);
  const std::vector<double> all_speeds = Values(speed, -1, std::numeric_limits<int>::max());
  const size_t batches = std::min(kBatches, rounds.size());
  std::vector<double> units;
  for (size_t b = 0; b < batches; ++b) {
    const int first = rounds[b * rounds.size() / batches];
    const int end = b + 1 == batches ? std::numeric_limits<int>::max()
                                     : rounds[(b + 1) * rounds.size() / batches];
    std::vector<double> speeds = Values(speed, first, end);
    if (speeds.empty()) speeds = all_speeds;
    units.push_back(stats::Median(Values(logs, first, end)) -
                    (speeds.empty() ? 0 : sign * stats::Median(speeds)));
  }
  return units;
}

void NoteSpeed(const std::string& normaliser, const std::map<int, double>& old_speed,
               const std::map<int, double>& new_speed, std::vector<std::string>& notes) {
  const auto median = [](const std::map<int, double>& speed) {
    return stats::Median(Values(speed, -1, std::numeric_limits<int>::max()));
  };
  const double change = std::expm1(median(new_speed) - median(old_speed));
  char text[160];
  snprintf(text, sizeof text, "%s: this machine is now %.1f %% %s than in the baseline's run",
           normaliser.c_str(), 100 * std::abs(change), change >= 0 ? "faster" : "slower");
  if (std::ranges::find(notes, text) == notes.end()) notes.push_back(text);
}

}  // namespace

GateResult JudgeBaseline(const RunInfo& old_run, const std::vector<Sample>& old_samples,
                         const RunInfo& new_run, const std::vector<Sample>& new_samples,
                         const std::string& variant,
                         const std::map<std::string, double>& thresholds) {
  GateResult result;
  result.before_name = variant + " in " + old_run.id;
  result.after_name = variant;
  result.output_difference = OutputDifference(old_samples, variant, new_samples, variant);
  result.notes.push_back(
      "Unpaired: the runs lie apart in time, and what the machine did in between is corrected only "
      "as far as the ceilings show it. Prefer a baseline that kept its binary, or --against REF.");
  if (old_run.environment.cpu_model != new_run.environment.cpu_model) {
    result.notes.push_back("The baseline was measured on another CPU (" +
                           old_run.environment.cpu_model + "): ratios to a ceiling travel badly.");
  }
  const Series old_series(old_samples), new_series(new_samples);
  for (const Regime& regime : new_series.regimes()) {
    for (const auto& [metric, threshold] : thresholds) {
      if (FindMetric(metric)->scope != MetricScope::kSample) continue;
      const auto old_logs = old_series.RoundLogs(variant, regime, metric, Cleanliness::kAll);
      const auto new_logs = new_series.RoundLogs(variant, regime, metric, Cleanliness::kAll);
      if (new_logs.empty() || old_logs.empty()) continue;
      GateRow row = EmptyRow(regime, metric, threshold,
                             old_series.Values(variant, regime, metric, Cleanliness::kAll),
                             new_series.Values(variant, regime, metric, Cleanliness::kAll));
      const std::string normaliser(FindNormaliser(metric)->ceiling);
      const int threads = ThreadsOf(new_run, regime.workload);
      auto old_speed = MachineSpeed(old_run, old_samples, normaliser, threads);
      auto new_speed = MachineSpeed(new_run, new_samples, normaliser, threads);
      if (old_speed.empty() || new_speed.empty()) {
        old_speed.clear();
        new_speed.clear();
      } else {
        NoteSpeed(normaliser, old_speed, new_speed, result.notes);
      }
      const double sign = FindMetric(metric)->direction == Direction::kHigherIsBetter ? 1 : -1;
      const std::vector<double> old_units = BatchLogs(old_logs, old_speed, sign);
      const std::vector<double> new_units = BatchLogs(new_logs, new_speed, sign);
      const stats::WelchTest test = stats::Welch(old_units, new_units);
      SetEstimate(row, test.difference, test.df, test.p_value,
                  std::min(old_units.size(), new_units.size()));
      result.rows.push_back(row);
    }
  }
  if (result.rows.empty()) {
    result.notes.push_back("Nothing to compare: the baseline has no sample of " + variant +
                           " with these models and workloads.");
  }
  AddSizes(old_run, variant, new_run, variant, thresholds, result.rows);
  JudgeRows(result.rows);
  return result;
}

}  // namespace smallmind::harness
