// `harness gate`: exit 0 pass, 3 regression, 4 inconclusive.
#include "harness/gate.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "harness/baseline.h"
#include "harness/ceiling_schedule.h"
#include "harness/commands/command.h"
#include "harness/commands/present.h"
#include "harness/environment.h"
#include "harness/error.h"
#include "harness/files.h"
#include "harness/interrupt.h"
#include "harness/manifest.h"
#include "harness/run_session.h"
#include "harness/worktree_build.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

struct GateOptions {
  RunOptions run;
  std::string variant = "o2";
  std::string against;
  std::string against_binary;
  bool figures_only = false;
  std::string thresholds;
};

VariantInfo OtherBinary(const VariantInfo& now, const std::string& name, const fs::path& binary) {
  if (access(binary.c_str(), X_OK) != 0) throw BadInput(binary.string() + ": no such program");
  VariantInfo other = now;
  other.name = name;
  other.title = other.binary = fs::absolute(binary).string();
  return other;
}

// A change of compiler is not what a gate looks for.
void CheckToolchain(const RunInfo& baseline, const VariantInfo& now, const std::string& name) {
  for (const VariantInfo& v : baseline.variants) {
    if (v.name != now.name || v.toolchain.empty() || v.toolchain == now.toolchain) continue;
    throw BadInput("baseline " + name + " is of " + v.toolchain + ", this build of " +
                   now.toolchain + ": save one of it under another name (--save-baseline)");
  }
}

void Publish(const GateResult& result, const fs::path& directory) {
  const std::string markdown = GateMarkdown(result);
  WriteFileAtomically(directory / "gate.md", markdown);
  WriteFileAtomically(directory / "gate.json",
                      GateJson(result).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  if (const char* summary = std::getenv("GITHUB_STEP_SUMMARY"); summary != nullptr) {
    std::ofstream(summary, std::ios::app) << markdown;
  }
  std::fputs(markdown.c_str(), stdout);
}

int Gate(GateOptions options, const std::vector<std::string>& arguments) {
  RunOptions& run = options.run;
  // What is wrong with the command line is told before anything is built.
  MakePlan(run, 0);
  if (!run.save_baseline.empty()) CheckBaselineName(run.save_baseline);
  const auto thresholds = GateThresholds(options.thresholds);
  run.variants = options.variant;
  std::vector<VariantInfo> competitors = CompetitorsOf(run);
  if (run.baseline.empty() && options.against.empty() && options.against_binary.empty()) {
    // A saved baseline called "default", else the last commit: what the working tree changes. Who
    // saves the first baseline compares with nothing.
    if (HasBaseline(ResultsDirOf(run), "default")) {
      run.baseline = "default";
    } else if (run.save_baseline.empty()) {
      options.against = "HEAD";
    }
  }
  const std::atomic<bool>& interrupt = InstallInterrupt();
  Run baseline;
  if (!run.baseline.empty()) {
    baseline = LoadBaseline(ResultsDirOf(run), run.baseline);
    CheckToolchain(baseline.info, competitors[0], run.baseline);
  }
  if (!options.against_binary.empty()) {
    competitors.push_back(
        OtherBinary(competitors[0], options.variant + "@before", options.against_binary));
  } else if (!options.against.empty()) {
    competitors.push_back(BuildRef(options.against, competitors[0], SMALLMIND_SOURCE_DIR,
                                   BuildDirOf(run), &interrupt));
  } else if (!run.baseline.empty() && !options.figures_only) {
    // The baseline's own binary in the same rounds is the best normaliser there is.
    const fs::path binary = BaselineBinary(ResultsDirOf(run), run.baseline, options.variant);
    if (!binary.empty() && baseline.info.environment.cpu_model == ReadEnvironment().cpu_model) {
      competitors.push_back(
          OtherBinary(competitors[0], options.variant + "@" + run.baseline, binary));
    }
  }
  const std::string before = competitors.size() > 1 ? competitors[1].name : "";
  if (!before.empty()) run.ceiling_share = run.save_baseline.empty() ? 0 : kCeilingShare;
  run.reference = before.empty() ? options.variant : before;
  const RunOutcome outcome = ExecuteRunWith(run, arguments, competitors, interrupt);
  if (!outcome.failure.empty()) throw RunError(outcome.failure);
  if (before.empty() && run.baseline.empty()) {
    if (KeepBaseline(outcome, run, std::nullopt)) {
      std::fprintf(stderr, "baseline %s saved; there was none to compare with\n",
                   run.save_baseline.c_str());
    }
    return outcome.ExitCode();
  }
  const GateResult result =
      before.empty()
          ? JudgeBaseline(baseline.info, baseline.samples, outcome.info, outcome.samples,
                          options.variant, thresholds)
          : JudgePaired(outcome.info, outcome.samples, before, options.variant, thresholds);
  Publish(result, outcome.directory);
  KeepBaseline(outcome, run, result.Verdict());
  for (const std::string& failed : outcome.FailedVariants()) {
    std::fprintf(stderr, "harness: no usable sample of %s\n", failed.c_str());
  }
  if (outcome.ExitCode() == kExitInterrupted) return kExitInterrupted;
  if (outcome.ExitCode() != kExitOk) return outcome.ExitCode();
  return result.ExitCode();
}

}  // namespace

void AddGate(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<GateOptions>();
  CLI::App* gate = app.add_subcommand(
      "gate", "pass (0), regression (3) or inconclusive (4) against a baseline or another commit");
  options->run.kind = RunKind::kGate;
  AddMeasuringOptions(*gate, options->run);
  AddBaselineOptions(*gate, options->run);
  // Two competitors, no more: a peer would be taken for the one to compare with.
  for (const char* unused : {"--variants", "--reference", "--peer"}) {
    gate->remove_option(gate->get_option(unused));
  }
  gate->add_option("--variant", options->variant, "the variant to judge")->capture_default_str();
  gate->add_option(
      "--against", options->against,
      "a commit, built in a worktree and run in the same rounds (default: HEAD, unless "
      "a baseline called default is saved)");
  gate->add_option("--against-binary", options->against_binary,
                   "another binary in the same rounds");
  gate->add_flag("--figures-only", options->figures_only,
                 "judge a baseline by its stored figures alone, without running its binary again");
  gate->add_option("--threshold", options->thresholds, "METRIC=PERCENT,… instead of the defaults");
  gate->callback([options, &line] {
    line.action = [options, &line] { return Gate(*options, line.arguments); };
  });
}

}  // namespace smallmind::harness
