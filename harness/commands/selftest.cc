// `harness selftest`: A/A false positives and power on this machine.
#include "harness/selftest.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "harness/commands/command.h"
#include "harness/error.h"
#include "harness/files.h"
#include "harness/interrupt.h"
#include "harness/load_run.h"
#include "harness/run_session.h"

namespace smallmind::harness {
namespace {

struct SelftestOptions {
  RunOptions run;
  std::string variant = "o2";
  int comparisons = 400;
  double power_budget_s = kPairBudgetS;
  std::string from;
};

constexpr const char* kMetric = "decode_tps";
constexpr int kSlowdowns[] = {1, 2, 5};

std::string TwinOf(const std::string& variant) { return variant + "@same"; }

std::string SlowedName(const std::string& variant, int percent) {
  return variant + "+" + std::to_string(percent) + "pct";
}

// Rounds of several would be drawn as if they were one: "" or what is too many.
std::string MoreThanOne(size_t models, size_t workloads) {
  if (models > 1) return std::to_string(models) + " models";
  return workloads > 1 ? std::to_string(workloads) + " workloads" : "";
}

// The binary five times: as it is, under another name, and slowed.
RunOutcome Measure(SelftestOptions& options, const std::vector<std::string>& arguments) {
  RunOptions& run = options.run;
  const auto models = static_cast<size_t>(std::ranges::count(ModelsOf(run), ',')) + 1;
  if (const std::string many = MoreThanOne(models, WorkloadsOf(run, 1).size()); !many.empty()) {
    throw RunError("selftest judges one model under one workload, not " + many);
  }
  run.ceiling_share = 0;
  run.variants = run.reference = options.variant;
  std::vector<VariantInfo> competitors = CompetitorsOf(run);
  const auto add = [&](const std::string& name) {
    competitors.push_back(competitors[0]);
    competitors.back().name = competitors.back().title = name;
  };
  add(TwinOf(options.variant));
  for (const int percent : kSlowdowns) {
    add(SlowedName(options.variant, percent));
    run.inject +=
        (run.inject.empty() ? "" : ",") + competitors.back().name + "=" + std::to_string(percent);
  }
  return ExecuteRunWith(run, arguments, competitors, InstallInterrupt());
}

int Judge(const Run& run, const SelftestOptions& options, const std::filesystem::path& directory) {
  const std::string& reference = run.info.reference;
  const std::string many = MoreThanOne(run.info.models.size(), run.info.workloads.size());
  if (!many.empty() || run.info.plan.layouts > 0) {
    throw BadInput(directory.string() + ": " + (many.empty() ? "several layouts" : many) +
                   "; is this a selftest's run?");
  }
  SelftestRounds rounds;
  rounds.null = HeadlineRows(run.samples, reference, TwinOf(reference));
  rounds.pair_s = PairSeconds(run.samples);
  rounds.warmup = run.info.plan.warmup;
  for (const int percent : kSlowdowns) {
    rounds.slowed[percent] = HeadlineRows(run.samples, reference, SlowedName(reference, percent));
  }
  if (rounds.null.empty()) {
    throw BadInput(directory.string() + ": no round of " + reference + " and " + TwinOf(reference) +
                   "; is this a selftest's run?");
  }
  SelftestResult result = OperatingCurve(rounds, kMetric, options.power_budget_s,
                                         options.comparisons, std::stoull(run.info.plan.seed));
  result.regime = run.info.models.at(0).name + ", " + run.info.workloads.at(0).name;
  const std::string json = SelftestJson(result, run.info.environment).dump(1) + "\n";
  WriteFileAtomically(directory / "selftest.json", json);
  WriteFileAtomically(directory / "selftest.md", SelftestMarkdown(result));
  const auto kept = SelftestPath(ResultsDirOf(options.run), run.info.environment);
  std::filesystem::create_directories(kept.parent_path());
  WriteFileAtomically(kept, json);
  std::fputs(SelftestMarkdown(result).c_str(), stdout);
  return result.ExitCode();
}

int Selftest(SelftestOptions options, const std::vector<std::string>& arguments) {
  if (!options.from.empty()) return Judge(LoadRun(options.from), options, options.from);
  const RunOutcome outcome = Measure(options, arguments);
  if (outcome.ExitCode() != kExitOk) {
    std::fprintf(stderr, "harness: %s\n", outcome.info.status_reason.c_str());
    return outcome.ExitCode();
  }
  return Judge({outcome.info, outcome.samples}, options, outcome.directory);
}

}  // namespace

void AddSelftest(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<SelftestOptions>();
  CLI::App* selftest = app.add_subcommand(
      "selftest", "false positives and power on this machine (0 good, 3 false alarms, 4 blind)");
  options->run.kind = RunKind::kSelftest;
  AddMeasuringOptions(*selftest, options->run);
  for (const char* unused : {"--variants", "--reference", "--peer", "--inject", "--resume",
                             "--layouts", "--training-prompts"}) {
    selftest->remove_option(selftest->get_option(unused));
  }
  selftest->add_option("--variant", options->variant, "the binary to test with")
      ->capture_default_str();
  const auto of_the_run = selftest->get_options([&](CLI::Option* option) {
    return option != selftest->get_help_ptr() && !option->check_lname("results-dir") &&
           !option->check_lname("build-dir");
  });
  selftest->add_option("--comparisons", options->comparisons, "comparisons drawn a point")
      ->check(CLI::Range(200, 100000))
      ->capture_default_str();
  selftest
      ->add_option("--power-budget", options->power_budget_s,
                   "seconds within which 5 % must be found (the gate's budget)")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  CLI::Option* from =
      selftest->add_option("--from", options->from, "judge an earlier selftest's run again");
  for (CLI::Option* option : of_the_run) from->excludes(option);  // nothing is measured
  selftest->callback([options, &line] {
    line.action = [options, &line] { return Selftest(*options, line.arguments); };
  });
}

}  // namespace smallmind::harness
