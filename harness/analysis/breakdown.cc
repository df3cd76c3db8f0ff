// Tested with a planted slow kernel, which must be named.
#include "harness/analysis/breakdown.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "harness/report/text.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {
namespace {

using Reading = std::function<std::optional<double>(const Sample&)>;

// Of what is summed over a process: slow rows run one repetition, the others more.
std::optional<double> MsPerRepetition(const Sample& s, int64_t ns) {
  if (s.reps.empty()) return std::nullopt;
  return static_cast<double>(ns) * 1e-6 / static_cast<double>(s.reps.size());
}

int64_t RepsNs(const Sample& s) {
  int64_t ns = 0;
  for (const Rep& rep : s.reps) ns += rep.prefill_ns + rep.decode_ns;
  return ns;
}

int64_t KernelsNs(const Sample& s) {
  int64_t ns = 0;
  for (const auto& [name, time] : s.kernels) ns += time.ns;
  return ns;
}

BreakdownPart Part(const std::string& name,
                   const std::vector<std::pair<const Sample*, const Sample*>>& pairs,
                   const Reading& read, const AnalysisOptions& options) {
  std::vector<double> ours, theirs, deltas;
  for (const auto& [sample, base] : pairs) {
    const std::optional<double> a = read(*sample), b = read(*base);
    if (!a || !b) continue;
    ours.push_back(*a);
    theirs.push_back(*b);
    deltas.push_back(*a - *b);
  }
  BreakdownPart part;
  part.name = name;
  part.reference_ms = stats::Median(theirs);
  part.variant_ms = stats::Median(ours);
  const stats::LogRatio change =
      stats::Location(deltas, {options.level, options.resamples, options.seed});
  part.delta_ms = change.log;
  part.p_value = change.p_value;
  return part;
}

std::vector<std::pair<const Sample*, const Sample*>> PairUp(const Series& series,
                                                            const std::string& variant,
                                                            const std::string& reference,
                                                            const Regime& regime,
                                                            const AnalysisOptions& options) {
  std::vector<std::pair<const Sample*, const Sample*>> all, clean;
  const auto theirs = series.Cell(reference, regime);
  for (const Sample* sample : series.Cell(variant, regime)) {
    for (const Sample* base : theirs) {
      if (base->round != sample->round || base->layout != sample->layout) continue;
      all.push_back({sample, base});
      if (!sample->contaminated && !base->contaminated) clean.push_back({sample, base});
    }
  }
  return clean.size() >= options.min_clean_rounds ? clean : all;
}

bool Clear(const stats::Interval& i) {
  return std::isfinite(i.low) && (i.low > 0.0 || i.high < 0.0);
}

}  // namespace

std::vector<Breakdown> ExplainDifferences(const Series& series, const std::string& reference,
                                          const AnalysisOptions& options) {
  std::vector<Breakdown> results;
  for (const Regime& regime : series.regimes()) {
    for (const std::string& variant : series.variants()) {
      if (variant == reference) continue;
      const auto pairs = PairUp(series, variant, reference, regime, options);
      if (pairs.size() < 2) continue;
      Breakdown b;
      b.variant = variant;
      b.regime = regime;
      const auto metric = [](const char* name) -> Reading {
        return [name](const Sample& s) -> std::optional<double> {
          const auto found = s.metrics.find(name);
          return found == s.metrics.end() ? std::nullopt : std::optional<double>(found->second);
        };
      };
      const auto reps = [](bool prefill) -> Reading {
        return [prefill](const Sample& s) -> std::optional<double> {
          int64_t ns = 0;
          for (const Rep& rep : s.reps) ns += prefill ? rep.prefill_ns : rep.decode_ns;
          return MsPerRepetition(s, ns);
        };
      };
      b.phases = {Part("startup", pairs, metric("startup_ms"), options),
                  Part("prefill", pairs, reps(true), options),
                  Part("decode", pairs, reps(false), options)};
      b.total_ms = Part(
                       "total", pairs,
                       [](const Sample& s) { return MsPerRepetition(s, RepsNs(s)); }, options)
                       .delta_ms;
      std::set<std::string> names;
      for (const auto& [sample, base] : pairs) {
        if (sample->reps.empty() || base->reps.empty()) continue;
        for (const auto& [name, time] : sample->kernels) names.insert(name);
        for (const auto& [name, time] : base->kernels) names.insert(name);
      }
      for (const std::string& name : names) {
        b.kernels.push_back(Part(
            name, pairs,
            [&name](const Sample& s) -> std::optional<double> {
              const auto found = s.kernels.find(name);
              return MsPerRepetition(s, found == s.kernels.end() ? 0 : found->second.ns);
            },
            options));
      }
      if (!names.empty()) {
        b.kernels.push_back(Part(
            "other", pairs,
            [](const Sample& s) {
              return MsPerRepetition(s, std::max<int64_t>(0, RepsNs(s) - KernelsNs(s)));
            },
            options));
        double whole = 0.0;
        for (const BreakdownPart& part : b.kernels) whole += part.delta_ms.estimate;
        for (BreakdownPart& part : b.kernels) {
          part.share =
              Clear(b.total_ms) && whole != 0.0 ? part.delta_ms.estimate / whole : stats::kNan;
        }
        // The largest of a dozen changes is named: it must stand among a dozen.
        std::vector<double> p;
        for (const BreakdownPart& part : b.kernels) p.push_back(part.p_value);
        const std::vector<double> adjusted = stats::HolmAdjust(p);
        for (size_t i = 0; i < adjusted.size(); ++i) b.kernels[i].p_value = adjusted[i];
        std::sort(b.kernels.begin(), b.kernels.end(),
                  [](const BreakdownPart& x, const BreakdownPart& y) {
                    return std::fabs(x.delta_ms.estimate) > std::fabs(y.delta_ms.estimate);
                  });
        const BreakdownPart& top = b.kernels.front();
        if (Clear(top.delta_ms) && top.p_value <= options.alpha && top.share > 0.0) {
          const bool saved = top.delta_ms.estimate < 0.0;
          b.sentence = variant + (saved ? " saves " : " loses ") +
                       Figure(std::fabs(top.delta_ms.estimate)) + " ms a repetition in " +
                       top.name + " on " + regime.model + ", " +
                       Figure(std::min(100.0, 100.0 * top.share)) + " % of its " +
                       (saved ? "gain" : "loss") + " in the timed kernels";
        }
      }
      results.push_back(std::move(b));
    }
  }
  return results;
}

void to_json(Json& json, const Breakdown& b) {
  const auto list = [](const std::vector<BreakdownPart>& parts) {
    Json array = Json::array();
    for (const BreakdownPart& p : parts) {
      array.push_back({{"name", p.name},
                       {"reference_ms", Number(p.reference_ms)},
                       {"variant_ms", Number(p.variant_ms)},
                       {"delta_ms", Number(p.delta_ms.estimate)},
                       {"low", Number(p.delta_ms.low)},
                       {"high", Number(p.delta_ms.high)},
                       {"share", Number(p.share)}});
    }
    return array;
  };
  json = {{"variant", b.variant},          {"model", b.regime.model},
          {"workload", b.regime.workload}, {"kernels", list(b.kernels)},
          {"phases", list(b.phases)},      {"total_delta_ms", Number(b.total_ms.estimate)},
          {"sentence", b.sentence}};
}

}  // namespace smallmind::harness
