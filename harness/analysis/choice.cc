#include "harness/analysis/choice.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "harness/profile_base.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

double MedianOf(const std::vector<MetricSummary>& summaries, const std::string& variant,
                const Regime& regime, const std::string& metric) {
  for (const MetricSummary& s : summaries) {
    if (s.variant == variant && s.regime == regime && s.metric == metric) return s.median;
  }
  return stats::kNan;
}

// Ships: one of our variants, built for use and not for counting, with the reference's output.
bool Shippable(const RunInfo& run, const std::vector<OutputCheck>& outputs,
               const std::string& name) {
  const VariantInfo* v = FindVariant(run, name);
  if (v == nullptr || v->kind != VariantKind::kVariant || v->pgo == "instrument") return false;
  return Disqualifying(outputs, name) == nullptr;
}

constexpr const char* kObjectives[] = {"decode_tps", "startup_ms", "peak_rss_mib"};

// Whether one variant beats another in a regime.
class Contest {
 public:
  // `pairs`: how many pairs without the reference are looked at.
  Contest(const RunInfo& run, const Series& series, const std::vector<Comparison>& comparisons,
          const AnalysisOptions& options, size_t pairs)
      : run_(run),
        series_(series),
        comparisons_(comparisons),
        options_(options),
        tests_(static_cast<double>(pairs * std::size(kObjectives))) {}

  bool Beats(const VariantInfo& a, const VariantInfo& b, const Regime& regime) const {
    const double size = std::log(static_cast<double>(a.size.stripped_bytes) /
                                 static_cast<double>(b.size.stripped_bytes));
    const Verdict by_size =
        Judge({{size, size, size, 1.0}, 0.0, 1}, 0.0, Direction::kLowerIsBetter, options_);
    if (by_size == Verdict::kWorse) return false;
    bool better = by_size == Verdict::kBetter;
    for (const char* metric : kObjectives) {
      const bool turned = a.name == run_.reference;  // the table has the other one's ratio
      const auto c = turned ? Against(b.name, a.name, regime, metric)
                            : Against(a.name, b.name, regime, metric);
      if (!c || !std::isfinite(c->ratio().log.low) || !std::isfinite(c->ratio().log.high))
        return false;
      const Verdict good = turned ? Verdict::kWorse : Verdict::kBetter;
      const Verdict bad = turned ? Verdict::kBetter : Verdict::kWorse;
      if (Judge(c->ratio(), 0.0, FindMetric(metric)->direction, options_) == bad) return false;
      better = better || c->verdict == good;
    }
    return better;
  }

 private:
  std::optional<Comparison> Against(const std::string& a, const std::string& b,
                                    const Regime& regime, const char* metric) const {
    if (b == run_.reference) {
      const Comparison* c = FindComparison(comparisons_, a, regime, metric);
      return c == nullptr ? std::nullopt : std::optional(*c);
    }
    Comparison c = ComparePair(series_, a, b, regime, metric, options_);
    c.p_adjusted = std::min(1.0, tests_ * c.ratio().p_value);
    c.verdict = Judge(c.ratio(), c.p_adjusted, FindMetric(metric)->direction, options_);
    return c;
  }

  const RunInfo& run_;
  const Series& series_;
  const std::vector<Comparison>& comparisons_;
  const AnalysisOptions& options_;
  const double tests_;
};

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
                                         const std::vector<Comparison>& comparisons,
                                         const std::vector<OutputCheck>& outputs,
                                         const AnalysisOptions& options) {
  std::vector<ParetoPoint> all;
  const VariantInfo* reference = FindVariant(run, run.reference);
  if (reference == nullptr || reference->size.stripped_bytes <= 0) return all;
  std::vector<const VariantInfo*> shipped;
  for (const std::string& name : series.variants()) {
    const VariantInfo* v = FindVariant(run, name);
    if (Shippable(run, outputs, name) && v->size.stripped_bytes > 0) shipped.push_back(v);
  }
  const size_t others = shipped.size() - (std::ranges::count(shipped, reference) > 0 ? 1 : 0);
  const Contest contest(run, series, comparisons, options, others * (others - 1) / 2);
  for (const Regime& regime : series.regimes()) {
    for (const VariantInfo* v : shipped) {
      ParetoPoint p;
      p.variant = v->name;
      p.regime = regime;
      p.size = static_cast<double>(v->size.stripped_bytes) /
               static_cast<double>(reference->size.stripped_bytes);
      stats::LogRatio* ratios[] = {&p.speed, &p.startup, &p.rss};  // as kObjectives
      bool whole = !series.Cell(v->name, regime).empty();
      for (size_t i = 0; i < std::size(kObjectives); ++i) {
        if (v == reference) {
          ratios[i]->log = {0.0, 0.0, 0.0, options.level};
          continue;
        }
        const Comparison* c = FindComparison(comparisons, v->name, regime, kObjectives[i]);
        whole = whole && c != nullptr && std::isfinite(c->ratio().log.estimate);
        if (whole) *ratios[i] = c->ratio();
      }
      if (!whole) continue;
      for (const VariantInfo* other : shipped) {
        if (other == v || !contest.Beats(*other, *v, regime)) continue;
        p.beaten_by = other->name;
        break;
      }
      p.on_front = p.beaten_by.empty();
      all.push_back(std::move(p));
    }
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
    double best_value = stats::kNan;
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
  json = {{"variant", p.variant},
          {"model", p.regime.model},
          {"workload", p.regime.workload},
          {"speed", Number(p.speed.Ratio())},
          {"size", Number(p.size)},
          {"rss", Number(p.rss.Ratio())},
          {"startup", Number(p.startup.Ratio())},
          {"on_front", p.on_front},
          {"beaten_by", p.beaten_by}};
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
