#include "harness/analysis/choice.h"

#include <algorithm>
#include <cmath>

#include "harness/profile_base.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double MedianOf(const std::vector<MetricSummary>& summaries, const std::string& variant,
                const Regime& regime, const std::string& metric) {
  for (const MetricSummary& s : summaries) {
    if (s.variant == variant && s.regime == regime && s.metric == metric) return s.median;
  }
  return kNan;
}

// Ships: one of our variants, built for use and not for counting, with the reference's output.
bool Shippable(const RunInfo& run, const std::vector<OutputCheck>& outputs,
               const std::string& name) {
  const VariantInfo* v = FindVariant(run, name);
  if (v == nullptr || v->kind != VariantKind::kVariant || v->pgo == "instrument") return false;
  return std::none_of(outputs.begin(), outputs.end(), [&](const OutputCheck& c) {
    return c.variant == name && Disqualifies(c.status);
  });
}

bool AtLeastAsGood(const ParetoPoint& a, const ParetoPoint& b) {
  return a.speed >= b.speed && a.size <= b.size && a.rss <= b.rss && a.startup <= b.startup;
}

bool Better(const ParetoPoint& a, const ParetoPoint& b) {
  return AtLeastAsGood(a, b) &&
         (a.speed > b.speed || a.size < b.size || a.rss < b.rss || a.startup < b.startup);
}

// Fewer special things are better where the numbers do not differ: portable before native, no
// profile to train, no LTO.
int Complexity(const RunInfo& run, const std::string& name) {
  const VariantInfo* v = FindVariant(run, name);
  if (v == nullptr) return 99;
  return 4 * (v->isa == "native") + 2 * (v->pgo == "use") + (v->lto != "none" && !v->lto.empty()) +
         (v->group == "extra" ? 1 : 0);
}

}  // namespace

std::vector<ParetoPoint> FindParetoFront(const RunInfo& run, const Series& series,
                                         const std::vector<MetricSummary>& summaries,
                                         const std::vector<OutputCheck>& outputs) {
  std::vector<ParetoPoint> all;
  const VariantInfo* reference = FindVariant(run, run.reference);
  if (reference == nullptr || reference->size.stripped_bytes <= 0) return all;
  for (const Regime& regime : series.regimes()) {
    std::vector<ParetoPoint> points;
    for (const std::string& name : series.variants()) {
      const VariantInfo* v = FindVariant(run, name);
      if (!Shippable(run, outputs, name) || v->size.stripped_bytes <= 0) continue;
      const auto relative = [&](const char* metric) {
        return MedianOf(summaries, name, regime, metric) /
               MedianOf(summaries, run.reference, regime, metric);
      };
      ParetoPoint p;
      p.variant = name;
      p.regime = regime;
      p.speed = relative("decode_tps");
      p.size = static_cast<double>(v->size.stripped_bytes) /
               static_cast<double>(reference->size.stripped_bytes);
      p.rss = relative("peak_rss_mib");
      p.startup = relative("startup_ms");
      if (std::isfinite(p.speed) && std::isfinite(p.rss) && std::isfinite(p.startup))
        points.push_back(p);
    }
    for (ParetoPoint& p : points) {
      for (const ParetoPoint& q : points) {
        if (Better(q, p)) p.beaten_by = q.variant;
      }
      p.on_front = p.beaten_by.empty();
    }
    all.insert(all.end(), points.begin(), points.end());
  }
  return all;
}

std::vector<LayoutSpread> MeasureLayouts(const RunInfo& run, const Series& series,
                                         const AnalysisOptions& options) {
  std::vector<LayoutSpread> result;
  for (const Regime& regime : series.regimes()) {
    for (const std::string& variant : series.variants()) {
      for (const char* metric : {"decode_tps", "prefill_tps"}) {
        // Against the variant's own rounds: the mean of a round over all layouts takes the drift
        // out.
        std::map<int, std::vector<double>> by_layout;
        const auto means = series.RoundLogs(variant, regime, metric, Cleanliness::kAll);
        for (const Sample* s : series.Cell(variant, regime)) {
          const auto found = s->metrics.find(metric);
          if (found == s->metrics.end() || found->second <= 0.0) continue;
          by_layout[s->layout].push_back(std::log(found->second) - means.at(s->round));
        }
        if (by_layout.size() < 2) continue;
        LayoutSpread l;
        l.variant = variant;
        l.regime = regime;
        l.metric = metric;
        l.layouts = by_layout.size();
        std::vector<double> centres;
        for (const auto& [layout, values] : by_layout) centres.push_back(stats::Median(values));
        l.spread = stats::StandardDeviation(centres);
        result.push_back(std::move(l));
      }
    }
  }
  // What layouts alone do to a ratio: the luck of both sides.
  for (LayoutSpread& l : result) {
    if (l.variant == run.reference) continue;
    for (const LayoutSpread& base : result) {
      if (base.variant != run.reference || base.regime != l.regime || base.metric != l.metric)
        continue;
      const double luck = std::hypot(l.spread, base.spread);
      l.effect = ComparePair(series, l.variant, run.reference, l.regime, l.metric, options).ratio();
      l.above = std::isfinite(l.effect.log.low) &&
                (l.effect.log.low > 0.0 || l.effect.log.high < 0.0) &&
                std::fabs(l.effect.log.estimate) > luck;
    }
  }
  return result;
}

std::vector<PgoGap> MeasurePgoGap(const RunInfo& run, const Series& series, const Series& training,
                                  const AnalysisOptions& options) {
  std::vector<PgoGap> gaps;
  for (const VariantInfo& v : run.variants) {
    if (v.pgo != "use") continue;
    const std::string base = ProfileBase(run, v);
    for (const Regime& regime : series.regimes()) {
      if (series.Cell(v.name, regime).empty()) continue;
      for (const char* metric : {"decode_tps", "prefill_tps"}) {
        PgoGap gap;
        gap.variant = v.name;
        gap.base = base;
        gap.regime = regime;
        gap.metric = metric;
        gap.coverage = v.pgo_coverage;
        gap.evaluated = ComparePair(series, v.name, base, regime, metric, options).ratio();
        const Regime trained{regime.model, std::string(kTrainingPrefix) + regime.workload};
        const std::string what =
            std::string(metric == std::string_view("decode_tps") ? "decode" : "prefill") + " of " +
            regime.model + " by " + v.name + ": " + RatioText(gap.evaluated) + " times " + base +
            " on prompts it was not trained on";
        if (training.Cell(v.name, trained).empty()) {
          gap.sentence = what + "; the training prompts were not run";
          gaps.push_back(std::move(gap));
          continue;
        }
        gap.on_training = ComparePair(training, v.name, base, trained, metric, options).ratio();
        // A round's own difference of the two gains: what the machine did in it cancels twice.
        const auto logs = [&](const Series& from, const std::string& name, const Regime& where) {
          return from.RoundLogs(name, where, metric, Cleanliness::kAll);
        };
        const auto a = logs(training, v.name, trained), b = logs(training, base, trained),
                   c = logs(series, v.name, regime), d = logs(series, base, regime);
        std::vector<double> differences;
        for (const auto& [round, value] : a) {
          if (b.count(round) == 0 || c.count(round) == 0 || d.count(round) == 0) continue;
          differences.push_back(value - b.at(round) - c.at(round) + d.at(round));
        }
        gap.gap = stats::Location(differences, {options.level, options.resamples, options.seed});
        const double margin = std::log1p(options.equal_within);
        const stats::Interval& i = gap.gap.log;
        gap.sentence = what + ", " + RatioText(gap.on_training) + " on its training prompts: ";
        if (!std::isfinite(i.low) || !std::isfinite(i.high)) {
          gap.sentence += "too few rounds to tell a gap";
        } else if (i.low > -margin && i.high < margin) {
          gap.sentence += "no gap";
        } else if (i.low > 0.0) {
          gap.sentence += "the profile flatters itself by " + RatioText(gap.gap);
        } else if (i.high < 0.0) {
          gap.sentence += "no flattery, it does less on its own prompts, " + RatioText(gap.gap);
        } else {
          gap.sentence += "no gap that this run can see, " + RatioText(gap.gap);
        }
        gaps.push_back(std::move(gap));
      }
    }
  }
  return gaps;
}

std::vector<Recommendation> Recommend(const RunInfo& run, const Series& series,
                                      const std::vector<MetricSummary>& summaries,
                                      const std::vector<OutputCheck>& outputs,
                                      const AnalysisOptions& options) {
  std::vector<Recommendation> result;
  const ModelInfo* largest = nullptr;
  for (const ModelInfo& m : run.models) {
    for (const Regime& r : series.regimes()) {
      if (r.model == m.name && (largest == nullptr || m.weight_bytes > largest->weight_bytes))
        largest = &m;
    }
  }
  if (largest == nullptr) return result;
  Regime regime;
  for (const Regime& r : series.regimes()) {
    if (r.model == largest->name) regime = r;
  }
  std::vector<std::string> candidates;
  for (const std::string& name : series.variants()) {
    if (Shippable(run, outputs, name) && !series.Cell(name, regime).empty())
      candidates.push_back(name);
  }
  if (candidates.empty()) return result;

  const auto choose = [&](const std::string& goal, const char* metric, const std::string& what,
                          const std::vector<std::string>& among) {
    Recommendation r;
    r.goal = goal;
    const bool higher = FindMetric(metric)->direction == Direction::kHigherIsBetter;
    std::string best;
    double best_value = kNan;
    // Who sat out most rounds has no claim to be near the best.
    size_t most = 0;
    for (const std::string& name : among) {
      most = std::max(most, series.Values(name, regime, metric, Cleanliness::kAll).size());
    }
    for (const std::string& name : among) {
      if (2 * series.Values(name, regime, metric, Cleanliness::kAll).size() < most) continue;
      const double value = MedianOf(summaries, name, regime, metric);
      if (std::isfinite(value) &&
          (best.empty() || (higher ? value > best_value : value < best_value))) {
        best = name;
        best_value = value;
      }
    }
    if (best.empty()) return;
    for (const std::string& name : among) {
      if (name == best) continue;
      const Comparison c = ComparePair(series, name, best, regime, metric, options);
      const stats::Interval& i = c.ratio().log;
      const bool bounded = std::isfinite(i.low) && std::isfinite(i.high);
      if (2 * c.pairs >= most && bounded && c.verdict != Verdict::kWorse) r.as_good.push_back(name);
    }
    r.variant = best;
    for (const std::string& name : r.as_good) {
      if (Complexity(run, name) < Complexity(run, r.variant)) r.variant = name;
    }
    std::string others;
    for (const std::string& name : r.as_good) {
      if (name != r.variant) others += (others.empty() ? "" : ", ") + name;
    }
    if (r.variant != best) others += (others.empty() ? "" : ", ") + best;
    const MetricDef* def = FindMetric(metric);
    r.evidence = what + " on " + regime.model + ": " +
                 Figure(MedianOf(summaries, r.variant, regime, metric)) + " " +
                 std::string(def->unit);
    if (r.variant != run.reference) {
      const Comparison c = ComparePair(series, r.variant, run.reference, regime, metric, options);
      r.evidence += ", " + RatioText(c.ratio()) + " times " + run.reference;
    }
    if (!others.empty())
      r.evidence += "; this run cannot tell it from " + others + ", and it is the simplest of them";
    result.push_back(std::move(r));
  };

  choose("interactive", "ttft_ms", "shortest time to first token", candidates);
  choose("batch", "prefill_tps", "highest prefill throughput", candidates);
  choose("serverless cold start", "ttft_cold_ms", "shortest exec to first token", candidates);

  // Embedded: the smallest binary that keeps at least nine tenths of the reference's decode speed.
  Recommendation small;
  small.goal = "embedded";
  int64_t bytes = 0;
  for (const std::string& name : candidates) {
    const VariantInfo* v = FindVariant(run, name);
    if (v->size.stripped_bytes <= 0) continue;
    stats::LogRatio speed;
    speed.log = {0.0, 0.0, 0.0, options.level};
    if (name != run.reference) {
      speed = ComparePair(series, name, run.reference, regime, "decode_tps", options).ratio();
    }
    if (!(speed.Low() >= 0.9) || (bytes > 0 && v->size.stripped_bytes >= bytes)) continue;
    bytes = v->size.stripped_bytes;
    small.variant = name;
    small.evidence = "smallest binary, " + MegabyteText(bytes) +
                     " MB, whose 95 % interval keeps 0.9 of the decode speed (" + RatioText(speed) +
                     "), peak RSS " + Figure(MedianOf(summaries, name, regime, "peak_rss_mib")) +
                     " MiB";
  }
  if (!small.variant.empty()) result.push_back(std::move(small));
  return result;
}

void to_json(Json& json, const ParetoPoint& p) {
  json = {
      {"variant", p.variant},         {"model", p.regime.model}, {"workload", p.regime.workload},
      {"speed", Number(p.speed)},     {"size", Number(p.size)},  {"rss", Number(p.rss)},
      {"startup", Number(p.startup)}, {"on_front", p.on_front},  {"beaten_by", p.beaten_by}};
}

void to_json(Json& json, const LayoutSpread& l) {
  json = {{"variant", l.variant},          {"model", l.regime.model},
          {"workload", l.regime.workload}, {"metric", l.metric},
          {"layouts", l.layouts},          {"spread", Number(l.spread)},
          {"effect", RatioJson(l.effect)}, {"above", l.above}};
}

void to_json(Json& json, const PgoGap& g) {
  json = {{"variant", g.variant},
          {"model", g.regime.model},
          {"workload", g.regime.workload},
          {"base", g.base},
          {"metric", g.metric},
          {"coverage", Number(g.coverage)},
          {"evaluated", RatioJson(g.evaluated)},
          {"on_training", RatioJson(g.on_training)},
          {"gap", RatioJson(g.gap)},
          {"sentence", g.sentence}};
}

void to_json(Json& json, const Recommendation& r) {
  json = {
      {"goal", r.goal}, {"variant", r.variant}, {"evidence", r.evidence}, {"as_good", r.as_good}};
}

}  // namespace smallmind::harness
