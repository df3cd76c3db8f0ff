// Tested against the examples of Newcombe, "Two-sided confidence intervals for the single
// proportion" (1998).
#include "harness/stats/binomial.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/special.h"

namespace smallmind::harness::stats {
namespace {

// The p for which I_p(a, b) = target, by bisection.
double BetaQuantile(double target, double a, double b) {
  double low = 0.0, high = 1.0;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (IncompleteBeta(a, b, middle) < target ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

Interval WilsonInterval(size_t successes, size_t n, double level) {
  if (n == 0) return {std::numeric_limits<double>::quiet_NaN(), 0.0, 1.0, level};
  const double count = static_cast<double>(n);
  const double share = static_cast<double>(successes) / count;
  const double z = NormalQuantile(0.5 * (1.0 + level));
  const double scale = 1.0 + z * z / count;
  const double centre = (share + z * z / (2.0 * count)) / scale;
  const double reach =
      z * std::sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count)) / scale;
  return {share, std::max(0.0, centre - reach), std::min(1.0, centre + reach), level};
}

Interval ExactBinomialInterval(size_t successes, size_t n, double level) {
  if (n == 0) return {std::numeric_limits<double>::quiet_NaN(), 0.0, 1.0, level};
  const double k = static_cast<double>(successes), count = static_cast<double>(n);
  const double tail = 0.5 * (1.0 - level);
  return {k / count, successes == 0 ? 0.0 : BetaQuantile(tail, k, count - k + 1.0),
          successes == n ? 1.0 : BetaQuantile(1.0 - tail, k + 1.0, count - k), level};
}

}  // namespace smallmind::harness::stats
