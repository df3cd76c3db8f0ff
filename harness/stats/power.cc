// Tested by simulation: at the stated effect the t test rejects in the stated share of samples.
#include "harness/stats/power.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/stats/special.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {

double MinimumDetectableEffect(double standard_deviation, size_t n, double alpha, double power) {
  if (n < 2) return std::numeric_limits<double>::infinity();
  const double df = static_cast<double>(n - 1);
  const double reach = StudentQuantile(1.0 - 0.5 * alpha, df) + StudentQuantile(power, df);
  return reach * standard_deviation / std::sqrt(static_cast<double>(n));
}

double MinimumDetectableEffect(std::span<const double> differences, double alpha, double power) {
  if (differences.size() < 2) return std::numeric_limits<double>::infinity();
  const double robust = 1.4826 * MedianAbsoluteDeviation(differences);
  return MinimumDetectableEffect(std::max(robust, StandardDeviation(differences)),
                                 differences.size(), alpha, power);
}

double MinimumDetectableEffect(const Interval& interval, size_t n, double alpha, double power) {
  if (n < 2 || !std::isfinite(interval.HalfWidth())) return std::numeric_limits<double>::infinity();
  const double df = static_cast<double>(n - 1);
  const double error = interval.HalfWidth() / StudentQuantile(0.5 * (1 + interval.level), df);
  return MinimumDetectableEffect(error * std::sqrt(df + 1), n, alpha, power);
}

size_t RoundsToDetect(double effect, double standard_deviation, double alpha, double power,
                      size_t limit) {
  const auto enough = [&](size_t n) {
    return MinimumDetectableEffect(standard_deviation, n, alpha, power) <= std::fabs(effect);
  };
  size_t low = 2, high = limit;
  if (!enough(high)) return limit;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (enough(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace smallmind::harness::stats
