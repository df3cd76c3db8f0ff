// Tested in run_options_test.cc: defaults, the quick mode, explicit flags, contradictions.
#include "harness/run_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <sstream>

#include "harness/ceiling_schedule.h"
#include "harness/error.h"
#include "harness/models.h"
#include "harness/workloads.h"

namespace smallmind::harness {
namespace {

constexpr const char* kOutput = "Output";  // a group of --help

// What a mode fills in where no flag speaks. Tables are sized for the core and guide groups (9
// variants, 2 models) on 4 cores: three minutes, or under one. Samples are short and rounds many: a
// shared machine's speed wanders within seconds, so that a pair is worth more the closer its
// processes are in time, and two repetitions (one cold, one warm) are the fewest that measure
// everything. The gate has the 135M model and samples of a third of a second, hundreds of rounds in
// the budget, and goes on until intervals reach half its smallest threshold to each side; the
// selftest does the same for a fixed number of rounds.
struct ModeDefaults {
  const char* models;
  const char* prompts;
  const char* gens;
  int reps, min_rounds, max_rounds;
  double target_ci_pct, budget_s;
};
struct Modes {
  ModeDefaults full, quick;
};
constexpr Modes kTable = {{kDefaultModels, "128", "32", 2, 8, 100, 1.5, 180},
                          {kDefaultModels, "64", "16", 2, 3, 12, 0, 52}};
constexpr const char* kPairModel = "smollm2-135m-q8_0";
constexpr Modes kGate = {{kPairModel, "64", "16", 2, 40, 400, 1.5, kPairBudgetS},
                         {kPairModel, "64", "16", 2, 12, 100, 1.5, 45}};
constexpr Modes kSelftest = {{kPairModel, "64", "16", 2, 40, 100, 0, 0},
                             {kPairModel, "64", "16", 2, 12, 12, 0, 0}};

const Modes& ModesOf(const RunOptions& options) {
  switch (options.kind) {
    case RunKind::kGate:
      return kGate;
    case RunKind::kSelftest:
      return kSelftest;
    default:
      return kTable;
  }
}
const ModeDefaults& ModeOf(const RunOptions& options) {
  return options.quick ? ModesOf(options).quick : ModesOf(options).full;
}

// "8; quick 3"
template <typename T>
std::string Usual(const RunOptions& options, T ModeDefaults::*member) {
  std::ostringstream text;
  text << ModesOf(options).full.*member << "; quick " << ModesOf(options).quick.*member;
  return text.str();
}

uint64_t ParseSeed(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw RunError("--seed: \"" + text + "\" is not a number from 0 to 2^64 - 1");
  }
  return value;
}

void CheckInjection(const std::string& inject) {
  const size_t equals = inject.find('=');
  double percent = 0;
  if (equals != std::string::npos) {
    const char* begin = inject.data() + equals + 1;
    const char* end = inject.data() + inject.size();
    const auto result = std::from_chars(begin, end, percent);
    if (result.ec == std::errc() && result.ptr == end && percent > 0 && percent <= 1000) return;
  }
  throw RunError("--inject wants VARIANT=PERCENT, not: " + inject);
}

void CheckInject(const std::string& injections) {
  std::istringstream parts(injections);
  for (std::string part; std::getline(parts, part, ',');) CheckInjection(part);
}

}  // namespace

void AddMeasuringOptions(CLI::App& app, RunOptions& o) {
  const auto positive = CLI::Range(1, 1000000);
  app.add_option("--variants", o.variants, "names and groups, comma-separated, or all")
      ->capture_default_str();
  app.add_option("--reference", o.reference, "variant the others are compared with (o2)");
  app.add_option("--models", o.models,
                 std::string("GGUF files or PRESET-QUANT names (") + ModesOf(o).full.models + ")");
  app.add_option("--peer", o.peers, "NAME='COMMAND': an outside program in the same rounds")
      ->allow_extra_args(false);
  const char* workload = "Workload (each takes a list)";
  app.add_option("-p,--prompt", o.prompts,
                 "prompt tokens (" + Usual(o, &ModeDefaults::prompts) + ")")
      ->group(workload);
  app.add_option("-n,--gen", o.gens, "generated tokens (" + Usual(o, &ModeDefaults::gens) + ")")
      ->group(workload);
  app.add_option("-t,--threads", o.threads, "threads (all usable CPUs)")->group(workload);
  app.add_option("-s,--sequences", o.sequences, "sequences decoded together")
      ->capture_default_str()
      ->group(workload);
  app.add_option("--repack", o.repack,
                 "1: matrices are copied at the start, in the order that kernels read; 0: mapped")
      ->capture_default_str()
      ->group(workload);
  app.add_option("-r,--reps", o.reps, "repetitions in a process (2: cold and warm)")
      ->check(CLI::Range(1, 1000))
      ->group(workload);
  const char* rounds = "Rounds";
  app.add_option("--rounds", o.rounds, "exactly this many")->check(positive)->group(rounds);
  app.add_option("--min-rounds", o.min_rounds,
                 "at least (" + Usual(o, &ModeDefaults::min_rounds) + ")")
      ->check(positive)
      ->group(rounds);
  app.add_option("--max-rounds", o.max_rounds,
                 "at most (" + Usual(o, &ModeDefaults::max_rounds) + ")")
      ->check(positive)
      ->group(rounds);
  app.add_option("--target-ci", o.target_ci_pct,
                 "stop when every interval is within +- this many percent (" +
                     Usual(o, &ModeDefaults::target_ci_pct) + "; 0 = never)")
      ->check(CLI::Range(0.0, 100.0))
      ->group(rounds);
  app.add_option(
         "--budget", o.budget_s,
         "seconds of measuring, warm-up included (" + Usual(o, &ModeDefaults::budget_s) +
             (o.kind != RunKind::kTable ? "" : "; from the tenth variant on more in proportion") +
             "; 0 = no limit); where given, one round is enough unless --min-rounds asks "
             "for more")
      ->check(CLI::Range(0.0, 1e7))
      ->group(rounds);
  app.add_option("--warmup", o.warmup, "recorded but unused samples a cell (1)")
      ->check(CLI::Range(0, 100))
      ->group(rounds);
  app.add_flag("--quick", o.quick, "a pass of under a minute")->group(rounds);
  app.add_option("--seed", o.seed, "of the order (drawn and recorded)")->group(rounds);
  app.add_option("--timeout", o.timeout_s, "seconds a sample may take (120)")
      ->check(CLI::Range(0.1, 1e6))
      ->group(rounds);
  app.add_option("--retries", o.retries, "further tries of a failed sample (1)")
      ->check(CLI::Range(0, 100))
      ->group(rounds);
  const char* conditions = "Conditions";
  app.add_option("--pin", o.pin, "CPU list such as 0-3 for every sample")->group(conditions);
  app.add_flag("--cold", o.cold, "evict model and binary from the page cache before each sample")
      ->group(conditions);
  app.add_flag("--no-aslr", o.aslr_off, "switch address randomisation off")->group(conditions);
  app.add_flag("--fixed-env", o.fixed_environment,
               "do not randomise the environment's size (which randomises stack layout)")
      ->group(conditions);
  app.add_option("--layouts", o.layouts, "use this many link-layout replicates a variant")
      ->check(CLI::Range(0, 64))
      ->group(conditions);
  app.add_flag("--timers", o.timers, "in-engine kernel timers")->group(conditions);
  app.add_flag("--training-prompts", o.training_prompts,
               "every few rounds also what profiles were trained on: how far do they flatter "
               "themselves?")
      ->group(conditions);
  app.add_flag(
         "--instructions", o.instructions,
         "where hardware counters are hidden: count instructions a token with valgrind, after "
         "the last round")
      ->group(conditions);
  app.add_option("--inject", o.inject, "VARIANT=PERCENT,…: a known slowdown, to test the harness")
      ->group(conditions);
  const auto before_output = app.get_options([&](CLI::Option* option) {
    return option != app.get_help_ptr() && !option->check_lname("instructions");
  });
  app.add_option("--results-dir", o.results_dir, "where runs are kept (results/)")->group(kOutput);
  CLI::Option* resume =
      app.add_option("--resume", o.resume, "complete an interrupted run directory, as it was begun")
          ->group(kOutput);
  app.add_option("--manifest", o.manifests,
                 "BUILD/variants/manifest.json; several for several toolchains in one table")
      ->allow_extra_args(false)
      ->group(kOutput);
  app.add_option("--build-dir", o.build_dir, "build tree (that of this program)")->group(kOutput);
  // run.json says what a begun run measures; only its output is still open.
  for (CLI::Option* option : before_output) resume->excludes(option);
}

void AddBaselineOptions(CLI::App& app, RunOptions& o) {
  app.add_option("--save-baseline", o.save_baseline,
                 "keep this run under a name for the gate, unless it "
                 "was judged and did not pass")
      ->group(kOutput);
  app.add_option("--baseline", o.baseline,
                 "compare with a saved baseline at the end; the exit code "
                 "is the judgement's")
      ->group(kOutput);
}

void AddPresentingOptions(CLI::App& app, RunOptions& o) {
  app.add_flag("--no-plots", o.no_plots, "no figures")->group(kOutput);
  CLI::Option* no_report =
      app.add_flag("--no-report", o.no_report, "samples and run.json only")->group(kOutput);
  app.add_option("--export-json", o.export_json, "copy of run.json")->group(kOutput);
  app.add_option("--export-markdown", o.export_markdown, "copy of report.md")
      ->excludes(no_report)
      ->group(kOutput);
  app.add_option("--export-csv", o.export_csv, "one row a sample")->group(kOutput);
}

void AddRunOptions(CLI::App& app, RunOptions& o) {
  AddMeasuringOptions(app, o);
  AddBaselineOptions(app, o);
  AddPresentingOptions(app, o);
}

PlanInfo MakePlan(const RunOptions& o, double unix_seconds, size_t competitors) {
  const ModeDefaults& mode = ModeOf(o);
  PlanInfo plan;
  plan.seed = std::to_string(o.seed.empty() ? static_cast<uint64_t>(unix_seconds * 1e6)
                                            : ParseSeed(o.seed));
  plan.order = "Williams squares within model and workload, blocks shuffled each round";
  plan.target_ci_pct = o.target_ci_pct >= 0 ? o.target_ci_pct : mode.target_ci_pct;
  plan.budget_s = o.budget_s >= 0 ? o.budget_s : mode.budget_s;
  if (o.budget_s < 0 && !o.quick && o.kind == RunKind::kTable && competitors > kBudgetCompetitors) {
    plan.budget_s *= static_cast<double>(competitors) / static_cast<double>(kBudgetCompetitors);
  }
  plan.max_rounds = o.max_rounds > 0 ? o.max_rounds : std::max(mode.max_rounds, o.min_rounds);
  plan.min_rounds = o.min_rounds > 0 ? o.min_rounds : std::min(mode.min_rounds, plan.max_rounds);
  if (o.rounds > 0) {
    if (o.min_rounds > 0 || o.max_rounds > 0 || o.target_ci_pct > 0 || o.budget_s > 0) {
      throw RunError(
          "--rounds is exact; it does not go with --min-rounds, --max-rounds, --target-ci or "
          "--budget");
    }
    plan.min_rounds = plan.max_rounds = o.rounds;
    plan.target_ci_pct = plan.budget_s = 0;
  }
  if (plan.min_rounds > plan.max_rounds) {
    throw RunError("--min-rounds " + std::to_string(plan.min_rounds) + " exceeds --max-rounds " +
                   std::to_string(plan.max_rounds));
  }
  plan.sure_rounds = o.budget_s > 0 && o.min_rounds == 0 ? 1 : plan.min_rounds;
  const bool divided = !o.save_baseline.empty() || !o.baseline.empty();
  plan.ceiling_share = o.ceiling_share >= 0            ? o.ceiling_share
                       : divided || plan.budget_s == 0 ? kDivisorShare
                                                       : kCeilingShare;
  CheckInject(o.inject);
  plan.warmup = o.warmup;
  plan.timeout_s = o.timeout_s;
  plan.retries = o.retries;
  plan.random_environment = !o.fixed_environment;
  plan.layouts = o.layouts;
  plan.pin = o.pin;
  plan.cold = o.cold;
  plan.aslr_off = o.aslr_off;
  plan.timers = o.timers;
  plan.inject = o.inject;
  return plan;
}

std::string ModelsOf(const RunOptions& o) { return o.models.empty() ? ModeOf(o).models : o.models; }

std::vector<Workload> WorkloadsOf(const RunOptions& o, int usable_cpus) {
  const ModeDefaults& mode = ModeOf(o);
  std::vector<Workload> workloads = MakeWorkloads(
      o.prompts.empty() ? mode.prompts : o.prompts, o.gens.empty() ? mode.gens : o.gens,
      o.threads.empty() ? std::to_string(usable_cpus) : o.threads, o.sequences, o.repack,
      o.reps > 0 ? o.reps : mode.reps);
  if (o.training_prompts) AddTrainingPrompts(workloads);
  return workloads;
}

}  // namespace smallmind::harness
