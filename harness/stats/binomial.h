// Confidence intervals of a proportion.
#pragma once

#include <cstddef>

#include "harness/stats/interval.h"

namespace smallmind::harness::stats {

// Wilson's score interval; n = 0 gives [0, 1].
Interval WilsonInterval(size_t successes, size_t n, double level = 0.95);

}  // namespace smallmind::harness::stats
