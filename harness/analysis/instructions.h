// Why: do a variant's tokens take other instructions than the reference's, or the same ones faster?
//
// From valgrind's counts (run.instructions: a prompt token, a generated token), or from hardware
// counters where the machine has them (a whole process). Beside each ratio stands that of the times
// measured in the same run.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {

struct InstructionRatio {
  std::string variant;
  Regime regime;       // that of the time; the workload is empty where none was measured
  std::string source;  // "callgrind" | "counters"
  std::string target;  // Highway target that was counted
  std::string work;    // "prefill" | "decode": a token; "process"
  double count = stats::kNan;
  double ratio = stats::kNan;       // count / the reference's
  double time_ratio = stats::kNan;  // time / the reference's
  bool time_clear = false;          // the times differ beyond chance
  std::string reason;               // why there is no count
  std::string sentence;             // "" where the count is within kSameWork of the reference's
};

// Counts nearer than this are called the same.
inline constexpr double kSameWork = 0.05;

// In the run's order of variants; empty where nothing was counted and nothing was asked for.
std::vector<InstructionRatio> RelateInstructions(const RunInfo& run, const Series& series,
                                                 const std::vector<Comparison>& comparisons);

void to_json(Json& json, const InstructionRatio& ratio);

}  // namespace smallmind::harness
