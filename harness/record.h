// The record of a run: plain data, read from and written to results/<run>/{run.json,samples.jsonl}.
//
// Sample is one process; RunInfo is everything that is not a sample. Times are nanoseconds of
// CLOCK_MONOTONIC as integers; metrics are doubles under the names of metrics.h, and a metric that
// a sample does not have is absent, never zero. Reading ignores unknown fields and gives missing
// ones their defaults, so that old runs stay readable. Schema: results/schema/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace smallmind::harness {

using Json = nlohmann::ordered_json;

inline constexpr int kSchemaVersion = 1;

// One repetition of a workload inside a process. Rep 0 is the cold one.
struct Rep {
  int rep = 0;
  int prompt_tokens = 0;
  int gen_tokens = 0;
  int64_t prefill_ns = 0;
  int64_t decode_ns = 0;
  int64_t ttft_ns = 0;          // prompt handed over -> first token
  std::vector<int64_t> itl_ns;  // gen_tokens - 1 gaps
};

struct KernelTime {
  int64_t calls = 0;
  int64_t ns = 0;
};

enum class SampleStatus { kOk, kFailed, kTimeout, kCrashed };

struct Sample {
  int64_t id = 0;
  int round = 0;
  int position = 0;     // place in the round's order, from 0
  int attempt = 0;      // 0, or the number of failed tries of this very cell before
  bool warmup = false;  // recorded, never part of a result
  std::string variant;
  std::string model;
  std::string workload;  // Workload::name
  int layout = 0;        // link-layout replicate, 0 = the variant's own binary
  SampleStatus status = SampleStatus::kOk;
  std::string reason;  // why it is not ok: "exit code 2: smallmind: …", "signal 11 (SIGSEGV)"
  bool contaminated = false;
  std::vector<std::string> contamination;  // which part of the rule, with the figure
  double start_unix = 0;
  int64_t wall_ns = 0;
  int env_bytes = 0;                      // random padding of the child's environment
  std::string target;                     // Highway target the process chose
  std::map<std::string, double> metrics;  // names of metrics.h
  // Instants since exec: loaded_ms, exec_to_main_ms, mapped_ms, tokenizer_ms, ready_ms,
  // first_token_ms
  std::map<std::string, double> phases;
  std::vector<Rep> reps;
  std::map<std::string, std::string> hashes;  // token, logits: 16 hex digits of rep 0
  std::map<std::string, KernelTime> kernels;
  std::map<std::string, int64_t> faults;    // minor, major; up to a phase: minor_at_main, …
  std::map<std::string, int64_t> switches;  // voluntary, involuntary
  std::map<std::string, double> system;     // steal_pct, procs_running, calibration_ns, …
  std::map<std::string, double> counters;   // perf events where the kernel gives them

  bool Usable() const { return status == SampleStatus::kOk && !warmup; }
};

struct BinarySize {
  int64_t file_bytes = 0;
  int64_t stripped_bytes = 0;
  int64_t text_bytes = 0;                   // executable sections
  std::map<std::string, int64_t> sections;  // bytes in the file (.bss: in memory)
  std::string text_hash;                    // 16 hex digits over executable sections
};

enum class VariantKind { kVariant, kPeer };

// One competitor: a row of the build manifest, or a peer's command.
struct VariantInfo {
  std::string name;
  std::string title;
  VariantKind kind = VariantKind::kVariant;
  std::string binary;                // absolute path; empty for a peer
  std::vector<std::string> layouts;  // absolute paths of layout replicates 1..K
  std::string command;               // peer only
  std::string toolchain;
  std::string compiler;
  std::string flags;
  std::string isa;
  std::string lto;
  std::string pgo;
  std::string dispatch;
  std::string group;
  std::string guide_row;
  std::string expected_target;
  std::string target;  // what the binary reported
  std::string git;
  bool dirty = false;            // built of that commit with changes
  std::string status = "built";  // built | skipped
  std::string reason;            // why skipped
  double build_seconds = 0;
  double pgo_coverage = -1;  // -1: not applicable
  BinarySize size;
  bool ranked = true;  // false: different output, or no usable sample
  std::string unranked_reason;
  Json raw;  // the manifest's row as it was
};

struct ModelInfo {
  std::string name;  // smollm2-135m-q8_0
  std::string path;
  int64_t file_bytes = 0;
  std::string arch;
  std::string weight_type;
  int64_t params = 0;
  int64_t weight_bytes = 0;
  // As the engine says; 0: unknown.
  int64_t prompt_ops = 0;      // operations with weights for a prompt token
  int64_t token_bytes = 0;     // weights that a decoded token reads
  int64_t position_bytes = 0;  // keys and values it reads of each position
  // Of the file, when the run began: it moves the first token (page_cache.h). -1: not known.
  double huge_mapped_pct = -1;
};

struct Workload {
  std::string name;  // WorkloadName (plan.h)
  int prompt_tokens = 128;
  int gen_tokens = 32;
  int threads = 0;  // as asked of the engine, resolved: never 0 in a record
  int reps = 3;
  // The prompts that profiles were trained on: run by rows with a profile and their bases alone,
  // every few rounds, for the profile's honesty and for nothing else. The name begins with
  // kTrainingPrefix.
  bool training = false;
  int sequences = 1;    // decoded together, each after a prompt of its own
  bool repack = false;  // matrices are copied in the order of the kernels at the start
};

inline constexpr std::string_view kTrainingPrefix = "train-";
inline bool IsTraining(std::string_view workload) { return workload.starts_with(kTrainingPrefix); }

// Cpu, kernel, toolchain, load: facts read at the start, and those of the whole run at its end.
struct Environment {
  std::string cpu_model;
  int logical_cpus = 0;
  int usable_cpus = 0;  // affinity and cgroup quota considered
  int physical_cores = 0;
  std::string smt;                            // on | off | unknown
  std::map<std::string, std::string> caches;  // L1d, L1i, L2, L3 -> "32 KiB x 4"
  std::vector<std::string> cpu_flags;         // those that matter to kernels
  std::string kernel;
  std::string os;
  std::string governor;   // or "unknown"
  std::string frequency;  // "3700 MHz" or "unknown"
  std::string turbo;      // on | off | unknown
  int64_t memory_bytes = 0;
  int64_t memory_available_bytes = 0;
  std::string virtualisation;  // kvm, none, unknown …
  std::string transparent_huge_pages;
  std::string aslr;  // 2 (full) | 1 | 0 | unknown
  std::string compiler;
  std::string git;
  bool dirty = false;
  std::string hostname_hash;           // tells machines apart without naming one
  std::map<std::string, double> load;  // 1m, 5m, 15m at the start
  double steal_pct = 0;                // over the whole run
  std::string hardware_counters;       // "available" or why not
};

// What makes a sample contaminated; fixed before the first sample, stored in run.json.
struct ContaminationRule {
  double max_steal_pct = 2.0;            // of the machine's CPU time while the sample ran
  double max_other_cpus = 0.5;           // CPUs kept busy by others while the sample ran
  double max_involuntary_per_s = 500.0;  // switches per second of CPU time, where others ran
  double max_procs_running = 4.0;  // runnable tasks just before the sample, the harness included
  int64_t max_major_faults = 0;    // not applied to --cold; one can take 100 times a startup
  double max_calibration_ratio = 1.25;  // fixed loop against calibration_ns
  int64_t calibration_ns = 0;           // the loop's median before the first sample
};

// A figure of the machine measured in the run: the gate divides by it, the roofline needs it.
struct Ceiling {
  std::string name;  // read_gbps | fma_gflops | int8_gops | bf16_gflops
  int threads = 0;
  double value = 0;
  int round = -1;  // -1: before the first round
};

// Instructions of one variant, see instruction_counts.h. -1: not counted, and `reason` says why.
struct InstructionCount {
  std::string variant;
  std::string model;
  std::string target = {};                     // the Highway target that was counted
  double prefill = -1;                         // a prompt token
  double decode = -1;                          // a generated token
  std::map<std::string, int64_t> totals = {};  // of the processes behind them, by "p8-n2"
  std::string reason = {};
};

struct PlanInfo {
  std::string seed;   // decimal
  std::string order;  // "Williams squares"
  int min_rounds = 0;
  int max_rounds = 0;
  double target_ci_pct = 0;  // 0: fixed number of rounds
  double budget_s = 0;       // 0: none
  int sure_rounds = 0;       // run whatever the budget; 0 (older records): min_rounds
  double ceiling_share = 0;  // of the time, see ceiling_schedule.h
  int warmup = 1;            // samples a cell before round 0
  double timeout_s = 0;
  int retries = 0;
  bool random_environment = true;
  int layouts = 0;
  std::string pin;  // cpu list or ""
  bool cold = false;
  bool aslr_off = false;
  bool timers = false;
  std::string inject;  // VARIANT=PCT,…: slowdowns that are known to be there
  // Slow competitors: CellKey -> every n-th round, kSlowRounds times at most.
  std::map<std::string, int> strides;
};

// "variant|layout|model|workload"
std::string CellKey(const std::string& variant, int layout, const std::string& model,
                    const std::string& workload);
std::string CellKey(const Sample& sample);

enum class RunStatus { kRunning, kComplete, kBudget, kInterrupted, kFailed };

struct RunInfo {
  int schema = kSchemaVersion;
  std::string id;       // directory name
  std::string created;  // 2026-11-22T06:41:12Z
  std::string finished;
  RunStatus status = RunStatus::kRunning;
  std::string status_reason;
  std::vector<std::string> command;  // argv
  std::string reference;             // variant all others are compared with
  Environment environment;
  PlanInfo plan;
  ContaminationRule rule;
  std::vector<VariantInfo> variants;  // skipped ones too
  std::vector<ModelInfo> models;
  std::vector<Workload> workloads;
  std::vector<Ceiling> ceilings;
  std::vector<InstructionCount> instructions;  // --instructions
  int rounds_done = 0;
  int64_t samples = 0;
  std::vector<std::string> warnings;
  Json analysis = Json::object();  // written by the report's analysis
  Json selftest = Json::object();  // this machine's latest operating curve, see selftest.h
};

// nullptr where no variant of the run has that name.
const VariantInfo* FindVariant(const RunInfo& run, const std::string& name);

// 0 where no variant of the run has that name.
int64_t StrippedBytes(const RunInfo& run, const std::string& name);

std::string ToString(SampleStatus status);
std::string ToString(RunStatus status);

void to_json(Json& json, const KernelTime& time);
void from_json(const Json& json, KernelTime& time);
void to_json(Json& json, const Rep& rep);
void from_json(const Json& json, Rep& rep);
void to_json(Json& json, const Sample& sample);
void from_json(const Json& json, Sample& sample);
void to_json(Json& json, const BinarySize& size);
void from_json(const Json& json, BinarySize& size);
void to_json(Json& json, const VariantInfo& variant);
void from_json(const Json& json, VariantInfo& variant);
void to_json(Json& json, const ModelInfo& model);
void from_json(const Json& json, ModelInfo& model);
void to_json(Json& json, const Workload& workload);
void from_json(const Json& json, Workload& workload);
void to_json(Json& json, const Environment& environment);
void from_json(const Json& json, Environment& environment);
void to_json(Json& json, const ContaminationRule& rule);
void from_json(const Json& json, ContaminationRule& rule);
void to_json(Json& json, const Ceiling& ceiling);
void from_json(const Json& json, Ceiling& ceiling);
void to_json(Json& json, const InstructionCount& count);
void from_json(const Json& json, InstructionCount& count);
void to_json(Json& json, const PlanInfo& plan);
void from_json(const Json& json, PlanInfo& plan);
void to_json(Json& json, const RunInfo& run);
void from_json(const Json& json, RunInfo& run);

}  // namespace smallmind::harness
