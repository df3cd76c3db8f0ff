// Tested against Efron & Tibshirani's tables and by the coverage of simulated samples
// (bootstrap_test.cc, coverage_test.cc).
#include "harness/stats/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/rng.h"
#include "harness/stats/special.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {
namespace {

Interval FromTails(const std::vector<double>& replicates, double estimate, double low_tail,
                   double high_tail, double level) {
  return {estimate, QuantileSorted(replicates, low_tail), QuantileSorted(replicates, high_tail),
          level};
}

// One value, or none, says nothing about its spread: the interval is unbounded.
Interval Unbounded(std::span<const double> values, const Statistic& statistic, double level) {
  const double estimate =
      values.empty() ? std::numeric_limits<double>::quiet_NaN() : statistic(values);
  const double infinity = std::numeric_limits<double>::infinity();
  return {estimate, -infinity, infinity, level};
}

}  // namespace

std::vector<double> BootstrapReplicates(std::span<const double> values, const Statistic& statistic,
                                        const BootstrapOptions& options) {
  std::vector<double> replicates;
  if (values.empty()) return replicates;
  replicates.reserve(options.resamples);
  std::vector<double> drawn(values.size());
  Rng rng(options.seed);
  for (size_t b = 0; b < options.resamples; ++b) {
    for (double& v : drawn) v = values[rng.Below(values.size())];
    replicates.push_back(statistic(drawn));
  }
  std::sort(replicates.begin(), replicates.end());
  return replicates;
}

double ExpandedTail(size_t n, double level) {
  const double count = static_cast<double>(n);
  const double t = StudentQuantile(0.5 * (1.0 - level), count - 1.0);
  return NormalCdf(std::sqrt(count / (count - 1.0)) * t);
}

Interval PercentileBootstrap(std::span<const double> values, const Statistic& statistic,
                             const BootstrapOptions& options) {
  if (values.size() < 2) return Unbounded(values, statistic, options.level);
  const double tail = 0.5 * (1.0 - options.level);
  return FromTails(BootstrapReplicates(values, statistic, options), statistic(values), tail,
                   1.0 - tail, options.level);
}

Interval ExpandedBootstrap(std::span<const double> values, const Statistic& statistic,
                           const BootstrapOptions& options) {
  if (values.size() < 2) return Unbounded(values, statistic, options.level);
  const double tail = ExpandedTail(values.size(), options.level);
  return FromTails(BootstrapReplicates(values, statistic, options), statistic(values), tail,
                   1.0 - tail, options.level);
}

Interval StandardErrorBootstrap(std::span<const double> values, const Statistic& statistic,
                                const BootstrapOptions& options) {
  if (values.size() < 2) return Unbounded(values, statistic, options.level);
  const double n = static_cast<double>(values.size());
  const double estimate = statistic(values);
  const double error =
      StandardDeviation(BootstrapReplicates(values, statistic, options)) * std::sqrt(n / (n - 1.0));
  const double t = StudentQuantile(0.5 * (1.0 + options.level), n - 1.0);
  return {estimate, estimate - t * error, estimate + t * error, options.level};
}

double JackknifeAcceleration(std::span<const double> values, const Statistic& statistic) {
  std::vector<double> left_out;
  std::vector<double> rest(values.begin() + (values.empty() ? 0 : 1), values.end());
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) rest[i - 1] = values[i - 1];
    left_out.push_back(statistic(rest));
  }
  const double mean = Mean(left_out);
  double squares = 0.0, cubes = 0.0;
  for (double v : left_out) {
    const double d = mean - v;
    squares += d * d;
    cubes += d * d * d;
  }
  return squares > 0.0 ? cubes / (6.0 * std::pow(squares, 1.5)) : 0.0;
}

Interval BcaBootstrap(std::span<const double> values, const Statistic& statistic,
                      const BootstrapOptions& options) {
  if (values.size() < 2) return Unbounded(values, statistic, options.level);
  const std::vector<double> replicates = BootstrapReplicates(values, statistic, options);
  const double estimate = statistic(values);
  // Share of replicates below the estimate; ties count half, so that a lattice does not read as
  // bias.
  double below = 0.0;
  for (double r : replicates) below += r < estimate ? 1.0 : (r == estimate ? 0.5 : 0.0);
  const double count = static_cast<double>(replicates.size());
  const double share = std::clamp(below / count, 0.5 / count, 1.0 - 0.5 / count);
  const double bias = NormalQuantile(share);
  const double acceleration = JackknifeAcceleration(values, statistic);
  const auto tail = [&](double nominal) {
    const double z = bias + NormalQuantile(nominal);
    return NormalCdf(bias + z / (1.0 - acceleration * z));
  };
  return FromTails(replicates, estimate, tail(0.5 * (1.0 - options.level)),
                   tail(0.5 * (1.0 + options.level)), options.level);
}

Interval StudentInterval(std::span<const double> values, double level) {
  const Statistic mean = [](std::span<const double> v) { return Mean(v); };
  if (values.size() < 2) return Unbounded(values, mean, level);
  const double n = static_cast<double>(values.size());
  const double estimate = Mean(values);
  const double reach =
      StudentQuantile(0.5 * (1.0 + level), n - 1.0) * StandardDeviation(values) / std::sqrt(n);
  return {estimate, estimate - reach, estimate + reach, level};
}

}  // namespace smallmind::harness::stats
