// Where a series changed its level.
//
// E-divisive (Matteson & James, "A Nonparametric Approach for Multiple Change Point Analysis",
// 2014): the split with the largest energy distance between its sides, kept while a permutation
// test finds it significant, then each side again. Distribution-free, finds changes of level and of
// spread, and needs no threshold but a significance level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace smallmind::harness::stats {

struct ChangePoint {
  size_t index = 0;      // first value of the new regime
  double p_value = 1.0;  // of the permutation test
  double before = 0.0;   // medians of the neighbouring regimes
  double after = 0.0;
};

struct ChangePointOptions {
  double alpha = 0.05;
  size_t permutations = 499;
  size_t min_segment = 5;  // fewest values on either side
  uint64_t seed = 1;
};

// In ascending order of index. O(permutations * n^2) for each change found; where there is none,
// the permutations end as soon as it is certain.
std::vector<ChangePoint> FindChangePoints(std::span<const double> series,
                                          const ChangePointOptions& options = {});

}  // namespace smallmind::harness::stats
