// `harness selftest`: A/A false positives and power on this machine.
#include "harness/selftest.h"

#include <cstdio>
#include <memory>

#include "harness/commands/command.h"
#include "harness/error.h"
#include "harness/interrupt.h"
#include "harness/run_directory.h"
#include "harness/run_session.h"

namespace smallmind::harness {
namespace {

struct SelftestOptions {
  RunOptions run;
  std::string variant = "o2";
  int comparisons = 400;
};

constexpr double kSlowdowns[] = {1, 2, 5};

int Selftest(SelftestOptions options, const std::vector<std::string>& arguments) {
  RunOptions& run = options.run;
  if (run.models.empty()) run.models = "smollm2-135m-q8_0";
  if (run.prompts.empty()) run.prompts = "32";  // decode is what is judged
  if (run.rounds == 0) run.rounds = run.quick ? 10 : 40;
  run.variants = run.reference = options.variant;
  std::vector<VariantInfo> competitors = CompetitorsOf(run);
  const VariantInfo original = competitors.at(0);
  const std::string twin = original.name + "@same";
  competitors.push_back(original);
  competitors.back().name = competitors.back().title = twin;
  for (const double percent : kSlowdowns) {
    const std::string figure = std::to_string(static_cast<int>(percent));
    competitors.push_back(original);
    competitors.back().name = competitors.back().title = original.name + "+" + figure + "pct";
    run.inject += (run.inject.empty() ? "" : ",") + competitors.back().name + "=" + figure;
  }
  const RunOutcome outcome = ExecuteRunWith(run, arguments, competitors, InstallInterrupt());
  if (outcome.ExitCode() != kExitOk) {
    std::fprintf(stderr, "harness: %s\n", outcome.info.status_reason.c_str());
    return outcome.ExitCode();
  }
  constexpr const char* kMetric = "decode_tps";
  std::map<double, std::vector<double>> slowed;
  for (const double percent : kSlowdowns) {
    slowed[percent] = SlowdownRatios(
        outcome.samples, original.name,
        original.name + "+" + std::to_string(static_cast<int>(percent)) + "pct", kMetric);
  }
  SelftestResult result =
      OperatingCurve(SlowdownRatios(outcome.samples, original.name, twin, kMetric), slowed,
                     options.comparisons, std::stoull(outcome.info.plan.seed));
  result.metric = kMetric;
  result.regime = outcome.info.models[0].name + ", " + outcome.info.workloads[0].name;
  const std::string json = SelftestJson(result, outcome.info.environment).dump(1) + "\n";
  WriteFileAtomically(outcome.directory / "selftest.json", json);
  WriteFileAtomically(outcome.directory / "selftest.md", SelftestMarkdown(result));
  const auto kept = SelftestPath(ResultsDirOf(run), outcome.info.environment);
  std::filesystem::create_directories(kept.parent_path());
  WriteFileAtomically(kept, json);
  std::fputs(SelftestMarkdown(result).c_str(), stdout);
  return result.ExitCode();
}

}  // namespace

void AddSelftest(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<SelftestOptions>();
  CLI::App* selftest = app.add_subcommand(
      "selftest", "false positives and power on this machine (0 good, 3 false alarms, 4 blind)");
  AddRunOptions(*selftest, options->run);
  selftest->remove_option(selftest->get_option("--variants"));
  selftest->remove_option(selftest->get_option("--reference"));
  selftest->remove_option(selftest->get_option("--inject"));
  selftest->add_option("--variant", options->variant, "the binary to test with")
      ->capture_default_str();
  selftest->add_option("--comparisons", options->comparisons, "comparisons drawn a point")
      ->check(CLI::Range(200, 100000))
      ->capture_default_str();
  selftest->callback([options, &line] {
    line.action = [options, &line] { return Selftest(*options, line.arguments); };
  });
}

}  // namespace smallmind::harness
