// What both of the gate's judgements share: rows and their verdicts.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "harness/analysis/series.h"
#include "harness/gate.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {

// A row without its figures: medians of the values, "inconclusive", nothing detectable.
GateRow EmptyRow(const Regime& regime, const std::string& metric, double threshold_pct,
                 const std::vector<double>& before, const std::vector<double>& after);

// From the log of after / before, whose width has `df` degrees of freedom: worse_pct with its
// interval, and p. Fewer than three units bound nothing.
void SetEstimate(GateRow& row, stats::Interval log, double df, double p, size_t units);

// The binaries' sizes as rows: facts without an interval, p 0 or 1.
void AddSizes(const RunInfo& before_run, const std::string& before, const RunInfo& after_run,
              const std::string& after, const std::map<std::string, double>& thresholds,
              std::vector<GateRow>& rows);

// Holm over the measured rows (a size is not a test), then each row's verdict and what it could
// have seen among them.
void JudgeRows(std::vector<GateRow>& rows);

// "" or the first regime in which the two gave different tokens or logits.
std::string OutputDifference(const std::vector<Sample>& old_samples, const std::string& before,
                             const std::vector<Sample>& new_samples, const std::string& after);

}  // namespace smallmind::harness
