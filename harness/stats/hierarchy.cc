// Tested by simulated coverage at one and at several builds, and by planted ratios.
#include "harness/stats/hierarchy.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/rank_tests.h"
#include "harness/stats/special.h"
#include "harness/stats/student.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {

double LogRatio::Ratio() const { return std::exp(log.estimate); }
double LogRatio::Low() const { return std::isfinite(log.low) ? std::exp(log.low) : kNan; }
double LogRatio::High() const { return std::isfinite(log.high) ? std::exp(log.high) : kNan; }

std::vector<double> RoundLogRatios(const PairedBuild& build) {
  std::vector<double> ratios;
  for (const PairedRound& round : build) {
    if (round.variant.empty() || round.reference.empty()) continue;
    const double variant = Median(round.variant), reference = Median(round.reference);
    if (variant > 0.0 && reference > 0.0) ratios.push_back(std::log(variant / reference));
  }
  return ratios;
}

double Centre(std::span<const double> values) {
  return values.size() < kRobustFrom ? Mean(values) : HodgesLehmann(values);
}

LogRatio Location(std::span<const double> values, const RatioOptions& options) {
  LogRatio result;
  result.units = values.size();
  result.log = StudentInterval(values, options.level);
  const double n = static_cast<double>(values.size());
  if (values.size() < 2) return result;
  result.df = n - 1.0;
  double error = StandardDeviation(values) / std::sqrt(n);
  if (values.size() >= kRobustFrom) {
    const std::vector<double> replicates =
        HodgesLehmannReplicates(values, options.resamples, options.seed);
    const double tail = ExpandedTail(values.size(), options.level);
    result.log = {HodgesLehmann(values), QuantileSorted(replicates, tail),
                  QuantileSorted(replicates, 1.0 - tail), options.level};
    error = StandardDeviation(replicates) * std::sqrt(n / (n - 1.0));
  }
  result.p_value = TwoSidedStudent(result.log.estimate, error, result.df);
  return result;
}

LogRatio HierarchicalLocation(const std::vector<std::vector<double>>& builds,
                              const RatioOptions& options) {
  std::vector<double> centres;
  const std::vector<double>* only = nullptr;
  for (const std::vector<double>& rounds : builds) {
    if (rounds.empty()) continue;
    centres.push_back(Centre(rounds));
    only = &rounds;
  }
  return Location(centres.size() == 1 ? *only : centres, options);
}

LogRatio HierarchicalRatio(std::span<const PairedBuild> builds, const RatioOptions& options) {
  std::vector<std::vector<double>> ratios;
  for (const PairedBuild& build : builds) ratios.push_back(RoundLogRatios(build));
  return HierarchicalLocation(ratios, options);
}

}  // namespace smallmind::harness::stats
