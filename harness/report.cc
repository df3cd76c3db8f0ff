#include "harness/report.h"

#include <filesystem>

#include "harness/files.h"
#include "harness/load_run.h"
#include "harness/report/sections.h"

namespace smallmind::harness {

namespace fs = std::filesystem;

Document BuildReport(const RunInfo& run, const Analysis& a) {
  Document document;
  document.title = "Build modes compared: " + (run.id.empty() ? "a run" : run.id);
  document.subtitle = run.environment.cpu_model + ", " + std::to_string(run.rounds_done) +
                      " rounds, reference `" + run.reference + "`, " + run.created;
  const auto add = [&](DocSection section) {
    if (!section.blocks.empty()) document.sections.push_back(std::move(section));
  };
  add(SummarySection(run, a));
  add(RecommendationSection(a));
  for (DocSection& section : ResultSections(run, a)) add(std::move(section));
  add(GuideSection(run, a));
  add(ClaimsSection(a));
  add(OutputsSection(a));
  add(FactorialSection(a));
  add(WhySection(run, a));
  add(StartupSection(a));
  add(SizeSection(run, a));
  add(HonestySection(a));
  add(LedgerSection(run, a));
  add(SelftestSection(run.selftest));
  add(MethodSection(run, a));
  add(MachineSection(run));
  return document;
}

Analysis WriteReport(const std::string& directory) {
  Run run = LoadRun(directory);
  Analysis analysis = Analyze(run.info, run.samples, {}, ReadSymbols(run.info));
  RestoreSymbols(analysis.footprint, run.info.analysis);
  run.info.analysis = ToJson(analysis);
  for (VariantInfo& v : run.info.variants) {
    const std::string reason = analysis.Unranked(v.name);
    if (reason.empty()) continue;
    v.ranked = false;
    v.unranked_reason = reason;
  }
  const fs::path folder(directory);
  const Document document = BuildReport(run.info, analysis);
  WriteFileAtomically(folder / "run.json",
                      Json(run.info).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  WriteFileAtomically(folder / "report.md", RenderMarkdown(document));
  WriteFileAtomically(folder / "report.html", RenderHtml(document, LoadFigures(directory)));
  return analysis;
}

}  // namespace smallmind::harness
