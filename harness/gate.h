// The gate's judgement: is the new binary worse than the old one by more than a threshold?
//
// A row is one metric of one model under one workload. With worse = how much worse the new one is,
// in percent, and its 95 % interval [low, high]:
//   regression    the difference is significant (Holm over all rows) and worse >= threshold
//   improvement   the difference is significant and worse <= -threshold
//   pass          high < threshold: a loss of that size is excluded
//   inconclusive  anything else: more rounds, or a quieter machine
// One regression fails the gate; else one inconclusive throughput row leaves it inconclusive,
// because throughput is what the rounds are planned for; other rows can only fail it. Improvements
// pass.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/record.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {

enum class GateVerdict { kPass, kImprovement, kInconclusive, kRegression };

struct GateRow {
  std::string regime;  // "smollm2-135m-q8_0, p128-n32-t4"; "binary" for sizes
  std::string metric;
  double before = 0, after = 0;  // medians
  double worse_pct = 0, low_pct = 0, high_pct = 0;
  double p = 1, p_adjusted = 1;
  size_t pairs = 0;  // rounds, or batches of them where nothing is paired
  double threshold_pct = 0;
  stats::Interval log;  // of after / before
  double df = 0;        // of the interval's width; 0 where it bounds nothing
  // Smallest change that is found with power 0.8 among all measured rows (Holm's first step);
  // infinite: none.
  double mde_pct = 0;
  GateVerdict verdict = GateVerdict::kInconclusive;
};

struct GateResult {
  std::string before_name, after_name;
  std::string output_difference;  // "" or why speed was not judged
  std::vector<GateRow> rows;
  std::vector<std::string> notes;

  GateVerdict Verdict() const;  // different output is a regression, no throughput row inconclusive
  int ExitCode() const;         // 0, 3 or 4
};

// metric -> percent. "decode_tps=2,startup_ms=10" overrides single ones; RunError for others.
std::map<std::string, double> GateThresholds(const std::string& overrides);

// Both competitors measured in the same rounds: paired.
GateResult JudgePaired(const RunInfo& run, const std::vector<Sample>& samples,
                       const std::string& before, const std::string& after,
                       const std::map<std::string, double>& thresholds);

// Against a stored record alone: unpaired, values of a batch of rounds divided by what the machine
// could do meanwhile (ceilings; the calibration loop for startup). Blinder than JudgePaired by far.
GateResult JudgeBaseline(const RunInfo& old_run, const std::vector<Sample>& old_samples,
                         const RunInfo& new_run, const std::vector<Sample>& new_samples,
                         const std::string& variant,
                         const std::map<std::string, double>& thresholds);

std::string ToString(GateVerdict verdict);
std::string GateMarkdown(const GateResult& result);
Json GateJson(const GateResult& result);

}  // namespace smallmind::harness
