// Tested with planted counts, which must come back as ratios (why_test.cc).
#include "harness/analysis/instructions.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/report/text.h"
#include "harness/stats/summary.h"

namespace smallmind::harness {
namespace {

const Comparison* TimeOf(const std::vector<Comparison>& comparisons, const std::string& variant,
                         const std::string& model, const std::string& metric) {
  for (const Comparison& c : comparisons) {
    if (c.variant == variant && c.regime.model == model && c.metric == metric) return &c;
  }
  return nullptr;
}

const InstructionCount* CountOf(const RunInfo& run, const std::string& variant) {
  const auto found = std::ranges::find(run.instructions, variant, &InstructionCount::variant);
  return found == run.instructions.end() ? nullptr : &*found;
}

void Say(InstructionRatio& r, const std::string& reference) {
  if (!std::isfinite(r.ratio) || std::fabs(r.ratio - 1.0) < kSameWork) return;
  r.sentence = r.variant + " executes " + Figure(r.ratio) + " times " + reference +
               "'s instructions a " + (r.work == "decode" ? "generated" : "prompt") + " token of " +
               r.regime.model;
  if (r.time_clear) r.sentence += " and takes " + Figure(r.time_ratio) + " times its time";
}

void AddCounted(const RunInfo& run, const std::vector<Comparison>& comparisons,
                std::vector<InstructionRatio>& results) {
  const InstructionCount* base = CountOf(run, run.reference);
  for (const InstructionCount& c : run.instructions) {
    for (const bool decode : {false, true}) {
      const char* metric = decode ? "decode_tps" : "prefill_tps";
      const Comparison* time = TimeOf(comparisons, c.variant, c.model, metric);
      InstructionRatio r;
      r.variant = c.variant;
      r.regime = {c.model, time == nullptr ? "" : time->regime.workload};
      r.source = "callgrind";
      r.target = c.target;
      r.work = decode ? "decode" : "prefill";
      r.reason = c.reason;
      const double count = decode ? c.decode : c.prefill;
      if (count >= 0) r.count = count;
      const double theirs = base == nullptr ? -1 : decode ? base->decode : base->prefill;
      if (count >= 0 && theirs > 0) r.ratio = count / theirs;
      if (time != nullptr) {
        r.time_ratio = 1.0 / time->ratio().Ratio();
        r.time_clear = time->verdict == Verdict::kBetter || time->verdict == Verdict::kWorse;
      }
      if (c.variant != run.reference) Say(r, run.reference);
      results.push_back(std::move(r));
    }
  }
}

// Instructions of a process, and the median ratio to the reference's process of the same round that
// ran as many repetitions: slow rows run fewer, and what of a process is no repetition is unknown.
void AddCounters(const RunInfo& run, const Series& series, std::vector<InstructionRatio>& results) {
  const auto counts_of = [&](const std::string& variant, const Regime& regime) {
    std::map<std::pair<int, int>, const Sample*> found;
    for (const Sample* sample : series.Cell(variant, regime)) {
      if (sample->counters.contains("instructions"))
        found[{sample->round, sample->layout}] = sample;
    }
    return found;
  };
  for (const Regime& regime : series.regimes()) {
    const auto base = counts_of(run.reference, regime);
    for (const std::string& variant : series.variants()) {
      std::vector<double> counts, ratios, times;
      for (const auto& [place, sample] : counts_of(variant, regime)) {
        counts.push_back(sample->counters.at("instructions"));
        const auto other = base.find(place);
        if (other == base.end() || other->second->counters.at("instructions") <= 0 ||
            other->second->reps.size() != sample->reps.size())
          continue;
        ratios.push_back(counts.back() / other->second->counters.at("instructions"));
        times.push_back(static_cast<double>(sample->wall_ns) /
                        static_cast<double>(other->second->wall_ns));
      }
      if (counts.empty()) continue;
      InstructionRatio r;
      r.variant = variant;
      r.regime = regime;
      r.source = "counters";
      r.work = "process";
      r.count = stats::Median(counts);
      if (!ratios.empty()) {
        r.ratio = stats::Median(ratios);
        r.time_ratio = stats::Median(times);
      }
      results.push_back(std::move(r));
    }
  }
}

}  // namespace

std::vector<InstructionRatio> RelateInstructions(const RunInfo& run, const Series& series,
                                                 const std::vector<Comparison>& comparisons) {
  std::vector<InstructionRatio> results;
  AddCounted(run, comparisons, results);
  AddCounters(run, series, results);
  return results;
}

void to_json(Json& json, const InstructionRatio& r) {
  json = {{"variant", r.variant},
          {"model", r.regime.model},
          {"workload", r.regime.workload},
          {"source", r.source},
          {"target", r.target},
          {"work", r.work},
          {"count", Number(r.count)},
          {"ratio", Number(r.ratio)},
          {"time_ratio", Number(r.time_ratio)},
          {"time_clear", r.time_clear},
          {"reason", r.reason},
          {"sentence", r.sentence}};
}

}  // namespace smallmind::harness
