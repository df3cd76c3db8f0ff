// `harness [run]`: measure, print the table, write the report, the plots and what was to be
// exported.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

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
  if (!options.save_baseline.empty()) CheckBaselineName(options.save_baseline);
  std::optional<Run> old;
  if (!options.baseline.empty()) old = LoadBaseline(ResultsDirOf(options), options.baseline);
  const RunOutcome outcome = ExecuteRun(options, arguments, InstallInterrupt());
  if (!outcome.failure.empty()) {
    std::fprintf(stderr, "harness: %s\n", outcome.failure.c_str());
  }
  // The measuring's own outcome decides the exit code, then what fails after it, then the verdict.
  int code = outcome.ExitCode();
  const auto attempt = [&code](const auto& step) {
    try {
      step();
    } catch (const HarnessError& error) {
      std::fprintf(stderr, "harness: %s\n", error.what());
      if (code == kExitOk) code = error.exit_code();
    }
  };
  attempt([&] { Present(outcome, options); });
  std::optional<GateResult> judged;
  if (old) {
    judged = JudgeBaseline(old->info, old->samples, outcome.info, outcome.samples,
                           outcome.info.reference, GateThresholds(""));
    std::fputs(GateMarkdown(*judged).c_str(), stdout);
  }
  attempt([&] {
    KeepBaseline(outcome, options, judged ? std::optional(judged->Verdict()) : std::nullopt);
  });
  for (const std::string& failed : outcome.FailedVariants()) {
    std::fprintf(stderr, "harness: no usable sample of %s\n", failed.c_str());
  }
  return code == kExitOk && judged ? judged->ExitCode() : code;
}

}  // namespace

void AddRun(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<RunOptions>();
  const auto action = [options, &line] {
    line.action = [options, &line] { return RunAndPresent(*options, line.arguments); };
  };
  app.require_subcommand(0, 1);
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
