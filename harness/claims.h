// The seed guide's promises as rows with a measured verdict.
//
// The guide (a NativeAOT build guide without a measurement behind it) compares JIT with
// ahead-of-time builds. Each of its modes is mapped to the variant that plays its part here, found
// by the manifest's guide_row. A verdict says only what the interval supports: confirmed where it
// lies inside the claimed range, refuted where it lies outside, else inconclusive.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/analysis/outputs.h"
#include "harness/record.h"

namespace smallmind::harness {

enum class ClaimVerdict { kConfirmed, kRefuted, kInconclusive };

struct Claim {
  std::string id;         // of the guide's mode, not the variant: throughput-nativeaot-decode_tps
  std::string statement;  // the guide's words, in short
  std::string variant;    // who is judged; empty where nobody plays the part
  std::string baseline;   // against whom; likewise, and empty for absolute figures
  std::string judged;     // both in words
  Regime regime;          // empty for figures of the binary
  std::string metric;
  std::string expected;  // the guide's range as text
  double expected_low = 0.0, expected_high = 0.0;
  stats::Interval measured;  // in `unit`; a figure without scatter has low = high
  std::string unit;          // "x", "ms", "MB", "%"
  ClaimVerdict verdict = ClaimVerdict::kInconclusive;
  std::string reason;            // one sentence
  bool beyond_interval = false;  // the reason is another than where the interval lies
};

// A row of the guide's own comparison table.
struct GuideRow {
  std::string mode;                             // the guide's name of the build mode
  std::string variant;                          // empty where none plays the part
  std::string startup, throughput, size, ttft;  // the guide's words
};

std::vector<GuideRow> GuideTable(const RunInfo& run);

// On clean rounds where enough remain (AnalysisOptions); inconclusive where the others would have
// given another verdict.
std::vector<Claim> JudgeClaims(const RunInfo& run, const Series& series,
                               const std::vector<OutputCheck>& outputs,
                               const AnalysisOptions& options);

// The rule, alone: where does [low, high] lie against [expected_low, expected_high]?
ClaimVerdict JudgeRange(const stats::Interval& measured, double expected_low, double expected_high);

// A claim counts as confirmed or refuted where its verdicts say so for every model and workload,
// else as inconclusive.
struct ClaimTally {
  size_t claims = 0, confirmed = 0, refuted = 0, inconclusive = 0;
};
ClaimTally TallyClaims(const std::vector<Claim>& claims);

std::string ToString(ClaimVerdict verdict);
void to_json(Json& json, const Claim& claim);
void to_json(Json& json, const ClaimTally& tally);
void to_json(Json& json, const GuideRow& row);

}  // namespace smallmind::harness
