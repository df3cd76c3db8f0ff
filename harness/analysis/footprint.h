// What a variant's bytes are: sections and functions against the reference, and whether they run.
//
// Functions are joined over variants by their folded name: compilers split, clone and rename them
// with suffixes (.cold, .part.0, .isra.0, .constprop.0, .lto_priv.0, .llvm.123), which are parts of
// one function.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/elf.h"

namespace smallmind::harness {

// Whether code runs here. Highway compiles a kernel once a target, in a namespace N_<TARGET>; one
// target runs, the others are carried along.
enum class Heat {
  kRunningTarget,  // kernels of the target that this machine chose
  kOtherTarget,    // kernels of targets that it did not
  kCold,           // split off by the compiler as unlikely
  kOther,          // the rest of the program
};

struct FunctionDelta {
  std::string name;  // folded, demangled
  int64_t reference_bytes = 0;
  int64_t variant_bytes = 0;
};

struct Footprint {
  std::string variant;
  int64_t stripped_bytes = 0, reference_bytes = 0;
  std::map<std::string, int64_t> section_delta;  // bytes against the reference; equal ones left out
  std::map<std::string, int64_t> heat_bytes;     // by ToString(Heat); empty for a stripped file
  std::map<std::string, int64_t> heat_delta;
  std::vector<FunctionDelta> functions;  // the largest changes first, at most 20
  Regime regime;                         // of speed_gain
  double speed_gain = 0.0;               // decode ratio - 1 on the largest model, NaN unmeasured
  double gain_per_kib = 0.0;             // of added size; NaN where it did not grow
};

// "x.part.0.cold" -> "x"; sets *cold where a cold suffix was among them.
std::string FoldSymbol(const std::string& symbol, bool* cold = nullptr);

Heat HeatOf(const SymbolSize& symbol, const std::string& running_target);

// `symbols` by variant name; variants without an entry (stripped, peers) get sections alone.
std::vector<Footprint> MeasureFootprints(
    const RunInfo& run, const std::map<std::string, std::vector<SymbolSize>>& symbols,
    const std::vector<Comparison>& comparisons);

// Reads the symbols of each variant's binary that still exists; unreadable ones are left out.
std::map<std::string, std::vector<SymbolSize>> ReadSymbols(const RunInfo& run);

// What an earlier analysis (run.json's "analysis") knew of the symbols of binaries that are gone by
// now: a record stays whole on another machine.
void RestoreSymbols(std::vector<Footprint>& footprints, const Json& earlier_analysis);

std::string ToString(Heat heat);
void to_json(Json& json, const Footprint& footprint);

}  // namespace smallmind::harness
