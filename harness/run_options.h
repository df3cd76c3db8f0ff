// The command line of a run, as plain data, and its flags.
#pragma once

#include <string>
#include <vector>

#include "harness/record.h"

namespace CLI {
class App;
}

namespace smallmind::harness {

// What is measured: a table of variants, the gate's two binaries, or the selftest's one under five
// names. Each has its defaults, and shorter ones for --quick.
enum class RunKind { kTable, kGate, kSelftest };

struct RunOptions {
  RunKind kind = RunKind::kTable;
  std::string build_dir;               // "" = where this program lies
  std::vector<std::string> manifests;  // empty = that of build_dir
  std::string results_dir;             // "" = results/ of the source tree
  std::string variants = "all";
  std::string reference;  // "" = o2, or the first built one
  std::string models;     // "" = the default of the mode
  std::vector<std::string> peers;
  std::string prompts, gens, threads;  // "" = the default of the mode
  std::string sequences = "1", repack = "0";
  int reps = 0;
  int rounds = 0;  // > 0: exactly so many
  int min_rounds = 0, max_rounds = 0;
  double target_ci_pct = -1;
  double budget_s = -1;
  double ceiling_share = -1;  // no flag: what the command needs; < 0: by MakePlan
  std::string seed;           // "" = from the clock, recorded
  int warmup = 1;
  double timeout_s = 120;
  int retries = 1;
  bool quick = false;
  std::string pin;
  bool cold = false;
  bool aslr_off = false;
  bool fixed_environment = false;
  bool timers = false;
  bool training_prompts = false;
  bool instructions = false;
  int layouts = 0;
  std::string inject;
  std::string resume;
  bool no_plots = false;
  bool no_report = false;
  std::string export_json, export_markdown, export_csv;
  std::string save_baseline;
  std::string baseline;
};

// By who heeds them: whatever measures (run, gate, selftest); what knows baselines (run, gate);
// what shows a table and a report (run). A flag that would do nothing is refused.
void AddMeasuringOptions(CLI::App& app, RunOptions& options);
void AddBaselineOptions(CLI::App& app, RunOptions& options);
void AddPresentingOptions(CLI::App& app, RunOptions& options);
void AddRunOptions(CLI::App& app, RunOptions& options);  // all of them

// The gate's own budget, within which the selftest judges power.
inline constexpr double kPairBudgetS = 150;

// Kind, mode, defaults and explicit flags resolved. RunError where they contradict each other. The
// full mode's own budget is for kBudgetCompetitors; more of them (variants times layouts) get more
// time in proportion, and so as many rounds. A budget that was asked for may end a run after its
// first round; a mode's own leaves it the mode's fewest.
inline constexpr size_t kBudgetCompetitors = 9;
PlanInfo MakePlan(const RunOptions& options, double unix_seconds,
                  size_t competitors = kBudgetCompetitors);
std::string ModelsOf(const RunOptions& options);
std::vector<Workload> WorkloadsOf(const RunOptions& options, int usable_cpus);

}  // namespace smallmind::harness
