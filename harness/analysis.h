// Everything a run's record says, as plain data: what the table, the report, the plots and the
// exporters print. Pure: the same record gives the same analysis, on any machine, to the last
// resample.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/comparison.h"
#include "harness/analysis/ledger.h"
#include "harness/analysis/outputs.h"
#include "harness/analysis/series.h"
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
  std::vector<OutputCheck> outputs;
  Ledger ledger;
  std::vector<GuideRow> guide;
  std::vector<Claim> claims;
  std::vector<std::string> warnings;  // specific, each with what to do about it

  // nullptr where there is none.
  const MetricSummary* Summary(const std::string& variant, const Regime& regime,
                               const std::string& metric) const;
  const Comparison* Against(const std::string& variant, const Regime& regime,
                            const std::string& metric) const;
  // "" or why this variant may not be ranked.
  std::string Unranked(const std::string& variant) const;
};

Analysis Analyze(const RunInfo& run, const std::vector<Sample>& samples,
                 const AnalysisOptions& options = {});

// The value of run.json's "analysis" (results/schema/run.schema.json).
Json ToJson(const Analysis& analysis);

}  // namespace smallmind::harness
