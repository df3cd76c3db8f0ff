// Each variant against the reference, metric by metric: how much, how sure, and what could have
// been seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/analysis/series.h"
#include "harness/metrics.h"
#include "harness/record.h"
#include "harness/stats.h"

namespace smallmind::harness {

// The columns of the printed table, in order. Significance is adjusted over all of one regime's
// table.
inline constexpr std::string_view kHeadlineMetrics[] = {
    "startup_ms", "ttft_cold_ms", "ttft_ms", "prefill_tps", "decode_tps", "peak_rss_mib"};

struct AnalysisOptions {
  double level = 0.95;
  double alpha = 0.05;
  double equal_within = 0.01;   // an interval inside 1 +- this is "same", however sharp
  size_t min_clean_rounds = 5;  // fewer clean pairs than this: the result rests on all pairs
  size_t resamples = 2000;
  uint64_t seed = 1;
};

// One cell's values of one metric.
struct MetricSummary {
  std::string variant;
  Regime regime;
  std::string metric;
  size_t n = 0;
  size_t rounds = 0;        // that gave them: with link layouts a round gives several
  size_t contaminated = 0;  // of n
  double median = 0.0;      // of all n
  double mad = 0.0;
  stats::Interval interval;  // of the median (MedianInterval); absolute values carry drift
  stats::OutlierCounts outliers;
  std::vector<int64_t> sample_ids;
};

enum class Verdict { kBetter, kWorse, kSame, kUnclear };

struct Comparison {
  std::string variant;
  Regime regime;
  std::string metric;
  stats::LogRatio all;                // variant / reference, every paired round
  stats::LogRatio clean;              // without rounds in which either side is contaminated
  size_t pairs = 0, clean_pairs = 0;  // rounds, over all link layouts
  size_t rounds = 0;                  // that ratio() rests on: of the layout that has the most
  size_t layouts = 0;                 // link layouts that ratio() rests on; its units from two on
  bool rests_on_clean = false;
  double p_adjusted = 1.0;  // Holm
  size_t family = 1;        // rows that p_adjusted and mde answer for
  double cliffs_delta = 0.0;
  double mann_whitney_p = 1.0;  // unpaired
  double wilcoxon_p = 1.0;      // paired log-ratios
  // Smallest change, as a fraction, that is found with power 0.8 among the family's rows: at alpha
  // / family, Holm's first step.
  double mde = 0.0;
  Verdict verdict = Verdict::kUnclear;
  bool contamination_matters = false;  // the two results differ: both are shown
  // Link layouts of the same code differ by as much: not ranked, so the verdict is kUnclear.
  bool within_layout_luck = false;

  const stats::LogRatio& ratio() const { return rests_on_clean ? clean : all; }
};

// A cell's; n is 0 where nothing was measured.
MetricSummary SummariseCell(const Series& series, const std::string& variant, const Regime& regime,
                            const std::string& metric, Cleanliness clean,
                            const AnalysisOptions& options);
// Of every cell and metric measured, contaminated samples included.
std::vector<MetricSummary> Summarise(const Series& series, const AnalysisOptions& options);

// Every variant but the reference; rows in the order of series.variants(). p-values are adjusted
// within one regime, the headline metrics as one family and all others as a second one.
std::vector<Comparison> Compare(const Series& series, const std::string& reference,
                                const AnalysisOptions& options);

// Of the rounds that both finished. Where there are several link layouts they are the units, and
// from two to kRobustFrom - 1 of them their scatter is pooled over the series' variants
// (stats/pooling.h).
stats::LogRatio PairedRatio(const Series& series, const std::string& variant,
                            const std::string& reference, const Regime& regime,
                            const std::string& metric, Cleanliness clean,
                            const stats::RatioOptions& options);

// One pair of variants, a family of its own: `p_adjusted` is the plain p-value.
Comparison ComparePair(const Series& series, const std::string& variant,
                       const std::string& reference, const Regime& regime,
                       const std::string& metric, const AnalysisOptions& options);

// nullptr where there is no such row.
const Comparison* FindComparison(const std::vector<Comparison>& comparisons,
                                 const std::string& variant, const Regime& regime,
                                 const std::string& metric);

Verdict Judge(const stats::LogRatio& ratio, double p, Direction direction,
              const AnalysisOptions& options);

std::string ToString(Verdict verdict);

void to_json(Json& json, const MetricSummary& summary);
void to_json(Json& json, const Comparison& comparison);
// {"estimate", "low", "high", "p", "units", "df"} as plain ratios; infinite bounds become null.
Json RatioJson(const stats::LogRatio& ratio);
// null for NaN and infinities, which JSON lacks.
Json Number(double value);

}  // namespace smallmind::harness
