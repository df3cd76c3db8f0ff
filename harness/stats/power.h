// What a comparison of this many rounds could have seen.
#pragma once

#include <cstddef>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

// Smallest true mean of paired differences (log-ratios) that a two-sided t test at `alpha` finds
// with probability `power`, given their standard deviation: (t(1-alpha/2) + t(power)) * sd /
// sqrt(n). Infinity for n < 2.
double MinimumDetectableEffect(double standard_deviation, size_t n, double alpha = 0.05,
                               double power = 0.8);
// From the interval of a centre of `n` units, whatever its estimator: what it could have excluded.
double MinimumDetectableEffect(const Interval& interval, size_t n, double alpha = 0.05,
                               double power = 0.8);

}  // namespace smallmind::harness::stats
