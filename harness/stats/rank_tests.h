// Rank tests and their effect sizes.
//
// Mann-Whitney for two independent samples, Wilcoxon's signed ranks for paired ones; exact null
// distributions where there are no ties and the samples are small, else the normal approximation
// with tie and continuity correction. Sources: Hollander & Wolfe, "Nonparametric Statistical
// Methods"; Cliff (1993).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

struct RankTest {
  double statistic = 0.0;  // U of the first sample, or V = sum of the positive differences' ranks
  double p_value = 1.0;    // two-sided
  bool exact = false;
};

// Midranks (1-based), ties share their mean rank.
std::vector<double> Ranks(std::span<const double> values);

// Exact while both samples have at most 50 values and no value occurs twice.
RankTest MannWhitney(std::span<const double> x, std::span<const double> y);

// Differences of zero are dropped (Wilcoxon's own rule). Exact for at most 50 untied differences.
RankTest WilcoxonSignedRank(std::span<const double> differences);

// P(x > y) - P(x < y), in [-1, 1].
double CliffsDelta(std::span<const double> x, std::span<const double> y);
// Romano's conventional words: negligible < 0.147 <= small < 0.33 <= medium < 0.474 <= large.
const char* CliffsDeltaWord(double delta);

// Median of the n(n+1)/2 Walsh averages.
double HodgesLehmann(std::span<const double> values);
// The estimate of `resamples` samples drawn from `values` with replacement, ascending: what
// HodgesLehmann gives, draw for draw, in O(n^2) cheap steps a resample instead of building and
// selecting from n(n+1)/2 averages anew.
std::vector<double> HodgesLehmannReplicates(std::span<const double> values, size_t resamples,
                                            uint64_t seed);
// The Walsh averages that Wilcoxon's test at 1 - level does not reject. For fewer than 6 values no
// such pair reaches 95 %: `level` in the answer says what the widest interval really has.
Interval HodgesLehmannInterval(std::span<const double> values, double level);

}  // namespace smallmind::harness::stats
