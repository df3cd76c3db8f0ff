// `harness [run]`: measure, print the table, write the report, the plots and what was to be
// exported.
#include <cstdio>
#include <memory>

#include "harness/baseline.h"
#include "harness/commands/command.h"
#include "harness/commands/present.h"
#include "harness/error.h"
#include "harness/gate.h"
#include "harness/interrupt.h"
#include "harness/run_session.h"

namespace smallmind::harness {
namespace {

int RunAndPresent(const RunOptions& options, const std::vector<std::string>& arguments) {
  const RunOutcome outcome = ExecuteRun(options, arguments, InstallInterrupt());
  if (!outcome.write_error.empty()) {
    std::fprintf(stderr, "harness: %s\n", outcome.write_error.c_str());
  }
  try {
    Present(outcome, options);
    bool regression = false;
    if (!options.baseline.empty()) {
      const Run old = LoadBaseline(ResultsDirOf(options), options.baseline);
      const GateResult result = JudgeBaseline(old.info, old.samples, outcome.info, outcome.samples,
                                              outcome.info.reference, GateThresholds(""));
      regression = result.Verdict() == GateVerdict::kRegression;
      std::fputs(GateMarkdown(result).c_str(), stdout);
    }
    KeepBaseline(outcome, options, regression);
  } catch (const HarnessError& error) {  // the measuring's own outcome decides the exit code
    std::fprintf(stderr, "harness: %s\n", error.what());
    if (outcome.ExitCode() == kExitOk) return error.exit_code();
  }
  for (const std::string& failed : outcome.FailedVariants()) {
    std::fprintf(stderr, "harness: no usable sample of %s\n", failed.c_str());
  }
  return outcome.ExitCode();
}

}  // namespace

void AddRun(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<RunOptions>();
  const auto action = [options, &line] {
    line.action = [options, &line] { return RunAndPresent(*options, line.arguments); };
  };
  AddRunOptions(app, *options);
  CLI::App* run =
      app.add_subcommand("run", "measure and compare (what happens without a subcommand)");
  AddRunOptions(*run, *options);
  run->callback(action);
  app.callback([&app, action] {
    const auto subcommands = app.get_subcommands();
    if (subcommands.empty()) return action();
    for (const CLI::Option* option : app.get_options()) {
      if (option->count() == 0) continue;
      throw RunError(option->get_name() + " stands before " + subcommands[0]->get_name() +
                     ", which would not see it: put it behind");
    }
  });
}

}  // namespace smallmind::harness
