#include "harness/stopping.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "harness/analysis/comparison.h"
#include "harness/stats.h"

namespace smallmind::harness {

double HalfWidth(const std::vector<double>& values) {
  if (values.size() < 3) return std::numeric_limits<double>::infinity();
  if (values.size() < stats::kRobustFrom) return stats::StudentInterval(values, 0.95).HalfWidth();
  return stats::HodgesLehmannInterval(values, 0.95).HalfWidth();
}

namespace {

constexpr const char* kWatched[] = {"prefill_tps", "decode_tps"};

bool IsThinned(const RunInfo& run, const std::string& variant, int layout, const std::string& model,
               const std::string& workload) {
  return run.plan.strides.contains(variant + "|" + std::to_string(layout) + "|" + model + "|" +
                                   workload);
}

// Over link layouts: the interval that the report gives.
double WidestOverLayouts(const RunInfo& run, const std::vector<Sample>& samples) {
  const Series series(samples);
  double widest = -1;
  for (const Regime& regime : series.regimes()) {
    for (const std::string& variant : series.variants()) {
      if (variant == run.reference) continue;
      bool thinned = false;
      for (int layout = 0; layout <= run.plan.layouts; ++layout) {
        thinned |= IsThinned(run, variant, layout, regime.model, regime.workload);
      }
      if (thinned) continue;
      for (const char* metric : kWatched) {
        const stats::LogRatio ratio = PairedRatio(series, variant, run.reference, regime, metric,
                                                  Cleanliness::kAll, {0.95, 200, 1});
        if (ratio.units > 0) widest = std::max(widest, 100 * std::expm1(ratio.log.HalfWidth()));
      }
    }
  }
  return widest < 0 ? std::numeric_limits<double>::infinity() : widest;
}

}  // namespace

double WidestInterval(const RunInfo& run, const std::vector<Sample>& samples) {
  if (run.plan.layouts > 0) return WidestOverLayouts(run, samples);
  using Cell = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<std::tuple<int, std::string, std::string, std::string>, double> reference;
  const auto logs = [](const Sample& sample, const char* metric) {
    const auto it = sample.metrics.find(metric);
    return it == sample.metrics.end() || it->second <= 0 ? std::nan("") : std::log(it->second);
  };
  for (const Sample& sample : samples) {
    if (!sample.Usable() || sample.variant != run.reference) continue;
    for (const char* metric : kWatched) {
      reference[{sample.round, sample.model, sample.workload, metric}] = logs(sample, metric);
    }
  }
  std::map<Cell, std::vector<double>> ratios;
  for (const Sample& sample : samples) {
    if (!sample.Usable() || sample.variant == run.reference) continue;
    if (IsTraining(sample.workload)) continue;
    if (IsThinned(run, sample.variant, 0, sample.model, sample.workload)) continue;
    for (const char* metric : kWatched) {
      const auto base = reference.find({sample.round, sample.model, sample.workload, metric});
      const double log = logs(sample, metric);
      if (base == reference.end() || std::isnan(base->second) || std::isnan(log)) continue;
      ratios[{sample.variant, sample.model, sample.workload, metric}].push_back(log - base->second);
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
