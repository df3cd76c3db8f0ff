// The ratio of two programs from paired, nested measurements: build -> round (process) ->
// iteration.
//
// In one round both programs ran within the same minutes, so the log of their ratio is free of the
// machine's slow drift. The unit of replication is the highest level that was repeated: rounds for
// one build, builds (link layouts) where there are several (few of them: pooling.h); iterations
// inside a process share its fate and only sharpen it (Kalibera & Jones, "Rigorous Benchmarking in
// Reasonable Time", 2013).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

// One round's two processes: the values of their iterations (positive).
struct PairedRound {
  std::vector<double> variant;
  std::vector<double> reference;
};
using PairedBuild = std::vector<PairedRound>;

struct RatioOptions {
  double level = 0.95;
  size_t resamples = 2000;
  uint64_t seed = 1;
};

// An effect in log space with its test against zero.
struct LogRatio {
  Interval log;          // natural logs
  double p_value = 1.0;  // two-sided, of "no difference"; see Location
  size_t units = 0;      // rounds or builds that the interval counts
  double df = 0.0;       // degrees of freedom of the interval's width; 0 without an interval

  double Ratio() const;
  double Low() const;  // NaN where the data bound nothing: exp(-infinity) would be a figure
  double High() const;
};

// log(median(variant) / median(reference)) of each round that has both.
std::vector<double> RoundLogRatios(const PairedBuild& build);

// Centre of values that are independent: for fewer than kRobustFrom the mean with Student's
// interval, from there on the Hodges-Lehmann estimate with the expanded bootstrap. The switch is
// where simulation (coverage_test.cc) finds each of the two covering 93-97 % under normal,
// heavy-tailed, contaminated and skewed-pair noise. The p-value sets the estimate over its standard
// error (classic or bootstrap) against Student's t(n - 1).
inline constexpr size_t kRobustFrom = 8;
LogRatio Location(std::span<const double> values, const RatioOptions& options = {});
// The estimate alone.
double Centre(std::span<const double> values);

// One build: Location of its rounds' values. Several: Location of the builds' centres, so that the
// interval answers for layouts that were not built. Builds without values do not count. Only the
// highest replicated level is resampled: each unit carries the scatter of the levels below it, and
// resampling those again would count it twice (Davison & Hinkley, "Bootstrap Methods and their
// Application", 1997, section 3.8).
LogRatio HierarchicalLocation(const std::vector<std::vector<double>>& builds,
                              const RatioOptions& options = {});
// Of the rounds' log-ratios.
LogRatio HierarchicalRatio(std::span<const PairedBuild> builds, const RatioOptions& options = {});

}  // namespace smallmind::harness::stats
