// Tested with planted speeds on each side of each edge; the sentence is part of the test.
#include "harness/analysis/roofline.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "harness/ceilings.h"
#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

// Of memory's measured ceiling: beyond it a cache gives the bytes.
constexpr double kAboveMemory = 1.05;

const ModelInfo* FindModel(const RunInfo& run, const std::string& name) {
  for (const ModelInfo& m : run.models) {
    if (m.name == name) return &m;
  }
  return nullptr;
}

double WeightBytesOfToken(const ModelInfo& m) {
  return static_cast<double>(m.token_bytes > 0 ? m.token_bytes : m.weight_bytes);
}

double BytesOfToken(const ModelInfo& m, const Workload& w) {
  const double positions = w.prompt_tokens + 0.5 * w.gen_tokens;
  return WeightBytesOfToken(m) / std::max(1, w.sequences) +
         static_cast<double>(m.position_bytes) * positions;
}

double OperationsOfToken(const ModelInfo& m) {
  return m.prompt_ops > 0 ? static_cast<double>(m.prompt_ops) : 2.0 * static_cast<double>(m.params);
}

// The ceiling of the arithmetic that multiplies the model's weights.
const char* ArithmeticOf(const ModelInfo& m) {
  if (m.weight_type == "F32" || m.weight_type == "F16") return "fma_gflops";
  return m.weight_type == "BF16" ? "bf16_gflops" : "int8_gops";
}

// Median of the run's measurements at the thread count, else at the largest one measured; 0 without
// any.
double CeilingOf(const RunInfo& run, const std::string& name, int threads) {
  int best = 0;
  for (const Ceiling& c : run.ceilings) {
    if (c.name != name) continue;
    if (c.threads == threads) best = threads;
    if (best != threads && c.threads > best) best = c.threads;
  }
  return MedianCeiling(run, name, best);
}

// achieved / ceiling, each taken in the same round; zero where fewer than two rounds have both.
stats::Interval ShareByRound(const RunInfo& run, const Series& series, const MetricSummary& s,
                             const std::string& name, int threads, double per_token) {
  const std::map<int, double> ceilings = CeilingLogs(run, name, threads);
  std::vector<double> logs;
  for (const auto& [round, log] :
       series.RoundLogs(s.variant, s.regime, s.metric, Cleanliness::kAll)) {
    const auto found = ceilings.find(round);
    if (found != ceilings.end()) logs.push_back(log + std::log(per_token) - found->second);
  }
  if (logs.size() < 2) return {};
  const stats::LogRatio share = stats::Location(logs, {.level = s.interval.level});
  return {share.Ratio(), share.Low(), share.High(), s.interval.level};
}

const MetricSummary* Find(const std::vector<MetricSummary>& summaries, const std::string& variant,
                          const Regime& regime, const char* metric) {
  for (const MetricSummary& s : summaries) {
    if (s.variant == variant && s.regime == regime && s.metric == metric) return &s;
  }
  return nullptr;
}

// `fits`: the weights would fit the last-level cache, so memory's ceiling may not be theirs.
std::string Describe(const RooflinePoint& p, bool fits) {
  const std::string who = p.work + " of " + p.regime.model + " by " + p.variant;
  const std::string share = Figure(100.0 * p.fraction.estimate) + " %";
  const std::string unit = p.work == "decode" ? " GB/s" : " G operations/s";
  switch (p.bound) {
    case Bound::kMemory:
      return who + " is bandwidth-bound at " + share + " of the measured " + Figure(p.ceiling) +
             " GB/s: flags can give at most " + Figure(1.0 / p.fraction.estimate) + "x more";
    case Bound::kCompute:
      return who + " runs at " + share + " of the measured " + Figure(p.ceiling) +
             " G operations/s: the arithmetic is the limit, at most " +
             Figure(1.0 / p.fraction.estimate) + "x is left";
    case Bound::kCache:
      return who + " reads " + Figure(p.achieved) + " GB/s where memory gives " +
             Figure(p.ceiling) + ": its weights come from cache, memory bandwidth is not its limit";
    case Bound::kOverhead:
      return who + " uses " + share + " of the ceiling (medians " + Figure(p.achieved) + " and " +
             Figure(p.ceiling) + unit +
             "): code and synchronisation are the limit, faster code can help";
    case Bound::kUnknown:
      return who + " uses " + share + " of the ceiling [" + Figure(100.0 * p.fraction.low) + "–" +
             Figure(100.0 * p.fraction.high) + "] (medians " + Figure(p.achieved) + " and " +
             Figure(p.ceiling) + unit + "): this run cannot tell whether that is its limit" +
             (fits ? "; the weights would fit the last-level cache" : "");
  }
  return "";
}

}  // namespace

int64_t LastLevelCacheBytes(const Environment& environment) {
  for (const char* level : {"L3", "L2"}) {
    const auto found = environment.caches.find(level);
    if (found == environment.caches.end()) continue;
    char* rest = nullptr;
    const double size = std::strtod(found->second.c_str(), &rest);
    while (*rest == ' ') ++rest;
    const double unit = *rest == 'G'   ? 1 << 30
                        : *rest == 'M' ? 1 << 20
                        : *rest == 'K' ? 1 << 10
                                       : 1;
    if (size > 0.0) return static_cast<int64_t>(size * unit);
  }
  return 0;
}

std::string ToString(Bound bound) {
  switch (bound) {
    case Bound::kMemory:
      return "memory bandwidth";
    case Bound::kCompute:
      return "arithmetic";
    case Bound::kCache:
      return "cache";
    case Bound::kOverhead:
      return "code and overhead";
    case Bound::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<RooflinePoint> PlaceOnRoofline(const RunInfo& run, const Series& series,
                                           const std::vector<MetricSummary>& summaries) {
  std::vector<RooflinePoint> points;
  const int64_t cache = LastLevelCacheBytes(run.environment);
  for (const Regime& regime : series.regimes()) {
    const ModelInfo* model = FindModel(run, regime.model);
    if (model == nullptr || model->weight_bytes <= 0 || model->params <= 0) continue;
    const auto found = std::ranges::find(run.workloads, regime.workload, &Workload::name);
    const Workload workload = found == run.workloads.end() ? Workload() : *found;
    const double bytes = BytesOfToken(*model, workload), ops = OperationsOfToken(*model);
    for (const std::string& variant : series.variants()) {
      for (const bool decode : {true, false}) {
        const MetricSummary* s =
            Find(summaries, variant, regime, decode ? "decode_tps" : "prefill_tps");
        if (s == nullptr) continue;
        RooflinePoint p;
        p.variant = variant;
        p.regime = regime;
        p.work = decode ? "decode" : "prefill";
        const double per_token = (decode ? bytes : ops) * 1e-9;
        p.achieved = s->median * per_token;
        p.intensity = ops / bytes * (decode ? 1 : std::max(1, workload.prompt_tokens));
        p.ceiling_name = decode ? "read_gbps" : ArithmeticOf(*model);
        p.ceiling = CeilingOf(run, p.ceiling_name, workload.threads);
        if (!decode && p.ceiling <= 0.0) {
          p.ceiling_name = "fma_gflops";
          p.ceiling = CeilingOf(run, p.ceiling_name, workload.threads);
        }
        if (p.ceiling > 0.0) {
          p.fraction = ShareByRound(run, series, *s, p.ceiling_name, workload.threads, per_token);
          if (!(p.fraction.estimate > 0.0)) {
            p.fraction = {p.achieved / p.ceiling, s->interval.low * per_token / p.ceiling,
                          s->interval.high * per_token / p.ceiling, s->interval.level};
          }
          // Sizes do not say where the weights are read from, only a speed that memory has not.
          // Where they lie does not limit who is far even from memory's speed.
          const bool resident = decode && p.fraction.estimate > kAboveMemory;
          const bool fits = decode && cache > 0 && p.fraction.estimate >= kFarFromCeiling &&
                            WeightBytesOfToken(*model) < 0.8 * static_cast<double>(cache);
          // Near the ceiling only where the whole interval is: the sentence promises that nothing
          // is left.
          const double sure = std::isfinite(p.fraction.low) ? p.fraction.low : 0.0;
          if (resident) {
            p.bound = Bound::kCache;
          } else if (fits) {
            p.bound = Bound::kUnknown;
          } else if (sure >= kNearCeiling) {
            p.bound = decode ? Bound::kMemory : Bound::kCompute;
          } else if (p.fraction.estimate < kNearCeiling) {
            p.bound = Bound::kOverhead;
          }
          p.sentence = Describe(p, fits);
        }
        points.push_back(std::move(p));
      }
    }
  }
  return points;
}

void to_json(Json& json, const RooflinePoint& p) {
  json = {{"variant", p.variant},
          {"model", p.regime.model},
          {"workload", p.regime.workload},
          {"work", p.work},
          {"achieved", Number(p.achieved)},
          {"ceiling", Number(p.ceiling)},
          {"ceiling_name", p.ceiling_name},
          {"fraction", Number(p.fraction.estimate)},
          {"low", Number(p.fraction.low)},
          {"high", Number(p.fraction.high)},
          {"intensity", Number(p.intensity)},
          {"bound", ToString(p.bound)},
          {"sentence", p.sentence}};
}

}  // namespace smallmind::harness
