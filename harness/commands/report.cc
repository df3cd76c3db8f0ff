// `harness report RUN`: the report and the plots of a recorded run, again; of two runs, also a page
// with both side by side.
#include "harness/report.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "harness/commands/command.h"
#include "harness/commands/present.h"
#include "harness/load_run.h"
#include "harness/run_session.h"

namespace smallmind::harness {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  RunOptions run;
};

int Report(const ReportOptions& options) {
  for (const std::string& directory : options.runs) {
    Run run = LoadRun(directory);
    RunOutcome outcome;
    outcome.directory = std::filesystem::canonical(directory);
    outcome.info = std::move(run.info);
    outcome.samples = std::move(run.samples);
    Present(outcome, options.run);
  }
  if (options.runs.size() == 2) {
    namespace fs = std::filesystem;
    const fs::path first = fs::canonical(options.runs[0]), second = fs::canonical(options.runs[1]);
    const fs::path output = second / ("against-" + first.filename().string());
    WriteComparisonReport(first.string(), second.string(), output.string());
    std::fprintf(stderr, "side by side: %s\n", (output / "report.html").c_str());
  }
  return 0;
}

}  // namespace

void AddReport(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* report = app.add_subcommand("report", "table, report and plots of recorded runs");
  report->add_option("run", options->runs, "run directories; two are also set side by side")
      ->required();
  report->add_flag("--no-plots", options->run.no_plots, "no figures");
  report->callback([options, &line] { line.action = [options] { return Report(*options); }; });
}

}  // namespace smallmind::harness
