// Who is ahead of the reference by most, and whom it was not told apart from: that it beats the
// reference says nothing of the others.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/analysis/outputs.h"

namespace smallmind::harness {

struct Leader {
  Regime regime;
  std::string metric;  // decode_tps | prefill_tps
  std::string variant;
  // Not worse than it beyond chance, Holm-adjusted over its rivals; who has too few rounds for an
  // interval is no rival.
  std::vector<std::string> beside;
};

// One where any ranked row of `comparisons` is better than the reference.
std::vector<Leader> FindLeaders(const Series& series, const std::vector<Comparison>& comparisons,
                                const std::vector<OutputCheck>& outputs,
                                const AnalysisOptions& options);

}  // namespace smallmind::harness
