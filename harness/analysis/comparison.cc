// A ratio is taken inside a round, so that drift cancels; see stats/hierarchy.h for its interval.
// Tested on synthetic runs with planted ratios, drift, contamination and equal variants.
#include "harness/analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace smallmind::harness {
namespace {

bool IsHeadline(std::string_view metric) {
  return std::find(std::begin(kHeadlineMetrics), std::end(kHeadlineMetrics), metric) !=
         std::end(kHeadlineMetrics);
}

std::vector<double> FlatLogRatios(const std::vector<stats::PairedBuild>& builds) {
  std::vector<double> all;
  for (const stats::PairedBuild& build : builds) {
    const std::vector<double> rounds = stats::RoundLogRatios(build);
    all.insert(all.end(), rounds.begin(), rounds.end());
  }
  return all;
}

uint64_t CellSeed(const AnalysisOptions& options, const std::string& text) {
  uint64_t hash =
      0xcbf29ce484222325u;  // FNV-1a: the same cell draws the same resamples in every run
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return stats::DeriveSeed(options.seed, hash);
}

// Two results tell different stories: different verdicts, or one's centre outside the other's
// interval.
bool Differ(const Comparison& c, Direction direction, const AnalysisOptions& options) {
  if (c.clean_pairs == 0 || c.clean_pairs == c.pairs) return false;
  return Judge(c.all, c.all.p_value, direction, options) !=
             Judge(c.clean, c.clean.p_value, direction, options) ||
         !c.all.log.Contains(c.clean.log.estimate) || !c.clean.log.Contains(c.all.log.estimate);
}

double Detectable(const Comparison& c, const AnalysisOptions& options) {
  return std::expm1(stats::MinimumDetectableEffect(c.ratio().log, c.ratio().df,
                                                   options.alpha / static_cast<double>(c.family)));
}

Direction DirectionOf(std::string_view metric) {
  const MetricDef* def = FindMetric(metric);
  return def == nullptr ? Direction::kLowerIsBetter : def->direction;
}

// `builds`: the pair's own, from series.Pairs().
stats::LogRatio RatioOf(const std::vector<stats::PairedBuild>& builds, const Series& series,
                        const std::string& variant, const std::string& reference,
                        const Regime& regime, const std::string& metric, Cleanliness clean,
                        const stats::RatioOptions& options) {
  const std::vector<double> centres = stats::BuildCentres(builds);
  if (centres.size() < 2 || centres.size() >= stats::kRobustFrom)
    return stats::HierarchicalRatio(builds, options);
  std::vector<std::vector<double>> others;
  for (const std::string& other : series.variants()) {
    if (other == variant || other == reference) continue;
    others.push_back(stats::BuildCentres(series.Pairs(other, reference, regime, metric, clean)));
  }
  return stats::PooledLocation(centres, others, options);
}

size_t MostRounds(const std::vector<stats::PairedBuild>& builds) {
  size_t most = 0;
  for (const stats::PairedBuild& build : builds) most = std::max(most, build.size());
  return most;
}

}  // namespace

std::string ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kSame:
      return "same";
    case Verdict::kUnclear:
      return "unclear";
  }
  return "unclear";
}

const Comparison* FindComparison(const std::vector<Comparison>& comparisons,
                                 const std::string& variant, const Regime& regime,
                                 const std::string& metric) {
  for (const Comparison& c : comparisons) {
    if (c.variant == variant && c.regime == regime && c.metric == metric) return &c;
  }
  return nullptr;
}

Verdict Judge(const stats::LogRatio& ratio, double p, Direction direction,
              const AnalysisOptions& options) {
  const double low = ratio.log.low, high = ratio.log.high;
  if (!std::isfinite(low) || !std::isfinite(high)) return Verdict::kUnclear;
  const double margin = std::log1p(options.equal_within);
  if (low > -margin && high < margin) return Verdict::kSame;
  if (p > options.alpha || (low <= 0.0 && high >= 0.0)) return Verdict::kUnclear;
  const bool greater = low > 0.0;
  return greater == (direction == Direction::kHigherIsBetter) ? Verdict::kBetter : Verdict::kWorse;
}

MetricSummary SummariseCell(const Series& series, const std::string& variant, const Regime& regime,
                            const std::string& metric, Cleanliness clean,
                            const AnalysisOptions& options) {
  MetricSummary summary;
  summary.variant = variant;
  summary.regime = regime;
  summary.metric = metric;
  std::vector<double> values;
  std::set<int> rounds;
  for (const Sample* sample : series.Cell(variant, regime)) {
    const auto found = sample->metrics.find(metric);
    if (found == sample->metrics.end()) continue;
    if (clean == Cleanliness::kCleanOnly && sample->contaminated) continue;
    values.push_back(found->second);
    rounds.insert(sample->round);
    summary.contaminated += sample->contaminated ? 1 : 0;
    summary.sample_ids.push_back(sample->id);
  }
  summary.n = values.size();
  summary.rounds = rounds.size();
  if (values.empty()) return summary;
  summary.median = stats::Median(values);
  summary.mad = stats::MedianAbsoluteDeviation(values);
  summary.outliers = stats::CountOutliers(values);
  summary.interval = stats::MedianInterval(values, options.level);
  return summary;
}

std::vector<MetricSummary> Summarise(const Series& series, const AnalysisOptions& options) {
  std::vector<MetricSummary> summaries;
  for (const Regime& regime : series.regimes()) {
    for (const std::string& variant : series.variants()) {
      for (const MetricDef& def : AllMetrics()) {
        if (def.scope != MetricScope::kSample) continue;
        MetricSummary summary = SummariseCell(series, variant, regime, std::string(def.name),
                                              Cleanliness::kAll, options);
        if (summary.n > 0) summaries.push_back(std::move(summary));
      }
    }
  }
  return summaries;
}

stats::LogRatio PairedRatio(const Series& series, const std::string& variant,
                            const std::string& reference, const Regime& regime,
                            const std::string& metric, Cleanliness clean,
                            const stats::RatioOptions& options) {
  return RatioOf(series.Pairs(variant, reference, regime, metric, clean), series, variant,
                 reference, regime, metric, clean, options);
}

Comparison ComparePair(const Series& series, const std::string& variant,
                       const std::string& reference, const Regime& regime,
                       const std::string& metric, const AnalysisOptions& options) {
  Comparison c;
  c.variant = variant;
  c.regime = regime;
  c.metric = metric;
  const std::string name =
      variant + ":" + reference + "/" + regime.model + "/" + regime.workload + "/" + metric;
  const stats::RatioOptions ratio_options{options.level, options.resamples,
                                          CellSeed(options, name)};
  const auto all = series.Pairs(variant, reference, regime, metric, Cleanliness::kAll);
  const auto clean = series.Pairs(variant, reference, regime, metric, Cleanliness::kCleanOnly);
  const std::vector<double> all_logs = FlatLogRatios(all), clean_logs = FlatLogRatios(clean);
  c.pairs = all_logs.size();
  c.clean_pairs = clean_logs.size();
  c.all =
      RatioOf(all, series, variant, reference, regime, metric, Cleanliness::kAll, ratio_options);
  c.clean = RatioOf(clean, series, variant, reference, regime, metric, Cleanliness::kCleanOnly,
                    ratio_options);
  c.rests_on_clean = c.clean_pairs >= options.min_clean_rounds || c.clean_pairs == c.pairs;
  const Cleanliness used = c.rests_on_clean ? Cleanliness::kCleanOnly : Cleanliness::kAll;
  const std::vector<stats::PairedBuild>& used_builds = c.rests_on_clean ? clean : all;
  c.rounds = MostRounds(used_builds);
  c.layouts = used_builds.size();
  const std::vector<double>& used_logs = c.rests_on_clean ? clean_logs : all_logs;
  const std::vector<double> ours = series.Values(variant, regime, metric, used);
  const std::vector<double> theirs = series.Values(reference, regime, metric, used);
  c.cliffs_delta = stats::CliffsDelta(ours, theirs);
  c.mann_whitney_p = stats::MannWhitney(ours, theirs).p_value;
  c.wilcoxon_p = stats::WilcoxonSignedRank(used_logs).p_value;
  c.mde = Detectable(c, options);
  c.p_adjusted = c.ratio().p_value;
  const Direction direction = DirectionOf(metric);
  c.verdict = Judge(c.ratio(), c.p_adjusted, direction, options);
  c.contamination_matters = Differ(c, direction, options);
  return c;
}

std::vector<Comparison> Compare(const Series& series, const std::string& reference,
                                const AnalysisOptions& options) {
  std::vector<Comparison> rows;
  for (const Regime& regime : series.regimes()) {
    const size_t begin = rows.size();
    for (const std::string& variant : series.variants()) {
      if (variant == reference) continue;
      for (const MetricDef& def : AllMetrics()) {
        if (def.scope != MetricScope::kSample) continue;
        Comparison c =
            ComparePair(series, variant, reference, regime, std::string(def.name), options);
        if (c.pairs > 0) rows.push_back(std::move(c));
      }
    }
    for (bool headline : {true, false}) {
      std::vector<double> p;
      std::vector<Comparison*> family;
      for (size_t i = begin; i < rows.size(); ++i) {
        if (IsHeadline(rows[i].metric) != headline) continue;
        p.push_back(rows[i].ratio().p_value);
        family.push_back(&rows[i]);
      }
      const std::vector<double> adjusted = stats::HolmAdjust(p);
      for (size_t i = 0; i < family.size(); ++i) {
        family[i]->p_adjusted = adjusted[i];
        family[i]->family = family.size();
        family[i]->mde = Detectable(*family[i], options);
        family[i]->verdict =
            Judge(family[i]->ratio(), adjusted[i], DirectionOf(family[i]->metric), options);
      }
    }
  }
  return rows;
}

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json RatioJson(const stats::LogRatio& ratio) {
  return {{"estimate", Number(ratio.Ratio())},
          {"low", Number(ratio.Low())},
          {"high", Number(ratio.High())},
          {"p", Number(ratio.p_value)},
          {"units", ratio.units},
          {"df", Number(ratio.df)}};
}

void to_json(Json& json, const MetricSummary& s) {
  json = {{"variant", s.variant},
          {"model", s.regime.model},
          {"workload", s.regime.workload},
          {"metric", s.metric},
          {"n", s.n},
          {"contaminated", s.contaminated},
          {"median", Number(s.median)},
          {"mad", Number(s.mad)},
          {"low", Number(s.interval.low)},
          {"high", Number(s.interval.high)},
          {"outliers",
           {{"low_severe", s.outliers.low_severe},
            {"low_mild", s.outliers.low_mild},
            {"high_mild", s.outliers.high_mild},
            {"high_severe", s.outliers.high_severe}}},
          {"sample_ids", s.sample_ids}};
}

void to_json(Json& json, const Comparison& c) {
  json = {{"variant", c.variant},
          {"model", c.regime.model},
          {"workload", c.regime.workload},
          {"metric", c.metric},
          {"ratio", RatioJson(c.ratio())},
          {"verdict", ToString(c.verdict)},
          {"p_adjusted", Number(c.p_adjusted)},
          {"family", c.family},
          {"mde", Number(c.mde)},
          {"cliffs_delta", Number(c.cliffs_delta)},
          {"mann_whitney_p", Number(c.mann_whitney_p)},
          {"wilcoxon_p", Number(c.wilcoxon_p)},
          {"rests_on", c.rests_on_clean ? "clean" : "all"},
          {"all", RatioJson(c.all)},
          {"clean", RatioJson(c.clean)},
          {"pairs", c.pairs},
          {"clean_pairs", c.clean_pairs},
          {"contamination_matters", c.contamination_matters},
          {"within_layout_luck", c.within_layout_luck}};
}

}  // namespace smallmind::harness
