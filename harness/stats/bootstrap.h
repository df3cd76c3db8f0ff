// Bootstrap confidence intervals of any statistic of one sample.
//
// Sources: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), ch. 13-14; Hesterberg,
// "What Teachers Should Know About the Bootstrap" (2015) for the expanded percentile interval.
// Resampling uses this project's own generator, so that the same seed gives the same interval
// everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

using Statistic = std::function<double(std::span<const double>)>;

struct BootstrapOptions {
  size_t resamples = 2000;
  double level = 0.95;
  uint64_t seed = 1;
};

// The statistic of `resamples` samples drawn with replacement, ascending.
std::vector<double> BootstrapReplicates(std::span<const double> values, const Statistic& statistic,
                                        const BootstrapOptions& options);

// Quantiles of the replicates. Too narrow for few values; kept because others report it.
Interval PercentileBootstrap(std::span<const double> values, const Statistic& statistic,
                             const BootstrapOptions& options);

// Percentiles moved outwards to undo the bootstrap's narrowness bias, z -> t(n-1) * sqrt(n /
// (n-1)).
Interval ExpandedBootstrap(std::span<const double> values, const Statistic& statistic,
                           const BootstrapOptions& options);

// Estimate +- t(n-1) * sqrt(n / (n-1)) * bootstrap standard error.
Interval StandardErrorBootstrap(std::span<const double> values, const Statistic& statistic,
                                const BootstrapOptions& options);

// Bias-corrected and accelerated.
Interval BcaBootstrap(std::span<const double> values, const Statistic& statistic,
                      const BootstrapOptions& options);
// Its acceleration, from the jackknife: sum d^3 / (6 (sum d^2)^1.5).
double JackknifeAcceleration(std::span<const double> values, const Statistic& statistic);

// Student's t interval of the mean; exact for a normal sample.
Interval StudentInterval(std::span<const double> values, double level);

// Percentile level that the expanded interval uses for `n` independent units.
double ExpandedTail(size_t n, double level);

}  // namespace smallmind::harness::stats
