// `harness report RUN`: the report and the plots of a recorded run, again.
#include <cstdio>
#include <memory>

#include "harness/commands/command.h"
#include "harness/commands/present.h"
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
  return 0;
}

}  // namespace

void AddReport(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* report = app.add_subcommand("report", "table, report and plots of recorded runs");
  report->add_option("run", options->runs, "run directories")->required();
  report->add_flag("--no-plots", options->run.no_plots, "no figures");
  report->callback([options, &line] { line.action = [options] { return Report(*options); }; });
}

}  // namespace smallmind::harness
