// `harness gate`: exit 0 pass, 3 regression, 4 inconclusive.
#include "harness/gate.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "harness/baseline.h"
#include "harness/commands/command.h"
#include "harness/error.h"
#include "harness/interrupt.h"
#include "harness/manifest.h"
#include "harness/run_directory.h"
#include "harness/run_session.h"
#include "harness/worktree_build.h"

namespace smallmind::harness {
namespace {

struct GateOptions {
  RunOptions run;
  std::string variant = "o2";
  std::string against;
  std::string against_binary;
  std::string thresholds;
};

// One model, rounds until intervals are half the smallest threshold wide, at most three minutes.
void SetDefaults(RunOptions& run) {
  if (run.models.empty()) run.models = "smollm2-135m-q8_0";
  if (run.rounds > 0) return;
  if (run.target_ci_pct < 0) run.target_ci_pct = 1.2;
  if (run.min_rounds == 0) run.min_rounds = run.quick ? 6 : 12;
  if (run.max_rounds == 0) run.max_rounds = run.quick ? 12 : 60;
  if (run.budget_s < 0) run.budget_s = run.quick ? 50 : 180;
}

VariantInfo OtherBinary(const GateOptions& options, const VariantInfo& now) {
  VariantInfo other = now;
  other.name = options.variant + "@before";
  other.title = options.against_binary;
  other.binary = std::filesystem::absolute(options.against_binary).string();
  if (access(other.binary.c_str(), X_OK) != 0) throw BadInput(other.binary + ": no such program");
  return other;
}

void Publish(const GateResult& result, const std::filesystem::path& directory) {
  const std::string markdown = GateMarkdown(result);
  WriteFileAtomically(directory / "gate.md", markdown);
  WriteFileAtomically(directory / "gate.json", GateJson(result).dump(1) + "\n");
  if (const char* summary = std::getenv("GITHUB_STEP_SUMMARY"); summary != nullptr) {
    std::ofstream(summary, std::ios::app) << markdown;
  }
  std::fputs(markdown.c_str(), stdout);
}

int Gate(GateOptions options, const std::vector<std::string>& arguments) {
  RunOptions& run = options.run;
  SetDefaults(run);
  const auto thresholds = GateThresholds(options.thresholds);
  run.variants = options.variant;
  std::vector<VariantInfo> competitors = CompetitorsOf(run);
  const bool paired_by_default =
      run.baseline.empty() && options.against.empty() && options.against_binary.empty();
  if (paired_by_default) {
    // A saved baseline called "default", else the last commit: what the working tree changes.
    if (HasBaseline(ResultsDirOf(run), "default")) {
      run.baseline = "default";
    } else {
      options.against = "HEAD";
    }
  }
  Run baseline;
  if (!run.baseline.empty()) baseline = LoadBaseline(ResultsDirOf(run), run.baseline);
  std::string before;
  if (!options.against_binary.empty()) {
    competitors.push_back(OtherBinary(options, competitors[0]));
  } else if (!options.against.empty()) {
    competitors.push_back(
        BuildRef(options.against, options.variant, SMALLMIND_SOURCE_DIR, BuildDirOf(run)));
  }
  if (competitors.size() > 1) before = competitors[1].name;
  run.reference = before.empty() ? options.variant : before;
  const RunOutcome outcome = ExecuteRunWith(run, arguments, competitors, InstallInterrupt());
  if (!outcome.write_error.empty()) throw RunError(outcome.write_error);
  if (!run.save_baseline.empty()) {
    SaveBaseline(ResultsDirOf(run), run.save_baseline, outcome.directory);
  }
  const GateResult result =
      before.empty()
          ? JudgeBaseline(baseline.info, baseline.samples, outcome.info, outcome.samples,
                          options.variant, thresholds)
          : JudgePaired(outcome.info, outcome.samples, before, options.variant, thresholds);
  Publish(result, outcome.directory);
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
  AddRunOptions(*gate, options->run);
  gate->remove_option(gate->get_option("--variants"));
  gate->remove_option(gate->get_option("--reference"));
  gate->add_option("--variant", options->variant, "the variant to judge")->capture_default_str();
  gate->add_option(
      "--against", options->against,
      "a commit, built in a worktree and run in the same rounds (default: HEAD, unless "
      "a baseline called default is saved)");
  gate->add_option("--against-binary", options->against_binary,
                   "another binary in the same rounds");
  gate->add_option("--threshold", options->thresholds, "METRIC=PERCENT,… instead of the defaults");
  gate->callback([options, &line] {
    line.action = [options, &line] { return Gate(*options, line.arguments); };
  });
}

}  // namespace smallmind::harness
