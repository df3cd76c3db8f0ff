// Distribution functions that the intervals and tests need: normal, Student t.
//
// Absolute error below 1e-10 in the tested range. Arguments outside a function's domain give NaN.
#pragma once

namespace smallmind::harness::stats {

double NormalCdf(double z);
// p in (0, 1).
double NormalQuantile(double p);

// Regularised incomplete beta function I_x(a, b).
double IncompleteBeta(double a, double b, double x);

// df > 0, not necessarily an integer.
double StudentCdf(double t, double df);
double StudentQuantile(double p, double df);

}  // namespace smallmind::harness::stats
