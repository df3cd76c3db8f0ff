// From exec to the first token, phase by phase, with page faults and relocations.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {

struct WaterfallPhase {
  // "loader" (exec, mapping, relocations), "constructors", "mapped", "tokenizer", "ready", "first
  // token"; "exec to main" instead of the first two where an engine does not tell them apart
  std::string name;
  double start_ms = 0.0;
  double length_ms = 0.0;  // medians
  double low_ms = 0.0, high_ms = 0.0;
  // Medians of those taken in the phase; NaN where the engine does not report them.
  double minor_faults = stats::kNan;
  double major_faults = stats::kNan;
};

struct Waterfall {
  std::string variant;
  Regime regime;
  std::vector<WaterfallPhase> phases;
  double minor_faults = 0.0, major_faults = 0.0;  // medians of the whole process
  // Entries that the loader applies, all of them before main; -1 where the sections are unknown.
  int64_t relocations = -1;
};

std::vector<Waterfall> DrawWaterfalls(const RunInfo& run, const Series& series,
                                      const AnalysisOptions& options);

void to_json(Json& json, const Waterfall& waterfall);

}  // namespace smallmind::harness
