// Order statistics and moments of one vector.
//
// Every function takes its values in any order and leaves them alone. Empty input gives NaN.
#pragma once

#include <span>
#include <vector>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

double Mean(std::span<const double> values);
// Unbiased (n - 1); NaN for fewer than two values.
double Variance(std::span<const double> values);
double StandardDeviation(std::span<const double> values);

// Type 7 of Hyndman & Fan, "Sample Quantiles in Statistical Packages" (1996): R's and NumPy's
// default.
double Quantile(std::span<const double> values, double p);
// As Quantile, for values that are already ascending.
double QuantileSorted(std::span<const double> ascending, double p);
double Median(std::span<const double> values);
// The narrowest pair of order statistics, equally far from both ends, that covers the median of any
// distribution with at least `level`: the binomial's tail at 1/2 (Hollander & Wolfe, section 3.6).
// Below six values no pair covers it with 95 %: the bounds are infinite.
Interval MedianInterval(std::span<const double> values, double level = 0.95);
// Median absolute deviation from the median, unscaled; times 1.4826 it estimates a normal's sigma.
double MedianAbsoluteDeviation(std::span<const double> values);

std::vector<double> Sorted(std::span<const double> values);

}  // namespace smallmind::harness::stats
