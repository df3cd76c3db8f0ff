// Everything a run's record says, as plain data: what the table, the report, the plots and the
// exporters print. Pure: the same record gives the same analysis, on any machine, to the last
// resample.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/analysis/breakdown.h"
#include "harness/analysis/choice.h"
#include "harness/analysis/comparison.h"
#include "harness/analysis/factorial.h"
#include "harness/analysis/footprint.h"
#include "harness/analysis/instructions.h"
#include "harness/analysis/leader.h"
#include "harness/analysis/ledger.h"
#include "harness/analysis/outputs.h"
#include "harness/analysis/roofline.h"
#include "harness/analysis/series.h"
#include "harness/analysis/waterfall.h"
#include "harness/claims.h"
#include "harness/record.h"

namespace smallmind::harness {

struct Analysis {
  AnalysisOptions options;
  std::string reference;
  std::vector<Regime> regimes;
  std::vector<std::string> variants;  // measured, in the run's order
  std::vector<MetricSummary> summaries;
  std::vector<Comparison> comparisons;
  std::vector<Leader> leaders;
  std::vector<OutputCheck> outputs;
  Ledger ledger;
  std::vector<GuideRow> guide;
  std::vector<Claim> claims;
  std::vector<Factorial> factorial;
  std::vector<Breakdown> breakdown;
  std::vector<InstructionRatio> instructions;
  std::vector<RooflinePoint> roofline;
  std::vector<Waterfall> waterfall;
  std::vector<Footprint> footprint;
  std::vector<ParetoPoint> pareto;
  std::vector<LayoutSpread> layouts;
  std::vector<PgoGap> pgo;
  std::vector<Recommendation> recommendations;
  std::vector<std::string> warnings;  // specific, each with what to do about it

  // nullptr where there is none.
  const MetricSummary* Summary(const std::string& variant, const Regime& regime,
                               const std::string& metric) const;
  const Comparison* Against(const std::string& variant, const Regime& regime,
                            const std::string& metric) const;
  // Rounds that the variant's decode ratio rests on; the reference's: rounds measured. 0: none.
  size_t Rounds(const std::string& variant, const Regime& regime) const;
  // "" or why this variant may not be ranked.
  std::string Unranked(const std::string& variant) const;
};

// `symbols` (ReadSymbols) adds functions to the footprint; everything else needs the record alone.
Analysis Analyze(const RunInfo& run, const std::vector<Sample>& samples,
                 const AnalysisOptions& options = {},
                 const std::map<std::string, std::vector<SymbolSize>>& symbols = {});

// The value of run.json's "analysis" (results/schema/run.schema.json).
Json ToJson(const Analysis& analysis);

}  // namespace smallmind::harness
