// Tested against the worked examples of NIST's handbook and R's documentation.
#include "harness/stats/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace smallmind::harness::stats {

double Mean(std::span<const double> values) {
  if (values.empty()) return kNan;
  double sum = 0.0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double Variance(std::span<const double> values) {
  if (values.size() < 2) return kNan;
  const double mean = Mean(values);
  double sum = 0.0;
  for (double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size() - 1);
}

double StandardDeviation(std::span<const double> values) { return std::sqrt(Variance(values)); }

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  std::sort(copy.begin(), copy.end());
  return copy;
}

double QuantileSorted(std::span<const double> ascending, double p) {
  if (ascending.empty() || !(p >= 0.0 && p <= 1.0)) return kNan;
  const double n = static_cast<double>(ascending.size());
  const double position = std::clamp((n - 1.0) * p + 1.0, 1.0, n);  // 1-based
  const double floor = std::floor(position);
  const size_t low = static_cast<size_t>(floor) - 1;
  const size_t high = std::min(low + 1, ascending.size() - 1);
  return ascending[low] + (position - floor) * (ascending[high] - ascending[low]);
}

double Quantile(std::span<const double> values, double p) {
  return QuantileSorted(Sorted(values), p);
}

double Median(std::span<const double> values) {
  if (values.empty()) return kNan;
  std::vector<double> copy(values.begin(), values.end());
  const size_t half = copy.size() / 2;
  std::nth_element(copy.begin(), copy.begin() + static_cast<long>(half), copy.end());
  if (copy.size() % 2 == 1) return copy[half];
  const double below = *std::max_element(copy.begin(), copy.begin() + static_cast<long>(half));
  return 0.5 * (below + copy[half]);
}

Interval MedianInterval(std::span<const double> values, double level) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Interval interval{Median(values), -kInfinity, kInfinity, level};
  const std::vector<double> ascending = Sorted(values);
  const double n = static_cast<double>(values.size());
  double log_term = -n * std::numbers::ln2, tail = 0.0;  // of k of n below the median, and up to k
  for (size_t k = 0; 2 * k + 1 < values.size(); ++k) {
    tail += std::exp(log_term);
    if (2.0 * tail > 1.0 - level) break;
    interval.low = ascending[k];
    interval.high = ascending[values.size() - 1 - k];
    const double below = static_cast<double>(k);
    log_term += std::log((n - below) / (below + 1.0));
  }
  return interval;
}

double MedianAbsoluteDeviation(std::span<const double> values) {
  const double median = Median(values);
  std::vector<double> deviations;
  deviations.reserve(values.size());
  for (double v : values) deviations.push_back(std::fabs(v - median));
  return Median(deviations);
}

}  // namespace smallmind::harness::stats
