#include "harness/analysis/waterfall.h"

#include <algorithm>
#include <cmath>

namespace smallmind::harness {
namespace {

constexpr std::pair<const char*, const char*> kPhases[] = {{"exec_to_main_ms", "exec to main"},
                                                           {"mapped_ms", "mapped"},
                                                           {"tokenizer_ms", "tokenizer"},
                                                           {"ready_ms", "ready"}};
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
      std::vector<double> minor, major, first_token;
      for (const Sample* s : cell) {
        if (s->faults.count("minor") != 0)
          minor.push_back(static_cast<double>(s->faults.at("minor")));
        if (s->faults.count("major") != 0)
          major.push_back(static_cast<double>(s->faults.at("major")));
        if (s->metrics.count("ttft_cold_ms") != 0 && s->metrics.count("startup_ms") != 0) {
          first_token.push_back(s->metrics.at("ttft_cold_ms") - s->metrics.at("startup_ms"));
        }
      }
      // A sample's phases are instants since exec; a phase lasts from the instant before it.
      std::map<std::string, std::vector<double>> lengths;
      for (const Sample* s : cell) {
        double before = 0.0;
        for (const auto& [key, name] : kPhases) {
          const auto found = s->phases.find(key);
          if (found == s->phases.end()) continue;
          lengths[key].push_back(found->second - before);
          before = found->second;
        }
      }
      for (const auto& [key, name] : kPhases) {
        if (lengths.count(key) != 0) w.phases.push_back(Phase(name, lengths[key], options));
      }
      if (w.phases.empty()) continue;
      if (!first_token.empty()) w.phases.push_back(Phase("first token", first_token, options));
      double at = 0.0;
      for (WaterfallPhase& phase : w.phases) {
        phase.start_ms = at;
        at += phase.length_ms;
      }
      w.minor_faults = minor.empty() ? 0.0 : stats::Median(minor);
      w.major_faults = major.empty() ? 0.0 : stats::Median(major);
      for (const VariantInfo& v : run.variants) {
        if (v.name != variant || v.size.sections.empty()) continue;
        w.relocations = 0;
        for (const char* section : {".rela.dyn", ".rela.plt"}) {
          const auto found = v.size.sections.find(section);
          if (found != v.size.sections.end()) w.relocations += found->second / kRelaBytes;
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
                      {"high", Number(p.high_ms)}});
  }
  json = {{"variant", w.variant},           {"model", w.regime.model},
          {"workload", w.regime.workload},  {"phases", phases},
          {"minor_faults", w.minor_faults}, {"major_faults", w.major_faults},
          {"relocations", w.relocations}};
}

}  // namespace smallmind::harness
