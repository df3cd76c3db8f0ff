// Tested against R's documented t.test of the sleep data (small_tests_test.cc).
#include "harness/stats/welch.h"

#include <cmath>
#include <limits>

#include "harness/stats/special.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {

WelchTest Welch(std::span<const double> a, std::span<const double> b, double level) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  WelchTest test;
  const double estimate = Mean(b) - Mean(a);
  test.difference = {estimate, -kInfinity, kInfinity, level};
  if (a.size() < 2 || b.size() < 2) return test;
  const double n_a = static_cast<double>(a.size()), n_b = static_cast<double>(b.size());
  const double var_a = Variance(a) / n_a, var_b = Variance(b) / n_b;
  const double error = std::sqrt(var_a + var_b);
  if (!(error > 0)) {
    test.difference.low = test.difference.high = estimate;
    test.p_value = estimate == 0 ? 1 : 0;
    test.df = n_a + n_b - 2;
    return test;
  }
  test.df =
      (var_a + var_b) * (var_a + var_b) / (var_a * var_a / (n_a - 1) + var_b * var_b / (n_b - 1));
  const double reach = StudentQuantile(0.5 * (1 + level), test.df) * error;
  test.difference.low = estimate - reach;
  test.difference.high = estimate + reach;
  test.p_value = 2 * StudentCdf(-std::fabs(estimate / error), test.df);
  return test;
}

}  // namespace smallmind::harness::stats
