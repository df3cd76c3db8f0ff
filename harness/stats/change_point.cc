// Scaled energy statistic Q(X, Y) = mn/(m+n) * (2 E|X-Y| - E|X-X'| - E|Y-Y'|), updated in O(n) as
// the split moves by one, so a scan of a segment costs O(n^2). Tested on the Nile's flow at Aswan
// (a change in 1898) and on simulated series with and without a step.
#include "harness/stats/change_point.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/rng.h"
#include "harness/stats/summary.h"

namespace smallmind::harness::stats {
namespace {

struct Split {
  size_t index = 0;
  double energy = 0.0;
};

// Best split of `x` with at least `min_side` values a side; energy 0 and index 0 where none fits.
Split BestSplit(std::span<const double> x, size_t min_side) {
  const size_t n = x.size();
  Split best;
  if (n < 2 * min_side) return best;
  // Sums of |a-b| over pairs inside the left part, inside the right part and across.
  double left = 0.0, right = 0.0, across = 0.0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j) right += std::fabs(x[i] - x[j]);
  }
  for (size_t split = 1; split < n; ++split) {
    const double moved = x[split - 1];
    double to_left = 0.0, to_right = 0.0;
    for (size_t i = 0; i + 1 < split; ++i) to_left += std::fabs(moved - x[i]);
    for (size_t i = split; i < n; ++i) to_right += std::fabs(moved - x[i]);
    left += to_left;
    right -= to_right;
    across += to_right - to_left;
    if (split < min_side || n - split < min_side) continue;
    const double m = static_cast<double>(split), k = static_cast<double>(n - split);
    const double within_left = m > 1 ? 2.0 * left / (m * (m - 1.0)) : 0.0;
    const double within_right = k > 1 ? 2.0 * right / (k * (k - 1.0)) : 0.0;
    const double energy = m * k / (m + k) * (2.0 * across / (m * k) - within_left - within_right);
    if (energy > best.energy) best = {split, energy};
  }
  return best;
}

}  // namespace

std::vector<ChangePoint> FindChangePoints(std::span<const double> series,
                                          const ChangePointOptions& options) {
  std::vector<size_t> edges = {0, series.size()};
  std::vector<ChangePoint> found;
  Rng rng(options.seed);
  const size_t min_side = std::max<size_t>(options.min_segment, 2);
  while (true) {
    // The candidate is the best split over all present segments; its p-value compares with the best
    // split over the same segments, each shuffled in itself.
    Split best;
    for (size_t s = 0; s + 1 < edges.size(); ++s) {
      const Split split = BestSplit(series.subspan(edges[s], edges[s + 1] - edges[s]), min_side);
      if (split.energy > best.energy) best = {edges[s] + split.index, split.energy};
    }
    if (best.index == 0) break;
    size_t as_large = 0;
    const auto p_value = [&] {
      return static_cast<double>(as_large + 1) / static_cast<double>(options.permutations + 1);
    };
    for (size_t p = 0; p < options.permutations; ++p) {
      double largest = 0.0;
      for (size_t s = 0; s + 1 < edges.size(); ++s) {
        const auto segment = series.subspan(edges[s], edges[s + 1] - edges[s]);
        std::vector<double> shuffled(segment.begin(), segment.end());
        rng.Shuffle(shuffled);
        largest = std::max(largest, BestSplit(shuffled, min_side).energy);
      }
      as_large += largest >= best.energy ? 1 : 0;
      // No significance any more, whatever the rest gives: most series end here after a few.
      if (p_value() > options.alpha) break;
    }
    if (p_value() > options.alpha) break;
    found.push_back({best.index, p_value(), 0.0, 0.0});
    edges.insert(std::lower_bound(edges.begin(), edges.end(), best.index), best.index);
  }
  std::sort(found.begin(), found.end(),
            [](const ChangePoint& a, const ChangePoint& b) { return a.index < b.index; });
  for (size_t i = 0; i < found.size(); ++i) {
    const size_t begin = edges[i], middle = edges[i + 1], end = edges[i + 2];
    found[i].before = Median(series.subspan(begin, middle - begin));
    found[i].after = Median(series.subspan(middle, end - middle));
  }
  return found;
}

}  // namespace smallmind::harness::stats
