// Why a variant is faster or slower: its time against the reference's, kernel by kernel.
//
// From the engine's own timers (`bench --timers`), a mean repetition of a process; what no timer
// covers is "other".
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"

namespace smallmind::harness {

struct BreakdownPart {
  std::string name;           // kernel, "other", "startup", "prefill", "decode"
  double reference_ms = 0.0;  // median over processes, of a repetition
  double variant_ms = 0.0;
  stats::Interval delta_ms;  // variant - reference, paired by round; negative is time saved
  double share = 0.0;        // of the kernels' whole change; NaN where that change is not clear
  double p_value = 1.0;      // of "no change"; among kernels Holm-adjusted
};

struct Breakdown {
  std::string variant;
  Regime regime;
  std::vector<BreakdownPart> kernels;  // largest change first
  std::vector<BreakdownPart> phases;   // startup, prefill, decode
  stats::Interval total_ms;            // change of prefill + decode
  std::string sentence;                // "" where nothing changed clearly
};

// One for each variant and regime with timers on both sides; phases alone where there are no
// timers.
std::vector<Breakdown> ExplainDifferences(const Series& series, const std::string& reference,
                                          const AnalysisOptions& options);

void to_json(Json& json, const Breakdown& breakdown);

}  // namespace smallmind::harness
