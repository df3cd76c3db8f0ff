// Student's interval, and how far his t widens a bootstrap of few values.
//
// Source: Hesterberg, "What Teachers Should Know About the Bootstrap" (2015) for the expanded
// percentile interval: percentiles moved outwards to undo the bootstrap's narrowness bias,
// z -> t(n-1) * sqrt(n / (n-1)).
#pragma once

#include <cstddef>
#include <span>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

// Of the mean; exact for a normal sample. Fewer than two values bound nothing.
Interval StudentInterval(std::span<const double> values, double level);

// Two-sided p-value of "the true value is zero", from an estimate and its standard error.
double TwoSidedStudent(double estimate, double error, double df);

// The standard error behind an interval whose width has `df` degrees of freedom; infinity where it
// bounds nothing.
double StandardError(const Interval& interval, double df);

// Percentile level that the expanded interval uses for `n` independent units.
double ExpandedTail(size_t n, double level);

}  // namespace smallmind::harness::stats
