#include "harness/analysis/waterfall.h"

#include <algorithm>
#include <cmath>

namespace smallmind::harness {
namespace {

// A phase ends at the instant `key`; its faults are counted up to `at`.
struct PhaseDef {
  const char* key;
  const char* at;
  const char* name;
};
constexpr PhaseDef kPhases[] = {
    {"loaded_ms", "loaded", "loader"}, {"exec_to_main_ms", "main", "constructors"},
    {"mapped_ms", "mapped", "mapped"}, {"tokenizer_ms", "tokenizer", "tokenizer"},
    {"ready_ms", "ready", "ready"},    {"first_token_ms", "first_token", "first token"}};
constexpr int64_t kRelaBytes = 24;  // sizeof(Elf64_Rela)

WaterfallPhase Phase(const std::string& name, const std::vector<double>& values,
                     const AnalysisOptions& options) {
  WaterfallPhase phase;
  phase.name = name;
  phase.length_ms = stats::Median(values);
  const stats::Interval i =
      stats::Location(values, {options.level, options.resamples, options.seed})
          .log;  // of plain values here
  phase.low_ms = std::min(std::max(0.0, i.low), phase.length_ms);
  phase.high_ms = std::max(i.high, phase.length_ms);
  return phase;
}

}  // namespace

std::vector<Waterfall> DrawWaterfalls(const RunInfo& run, const Series& series,
                                      const AnalysisOptions& options) {
  std::vector<Waterfall> falls;
  for (const Regime& regime : series.regimes()) {
    for (const std::string& variant : series.variants()) {
      const auto cell = series.Cell(variant, regime);
      Waterfall w;
      w.variant = variant;
      w.regime = regime;
      std::vector<double> minor, major;
      // A sample's phases are instants since exec, its faults counts since exec; a phase has what
      // came after the instant before it.
      struct Seen {
        std::vector<double> lengths, minor, major;
      };
      std::map<std::string, Seen> seen;
      for (const Sample* s : cell) {
        if (s->faults.count("minor") != 0)
          minor.push_back(static_cast<double>(s->faults.at("minor")));
        if (s->faults.count("major") != 0)
          major.push_back(static_cast<double>(s->faults.at("major")));
        double before = 0.0, minor_before = 0.0, major_before = 0.0;
        const auto count = [&](const char* kind, const char* at, double& earlier,
                               std::vector<double>& into) {
          const auto found = s->faults.find(std::string(kind) + "_at_" + at);
          if (found == s->faults.end()) return;
          into.push_back(static_cast<double>(found->second) - earlier);
          earlier = static_cast<double>(found->second);
        };
        for (const PhaseDef& def : kPhases) {
          double end = 0.0;
          if (const auto found = s->phases.find(def.key); found != s->phases.end()) {
            end = found->second;
          } else if (std::string_view(def.at) == "first_token" &&
                     s->metrics.count("ttft_cold_ms") != 0 && before > 0.0) {
            end = s->metrics.at("ttft_cold_ms");
          } else {
            continue;
          }
          Seen& phase = seen[def.key];
          phase.lengths.push_back(end - before);
          before = end;
          count("minor", def.at, minor_before, phase.minor);
          count("major", def.at, major_before, phase.major);
        }
      }
      for (const PhaseDef& def : kPhases) {
        const auto found = seen.find(def.key);
        if (found == seen.end()) continue;
        const bool whole_start = std::string_view(def.at) == "main" && seen.count("loaded_ms") == 0;
        WaterfallPhase phase =
            Phase(whole_start ? "exec to main" : def.name, found->second.lengths, options);
        if (!found->second.minor.empty()) phase.minor_faults = stats::Median(found->second.minor);
        if (!found->second.major.empty()) phase.major_faults = stats::Median(found->second.major);
        w.phases.push_back(std::move(phase));
      }
      if (w.phases.empty()) continue;
      double at = 0.0;
      for (WaterfallPhase& phase : w.phases) {
        phase.start_ms = at;
        at += phase.length_ms;
      }
      w.minor_faults = minor.empty() ? 0.0 : stats::Median(minor);
      w.major_faults = major.empty() ? 0.0 : stats::Median(major);
      const VariantInfo* v = FindVariant(run, variant);
      if (v != nullptr && !v->size.sections.empty()) {
        w.relocations = 0;
        for (const char* section : {".rela.dyn", ".rela.plt"}) {
          const auto found = v->size.sections.find(section);
          if (found != v->size.sections.end()) w.relocations += found->second / kRelaBytes;
        }
      }
      falls.push_back(std::move(w));
    }
  }
  return falls;
}

void to_json(Json& json, const Waterfall& w) {
  Json phases = Json::array();
  for (const WaterfallPhase& p : w.phases) {
    phases.push_back({{"name", p.name},
                      {"start_ms", Number(p.start_ms)},
                      {"length_ms", Number(p.length_ms)},
                      {"low", Number(p.low_ms)},
                      {"high", Number(p.high_ms)},
                      {"minor_faults", Number(p.minor_faults)},
                      {"major_faults", Number(p.major_faults)}});
  }
  json = {{"variant", w.variant},           {"model", w.regime.model},
          {"workload", w.regime.workload},  {"phases", phases},
          {"minor_faults", w.minor_faults}, {"major_faults", w.major_faults},
          {"relocations", w.relocations}};
}

}  // namespace smallmind::harness
