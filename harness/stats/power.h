// What a comparison of this many rounds could have seen.
#pragma once

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

// Smallest true mean of paired differences (log-ratios), in standard errors, that a two-sided t
// test at `alpha` finds with probability `power`: exact (noncentral t), because t(1 - alpha/2) +
// t(power) promises too much where alpha is small and degrees of freedom are few. For one row of a
// table of m rows, alpha / m is Holm's first step; the later steps see a little more.
double DetectableShift(double df, double alpha, double power = 0.8);

// The same in the differences' unit, from the interval of their centre, whatever its estimator, and
// the degrees of freedom of its width. Infinity where the interval is unbounded.
double MinimumDetectableEffect(const Interval& interval, double df, double alpha = 0.05,
                               double power = 0.8);

}  // namespace smallmind::harness::stats
