// Tested against R's p.adjust and by the family-wise error rate of simulated nulls.
#include "harness/stats/multiple.h"

#include <algorithm>
#include <numeric>

namespace smallmind::harness::stats {

std::vector<double> HolmAdjust(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Not std::stable_sort: GCC 12's uses what Clang calls deprecated. Ties come out equal anyway.
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return p_values[a] != p_values[b] ? p_values[a] < p_values[b] : a < b;
  });
  std::vector<double> adjusted(p_values.size());
  double running = 0.0;
  for (size_t i = 0; i < order.size(); ++i) {
    const double scaled = p_values[order[i]] * static_cast<double>(order.size() - i);
    running = std::max(running, std::min(1.0, scaled));
    adjusted[order[i]] = running;
  }
  return adjusted;
}

}  // namespace smallmind::harness::stats
