// From exec to the first token, phase by phase, with page faults and relocations.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"

namespace smallmind::harness {

struct WaterfallPhase {
  std::string name;  // "exec to main", "mapped", "tokenizer", "ready", "first token"
  double start_ms = 0.0;
  double length_ms = 0.0;  // medians
  double low_ms = 0.0, high_ms = 0.0;
};

struct Waterfall {
  std::string variant;
  Regime regime;
  std::vector<WaterfallPhase> phases;
  double minor_faults = 0.0, major_faults = 0.0;  // medians of the whole process
  int64_t relocations =
      -1;  // entries the loader applies before main; -1 where the sections are unknown
};

std::vector<Waterfall> DrawWaterfalls(const RunInfo& run, const Series& series,
                                      const AnalysisOptions& options);

void to_json(Json& json, const Waterfall& waterfall);

}  // namespace smallmind::harness
