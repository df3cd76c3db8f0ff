#include "harness/stopping.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

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

bool IsThinned(const RunInfo& run, const std::string& variant, const Regime& regime) {
  for (int layout = 0; layout <= run.plan.layouts; ++layout) {
    if (run.plan.strides.contains(CellKey(variant, layout, regime.model, regime.workload)))
      return true;
  }
  return false;
}

// Of one variant against the reference; nothing where no round has both.
std::optional<double> PairHalfWidth(const RunInfo& run, const Series& series,
                                    const std::string& variant, const Regime& regime,
                                    const std::string& metric) {
  if (run.plan.layouts > 0) {
    const stats::LogRatio ratio = PairedRatio(series, variant, run.reference, regime, metric,
                                              Cleanliness::kAll, {0.95, 200, 1});
    return ratio.units > 0 ? std::optional(ratio.log.HalfWidth()) : std::nullopt;
  }
  const auto builds = series.Pairs(variant, run.reference, regime, metric, Cleanliness::kAll);
  if (builds.empty()) return std::nullopt;
  return HalfWidth(stats::RoundLogRatios(builds.front()));
}

}  // namespace

double WidestInterval(const RunInfo& run, const std::vector<Sample>& samples) {
  const Series series(samples);
  double widest = -1;
  for (const Regime& regime : series.regimes()) {
    for (const std::string& variant : series.variants()) {
      if (variant == run.reference || IsThinned(run, variant, regime)) continue;
      for (const char* metric : kWatched) {
        const auto half = PairHalfWidth(run, series, variant, regime, metric);
        if (half) widest = std::max(widest, 100 * std::expm1(*half));
      }
    }
  }
  return widest < 0 ? std::numeric_limits<double>::infinity() : widest;
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
