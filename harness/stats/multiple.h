// Corrections for many comparisons in one table.
#pragma once

#include <span>
#include <vector>

namespace smallmind::harness::stats {

// Holm's step-down adjusted p-values, in the input's order: reject those <= alpha and the chance of
// any false rejection stays <= alpha, whatever the dependence (Holm, 1979).
std::vector<double> HolmAdjust(std::span<const double> p_values);

}  // namespace smallmind::harness::stats
