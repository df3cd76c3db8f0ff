#include "harness/stopping.h"

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "harness/stats.h"

namespace smallmind::harness {

double HalfWidth(const std::vector<double>& values) {
  if (values.size() < 3) return std::numeric_limits<double>::infinity();
  if (values.size() < stats::kRobustFrom) return stats::StudentInterval(values, 0.95).HalfWidth();
  return stats::HodgesLehmannInterval(values, 0.95).HalfWidth();
}

double WidestInterval(const RunInfo& run, const std::vector<Sample>& samples) {
  using Cell = std::tuple<std::string, int, std::string, std::string, std::string>;
  std::map<std::tuple<int, std::string, std::string, std::string>, double> reference;
  const auto logs = [](const Sample& sample, const char* metric) {
    const auto it = sample.metrics.find(metric);
    return it == sample.metrics.end() || it->second <= 0 ? std::nan("") : std::log(it->second);
  };
  constexpr const char* kWatched[] = {"prefill_tps", "decode_tps"};
  for (const Sample& sample : samples) {
    if (!sample.Usable() || sample.variant != run.reference || sample.layout != 0) continue;
    for (const char* metric : kWatched) {
      reference[{sample.round, sample.model, sample.workload, metric}] = logs(sample, metric);
    }
  }
  std::map<Cell, std::vector<double>> ratios;
  for (const Sample& sample : samples) {
    if (!sample.Usable() || sample.variant == run.reference) continue;
    if (IsTraining(sample.workload)) continue;
    if (run.plan.strides.contains(sample.variant + "|" + std::to_string(sample.layout) + "|" +
                                  sample.model + "|" + sample.workload)) {
      continue;
    }
    for (const char* metric : kWatched) {
      const auto base = reference.find({sample.round, sample.model, sample.workload, metric});
      const double log = logs(sample, metric);
      if (base == reference.end() || std::isnan(base->second) || std::isnan(log)) continue;
      ratios[{sample.variant, sample.layout, sample.model, sample.workload, metric}].push_back(
          log - base->second);
    }
  }
  if (ratios.empty()) return std::numeric_limits<double>::infinity();
  double widest = 0;
  for (const auto& [cell, values] : ratios) {
    widest = std::max(widest, 100 * std::expm1(HalfWidth(values)));
  }
  return widest;
}

bool Overruns(const StoppingRule& rule, double elapsed_s, double round_s) {
  return rule.budget_s > 0 && elapsed_s + round_s > rule.budget_s;
}

Next Decide(const StoppingRule& rule, int rounds_done, double elapsed_s, double round_s,
            double widest_pct) {
  if (rounds_done >= rule.max_rounds) return Next::kMaxRounds;
  const bool precise = rule.target_ci_pct > 0 && widest_pct <= rule.target_ci_pct;
  if (precise && rounds_done >= rule.min_rounds) return Next::kPrecise;
  if (rounds_done >= rule.sure_rounds && Overruns(rule, elapsed_s, round_s)) return Next::kBudget;
  return Next::kContinue;
}

}  // namespace smallmind::harness
