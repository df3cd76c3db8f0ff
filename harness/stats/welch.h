// The difference of two independent samples' means, variances not assumed equal.
#pragma once

#include <span>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

struct WelchTest {
  Interval difference;   // mean(b) - mean(a); unbounded for fewer than two values in either
  double p_value = 1.0;  // two-sided, of "no difference"
  double df = 0.0;       // Welch-Satterthwaite
};

// Welch, "The generalization of 'Student's' problem when several different population variances are
// involved" (1947).
WelchTest Welch(std::span<const double> a, std::span<const double> b, double level = 0.95);

}  // namespace smallmind::harness::stats
