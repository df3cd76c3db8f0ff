// The 2x2x2 of native x LTO x PGO: what each flag does, alone and beside the others.
//
// Contrasts are taken inside a round from the logs of all eight variants, so drift cancels; an
// effect is the centre of its contrasts over the rounds, as a factor. Where there are several link
// layouts, they are the units (stats/hierarchy.h).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/analysis/comparison.h"

namespace smallmind::harness {

struct FactorialEffect {
  std::string name;          // "native", "LTO x PGO"
  bool interaction = false;  // main effects: mean over the other factors; interactions: the extra
                             // factor that both have together
  stats::LogRatio effect;
  Verdict verdict = Verdict::kUnclear;
};

struct Factorial {
  std::string toolchain;
  Regime regime;
  std::string metric;
  std::array<std::string, 8> variants;   // index bits: 4 native, 2 LTO, 1 PGO
  std::vector<FactorialEffect> effects;  // three main, three pairs, one triple
  std::vector<FactorialEffect> given;    // "LTO given PGO": one factor's effect where another is on
  stats::LogRatio predicted;             // product of the three flags measured alone
  stats::LogRatio measured;              // all three together
  stats::LogRatio surplus;               // measured / predicted
  size_t rounds = 0;
  size_t layouts = 0;  // link layouts; the effects' units from two on
  std::vector<std::string> sentences;
};

// Empty strings where the run lacks a cell. Only rows at -O2, without layouts of their own or
// post-processing, and of that toolchain play.
std::array<std::string, 8> FactorialVariants(const RunInfo& run, const std::string& toolchain);

// Decode and prefill of each regime, for each toolchain that has all eight.
std::vector<Factorial> AnalyzeFactorial(const RunInfo& run, const Series& series,
                                        const AnalysisOptions& options);

void to_json(Json& json, const Factorial& factorial);

}  // namespace smallmind::harness
