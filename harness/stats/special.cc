// Normal and its quantile through the library's erfc and Newton steps; Student t and binomial
// through the incomplete beta function's continued fraction (DLMF 8.17.22, evaluated by Lentz's
// method). Tested against printed tables and inverse identities.
#include "harness/stats/special.h"

#include <cmath>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {
namespace {

// The continued fraction of I_x(a, b); converges fast for x < (a + 1) / (a + b + 2).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1.0;
  double d = 1.0 - (a + b) * x / (a + 1.0);
  if (std::fabs(d) < kTiny) d = kTiny;
  d = 1.0 / d;
  double result = d;
  for (int m = 1; m <= 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 + even * d;
    c = 1.0 + even / c;
    if (std::fabs(d) < kTiny) d = kTiny;
    if (std::fabs(c) < kTiny) c = kTiny;
    d = 1.0 / d;
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 + odd * d;
    c = 1.0 + odd / c;
    if (std::fabs(d) < kTiny) d = kTiny;
    if (std::fabs(c) < kTiny) c = kTiny;
    d = 1.0 / d;
    const double step = d * c;
    result *= step;
    if (std::fabs(step - 1.0) < 1e-15) break;
  }
  return result;
}

}  // namespace

double NormalCdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double NormalQuantile(double p) {
  if (!(p > 0.0 && p < 1.0)) return kNan;
  if (p > 0.5) return -NormalQuantile(1.0 - p);
  // Start: tail expansion sqrt(-2 ln p); Newton on log Φ is monotone and converges in a few steps.
  double z = p < 0.02 ? -std::sqrt(-2.0 * std::log(p)) + 0.5 : (p - 0.5) * std::sqrt(2.0 * M_PI);
  for (int i = 0; i < 60; ++i) {
    const double cdf = NormalCdf(z);
    const double density = std::exp(-0.5 * z * z) / std::sqrt(2.0 * M_PI);
    const double step = (std::log(cdf) - std::log(p)) * cdf / density;
    z -= step;
    if (std::fabs(step) < 1e-14) break;
  }
  return z;
}

double IncompleteBeta(double a, double b, double x) {
  if (!(a > 0.0 && b > 0.0) || !(x >= 0.0 && x <= 1.0)) return kNan;
  if (x == 0.0 || x == 1.0) return x;
  const double log_front =
      std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  const double front = std::exp(log_front);
  if (x < (a + 1.0) / (a + b + 2.0)) return front * BetaFraction(a, b, x) / a;
  return 1.0 - front * BetaFraction(b, a, 1.0 - x) / b;
}

double StudentCdf(double t, double df) {
  if (!(df > 0.0)) return kNan;
  const double tail = 0.5 * IncompleteBeta(0.5 * df, 0.5, df / (df + t * t));
  return t > 0.0 ? 1.0 - tail : tail;
}

double StudentQuantile(double p, double df) {
  if (!(p > 0.0 && p < 1.0) || !(df > 0.0)) return kNan;
  if (p > 0.5) return -StudentQuantile(1.0 - p, df);
  if (p == 0.5) return 0.0;
  double low = -1.0;
  while (StudentCdf(low, df) > p && low > -1e300) low *= 2.0;
  double high = 0.0;
  for (int i = 0; i < 200 && high - low > 1e-13 * (1.0 - low); ++i) {
    const double middle = 0.5 * (low + high);
    (StudentCdf(middle, df) > p ? high : low) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace smallmind::harness::stats
