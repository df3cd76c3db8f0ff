// What to ship: the Pareto front, the spread of link layouts, PGO's honesty gap, and a choice a
// goal.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/analysis/outputs.h"

namespace smallmind::harness {

// Objectives of a variant, all as ratios to the reference (speed: higher is better; others: lower).
struct ParetoPoint {
  std::string variant;
  Regime regime;
  stats::LogRatio speed, rss, startup;  // the main table's
  double size = 0.0;
  bool on_front = false;
  std::string beaten_by;  // a variant that is better somewhere beyond doubt and worse nowhere
};

struct LayoutSpread {
  std::string variant;
  Regime regime;
  std::string metric;
  size_t layouts = 0;
  double spread = 0.0;     // standard deviation of the layouts' centres, as a fraction
  stats::LogRatio effect;  // against the reference, layouts as units
  bool above = false;      // the effect exceeds the luck of both sides' layouts: worth ranking
};

struct PgoGap {
  std::string variant;
  std::string base;        // the same row without a profile
  Regime regime;           // of the evaluation
  std::string metric;      // decode_tps | prefill_tps
  double coverage = -1.0;  // of the hot code, -1 unknown
  // Gain over `base` on unseen and on training prompts, and the second over the first, each taken
  // inside a round; NaN where the training prompts were not run.
  stats::LogRatio evaluated, on_training, gap;
  std::string sentence;
};

struct Recommendation {
  std::string goal;      // interactive | batch | serverless cold start | embedded
  std::string variant;   // empty where nothing could be chosen
  std::string evidence;  // the line that says why
  std::vector<std::string>
      as_good;  // not distinguishable from the best; the simplest of them is chosen
};

// A row is beaten by another whose verdict is "better" in one objective at least (the table's own
// against the reference, else adjusted over all other pairs), and whose interval lies on the worse
// side in none. Where the run tells nothing, nobody is beaten.
std::vector<ParetoPoint> FindParetoFront(const RunInfo& run, const Series& series,
                                         const std::vector<Comparison>& comparisons,
                                         const std::vector<OutputCheck>& outputs,
                                         const AnalysisOptions& options);
std::vector<LayoutSpread> MeasureLayouts(const RunInfo& run, const Series& series,
                                         const AnalysisOptions& options);
// `training`: the same run's samples on training prompts.
std::vector<PgoGap> MeasurePgoGap(const RunInfo& run, const Series& series, const Series& training,
                                  const AnalysisOptions& options);
std::vector<Recommendation> Recommend(const RunInfo& run, const Series& series,
                                      const std::vector<MetricSummary>& summaries,
                                      const std::vector<OutputCheck>& outputs,
                                      const AnalysisOptions& options);

void to_json(Json& json, const ParetoPoint& point);
void to_json(Json& json, const LayoutSpread& spread);
void to_json(Json& json, const PgoGap& gap);
void to_json(Json& json, const Recommendation& recommendation);

}  // namespace smallmind::harness
