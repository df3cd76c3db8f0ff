#include "harness/commands/present.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "harness/baseline.h"
#include "harness/error.h"
#include "harness/export.h"
#include "harness/files.h"
#include "harness/history.h"
#include "harness/process.h"
#include "harness/report.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

std::string WhyNotKept(const RunOutcome& outcome, std::optional<GateVerdict> verdict) {
  if (!outcome.failure.empty()) return outcome.failure;
  if (outcome.info.status == RunStatus::kInterrupted) return outcome.info.status_reason;
  const std::vector<std::string> failed = outcome.FailedVariants();
  if (!failed.empty()) return "no usable sample of " + failed.front();
  if (verdict == GateVerdict::kRegression) return "a regression";
  if (verdict == GateVerdict::kInconclusive) {
    return "inconclusive: more rounds, or save with `harness --save-baseline`";
  }
  return "";
}

}  // namespace

bool KeepBaseline(const RunOutcome& outcome, const RunOptions& options,
                  std::optional<GateVerdict> verdict) {
  if (options.save_baseline.empty()) return false;
  if (const std::string reason = WhyNotKept(outcome, verdict); !reason.empty()) {
    std::fprintf(stderr, "harness: baseline %s is not saved: %s\n", options.save_baseline.c_str(),
                 reason.c_str());
    return false;
  }
  SaveBaseline(ResultsDirOf(options), options.save_baseline, outcome.directory);
  return true;
}

void MakePlots(const fs::path& run_directory) {
  const fs::path script = fs::path(SMALLMIND_SOURCE_DIR) / "plots" / "all.py";
  if (!fs::exists(script)) return;
  // The system's python3 first: that is the one python3-matplotlib belongs to.
  const char* chosen = std::getenv("PYTHON");  // as scripts and Makefile take it
  const std::string python = chosen != nullptr && *chosen != '\0' ? chosen
                             : fs::exists("/usr/bin/python3")     ? "/usr/bin/python3"
                                                                  : "python3";
  ProcessRequest request;
  request.argv = {python, script.string(), run_directory.string()};
  request.timeout_s = 300;
  const fs::path launcher = fs::canonical("/proc/self/exe").parent_path() / "launcher";
  const ProcessResult result = RealProcessRunner(launcher.string(), nullptr).Run(request);
  if (result.Succeeded()) return;
  std::string said = result.started ? result.err_tail : result.error;
  while (said.ends_with('\n')) said.pop_back();
  said = said.substr(said.rfind('\n') + 1);
  std::fprintf(stderr,
               "warning: no plots: %s; they need python3 with matplotlib (apt install "
               "python3-matplotlib), then: harness report %s\n",
               said.c_str(), run_directory.c_str());
}

void Present(const RunOutcome& outcome, const RunOptions& options) {
  if (!options.export_json.empty()) {
    WriteFileAtomically(options.export_json, ReadFile(outcome.directory / "run.json"));
  }
  const Analysis analysis = Analyze(outcome.info, outcome.samples);
  if (!options.export_csv.empty()) {
    const Run record{outcome.info, outcome.samples};
    WriteFileAtomically(options.export_csv, Export("csv", record, analysis).at(0).text);
  }
  TerminalStyle style;
  style.colour = isatty(STDOUT_FILENO) != 0;
  std::fputs(RenderTerminal(outcome.info, analysis, style).c_str(), stdout);
  std::fflush(stdout);
  if (options.no_report || !outcome.failure.empty()) return;
  WriteReport(outcome.directory);
  if (outcome.info.status == RunStatus::kComplete || outcome.info.status == RunStatus::kBudget) {
    Run record;
    record.info = outcome.info;
    AppendHistory((outcome.directory.parent_path() / "history.jsonl").string(), record, analysis);
  }
  if (!options.no_plots) {
    MakePlots(outcome.directory);
    WriteReport(outcome.directory);  // the page holds the figures
  }
  if (!options.export_json.empty()) {  // now with its analysis
    WriteFileAtomically(options.export_json, ReadFile(outcome.directory / "run.json"));
  }
  if (!options.export_markdown.empty()) {
    WriteFileAtomically(options.export_markdown, ReadFile(outcome.directory / "report.md"));
  }
  std::fprintf(stderr, "report: %s\n", (outcome.directory / "report.html").c_str());
}

}  // namespace smallmind::harness
