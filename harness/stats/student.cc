// Tested against published examples and by the coverage of simulated samples (student_test.cc,
// coverage_test.cc).
#include "harness/stats/student.h"

#include <cmath>
#include <limits>

#include "harness/stats/special.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {

double ExpandedTail(size_t n, double level) {
  const double count = static_cast<double>(n);
  const double t = StudentQuantile(0.5 * (1.0 - level), count - 1.0);
  return NormalCdf(std::sqrt(count / (count - 1.0)) * t);
}

double TwoSidedStudent(double estimate, double error, double df) {
  if (!(error > 0.0)) return estimate == 0.0 ? 1.0 : 0.0;
  return 2.0 * StudentCdf(-std::fabs(estimate / error), df);
}

double StandardError(const Interval& interval, double df) {
  if (!std::isfinite(interval.HalfWidth())) return std::numeric_limits<double>::infinity();
  return interval.HalfWidth() / StudentQuantile(0.5 * (1.0 + interval.level), df);
}

Interval StudentInterval(std::span<const double> values, double level) {
  const double estimate = Mean(values);
  if (values.size() < 2) {
    const double infinity = std::numeric_limits<double>::infinity();
    return {estimate, -infinity, infinity, level};
  }
  const double n = static_cast<double>(values.size());
  const double reach =
      StudentQuantile(0.5 * (1.0 + level), n - 1.0) * StandardDeviation(values) / std::sqrt(n);
  return {estimate, estimate - reach, estimate + reach, level};
}

}  // namespace smallmind::harness::stats
