#include "harness/analysis.h"

#include <cmath>

#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

std::vector<std::string> Warn(const Analysis& a, const RunInfo& run) {
  std::vector<std::string> warnings;
  for (const OutputCheck& check : a.outputs) {
    if (Disqualifies(check.status)) {
      warnings.push_back(check.variant + " on " + check.regime.model +
                         " computes something else (" + check.detail +
                         "): not ranked; see `harness verify`");
    }
  }
  const VariantInfo* reference = FindVariant(run, run.reference);
  for (const std::string& name : a.variants) {
    const VariantInfo* variant = FindVariant(run, name);
    if (name == run.reference || variant == nullptr || reference == nullptr) continue;
    if (variant->size.text_hash.empty() || variant->size.text_hash != reference->size.text_hash)
      continue;
    warnings.push_back(name + ": its code is that of " + run.reference +
                       ", byte for byte; what differs between them is noise");
  }
  const Ledger& ledger = a.ledger;
  for (const auto& [variant, count] : ledger.failed_by_variant) {
    warnings.push_back(variant + ": " + std::to_string(count) +
                       " samples failed; reasons in samples.jsonl");
  }
  if (ledger.usable > 0 && 4 * ledger.contaminated > ledger.usable) {
    std::string causes;
    for (const auto& [cause, count] : ledger.by_cause) {
      causes += (causes.empty() ? "" : ", ") + cause + " x " + std::to_string(count);
    }
    warnings.push_back(
        PercentText(static_cast<double>(ledger.contaminated) / static_cast<double>(ledger.usable)) +
        " of the samples are contaminated (" + causes + ")" +
        (ledger.concentrated_in.empty() ? "" : ", most of them in " + ledger.concentrated_in) +
        ": stop what else runs on this machine, or add rounds");
  }
  double worst = 0.0;
  size_t rows = 0;
  std::string where;
  for (const Comparison& c : a.comparisons) {
    if (c.metric == "decode_tps" && c.verdict == Verdict::kUnclear && std::isfinite(c.mde) &&
        c.mde > worst) {
      worst = c.mde;
      rows = c.family;
      where = c.variant + " on " + c.regime.model;
    }
  }
  if (worst > 0.05) {
    warnings.push_back("decode of " + where + ": " +
                       (worst < 1.0 ? "a change below " + PercentText(worst) : "even a doubling") +
                       " could not have been seen among the table's " + std::to_string(rows) +
                       " rows; more rounds (--rounds) or a quieter machine");
  }
  for (const Regime& regime : a.regimes) {
    const MetricSummary* s = a.Summary(run.reference, regime, "decode_tps");
    if (s != nullptr && s->n < 5) {
      warnings.push_back(regime.model + ": only " + std::to_string(s->n) + " rounds" +
                         (s->n < 2 ? ", which is no interval" : ", so the intervals are wide") +
                         "; more rounds (--rounds)");
    }
  }
  return warnings;
}

}  // namespace

const MetricSummary* Analysis::Summary(const std::string& variant, const Regime& regime,
                                       const std::string& metric) const {
  for (const MetricSummary& s : summaries) {
    if (s.variant == variant && s.regime == regime && s.metric == metric) return &s;
  }
  return nullptr;
}

const Comparison* Analysis::Against(const std::string& variant, const Regime& regime,
                                    const std::string& metric) const {
  return FindComparison(comparisons, variant, regime, metric);
}

size_t Analysis::Rounds(const std::string& variant, const Regime& regime) const {
  if (variant == reference) {
    const MetricSummary* s = Summary(variant, regime, "decode_tps");
    return s == nullptr ? 0 : s->rounds;
  }
  const Comparison* c = Against(variant, regime, "decode_tps");
  return c == nullptr ? 0 : c->rounds;
}

std::string Analysis::Unranked(const std::string& variant) const {
  const OutputCheck* check = Disqualifying(outputs, variant);
  return check == nullptr ? "" : "output " + ToString(check->status) + " on " + check->regime.model;
}

Analysis Analyze(const RunInfo& run, const std::vector<Sample>& samples,
                 const AnalysisOptions& options,
                 const std::map<std::string, std::vector<SymbolSize>>& symbols) {
  const Series series(run, samples);
  const Series training(run, samples, Prompts::kTraining);
  Analysis a;
  a.options = options;
  a.reference = run.reference;
  a.regimes = series.regimes();
  a.variants = series.variants();
  a.summaries = Summarise(series, options);
  a.comparisons = Compare(series, run.reference, options);
  a.outputs = CheckOutputs(series, run.reference);
  a.ledger = KeepLedger(samples);
  a.guide = GuideTable(run);
  a.claims = JudgeClaims(run, series, a.outputs, options);
  a.factorial = AnalyzeFactorial(run, series, options);
  a.breakdown = ExplainDifferences(series, run.reference, options);
  a.instructions = RelateInstructions(run, series, a.comparisons);
  a.roofline = PlaceOnRoofline(run, series, a.summaries);
  a.waterfall = DrawWaterfalls(run, series, options);
  a.footprint = MeasureFootprints(run, symbols, a.comparisons);
  a.layouts = MeasureLayouts(run, series, options);
  for (const LayoutSpread& l : a.layouts) {
    for (Comparison& c : a.comparisons) {
      if (c.variant != l.variant || c.regime != l.regime || c.metric != l.metric || l.above)
        continue;
      c.within_layout_luck = c.verdict == Verdict::kBetter || c.verdict == Verdict::kWorse;
      if (c.within_layout_luck) c.verdict = Verdict::kUnclear;
    }
  }
  // After the layouts: what lies within their luck is no verdict here either.
  a.leaders = FindLeaders(series, a.comparisons, a.outputs, options);
  a.pareto = FindParetoFront(run, series, a.comparisons, a.outputs, options);
  a.pgo = MeasurePgoGap(run, series, training, options);
  a.recommendations = Recommend(run, series, a.summaries, a.outputs, options);
  a.warnings = Warn(a, run);
  return a;
}

Json ToJson(const Analysis& a) {
  Json regimes = Json::array();
  for (const Regime& r : a.regimes)
    regimes.push_back({{"model", r.model}, {"workload", r.workload}});
  Json json;
  json["schema"] = 1;
  json["reference"] = a.reference;
  json["level"] = a.options.level;
  json["alpha"] = a.options.alpha;
  json["equal_within"] = a.options.equal_within;
  json["seed"] = a.options.seed;
  json["resamples"] = a.options.resamples;
  json["regimes"] = regimes;
  json["variants"] = a.variants;
  json["summaries"] = a.summaries;
  json["comparisons"] = a.comparisons;
  json["outputs"] = a.outputs;
  json["ledger"] = a.ledger;
  json["guide"] = a.guide;
  json["claims"] = a.claims;
  json["claim_tally"] = TallyClaims(a.claims);
  json["factorial"] = a.factorial;
  json["breakdown"] = a.breakdown;
  json["instructions"] = a.instructions;
  json["roofline"] = a.roofline;
  json["waterfall"] = a.waterfall;
  json["footprint"] = a.footprint;
  json["pareto"] = a.pareto;
  json["layouts"] = a.layouts;
  json["pgo"] = a.pgo;
  json["recommendations"] = a.recommendations;
  json["warnings"] = a.warnings;
  return json;
}

}  // namespace smallmind::harness
