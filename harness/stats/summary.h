// Order statistics and moments of one vector.
//
// Every function takes its values in any order and leaves them alone. Empty input gives NaN.
#pragma once

#include <span>
#include <vector>

namespace smallmind::harness::stats {

// Sample quantile definitions of Hyndman & Fan, "Sample Quantiles in Statistical Packages" (1996).
// kType7 is R's and NumPy's default and what this project prints; kType6 is NIST's; kType8 is the
// median-unbiased one.
enum class QuantileType { kType6, kType7, kType8 };

double Mean(std::span<const double> values);
// Unbiased (n - 1); NaN for fewer than two values.
double Variance(std::span<const double> values);
double StandardDeviation(std::span<const double> values);

double Quantile(std::span<const double> values, double p, QuantileType type = QuantileType::kType7);
// As Quantile, for values that are already ascending.
double QuantileSorted(std::span<const double> ascending, double p,
                      QuantileType type = QuantileType::kType7);
double Median(std::span<const double> values);
// Median absolute deviation from the median, unscaled; times 1.4826 it estimates a normal's sigma.
double MedianAbsoluteDeviation(std::span<const double> values);
// Mean after dropping floor(trim * n) values at each end; trim in [0, 0.5).
double TrimmedMean(std::span<const double> values, double trim);

std::vector<double> Sorted(std::span<const double> values);

}  // namespace smallmind::harness::stats
