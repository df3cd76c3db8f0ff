// Tested by simulation: at the stated effect the t test rejects in the stated share of samples.
#include "harness/stats/power.h"

#include <cmath>
#include <limits>

#include "harness/stats/special.h"

namespace smallmind::harness::stats {

double MinimumDetectableEffect(double standard_deviation, size_t n, double alpha, double power) {
  if (n < 2) return std::numeric_limits<double>::infinity();
  const double df = static_cast<double>(n - 1);
  const double reach = StudentQuantile(1.0 - 0.5 * alpha, df) + StudentQuantile(power, df);
  return reach * standard_deviation / std::sqrt(static_cast<double>(n));
}

double MinimumDetectableEffect(const Interval& interval, size_t n, double alpha, double power) {
  if (n < 2 || !std::isfinite(interval.HalfWidth())) return std::numeric_limits<double>::infinity();
  const double df = static_cast<double>(n - 1);
  const double error = interval.HalfWidth() / StudentQuantile(0.5 * (1 + interval.level), df);
  return MinimumDetectableEffect(error * std::sqrt(df + 1), n, alpha, power);
}

}  // namespace smallmind::harness::stats
