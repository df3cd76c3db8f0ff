// Each struct lists its fields once (VisitFields); writing and reading walk the same list, so the
// two cannot drift apart. Tested by round trips of filled records (record_test.cc).
#include "harness/record.h"

#include "harness/error.h"
#include "harness/json_number.h"

namespace smallmind::harness {
namespace {

template <typename Enum>
struct EnumName {
  Enum value;
  const char* name;
};

constexpr EnumName<SampleStatus> kSampleStatus[] = {{SampleStatus::kOk, "ok"},
                                                    {SampleStatus::kFailed, "failed"},
                                                    {SampleStatus::kTimeout, "timeout"},
                                                    {SampleStatus::kCrashed, "crashed"}};
constexpr EnumName<RunStatus> kRunStatus[] = {{RunStatus::kRunning, "running"},
                                              {RunStatus::kComplete, "complete"},
                                              {RunStatus::kBudget, "budget"},
                                              {RunStatus::kInterrupted, "interrupted"},
                                              {RunStatus::kFailed, "failed"}};
constexpr EnumName<VariantKind> kVariantKind[] = {{VariantKind::kVariant, "variant"},
                                                  {VariantKind::kPeer, "peer"}};

template <typename Enum, size_t N>
std::string NameOf(const EnumName<Enum> (&names)[N], Enum value) {
  for (const auto& entry : names) {
    if (entry.value == value) return entry.name;
  }
  return "unknown";
}

template <typename Enum, size_t N>
Enum ValueOf(const EnumName<Enum> (&names)[N], const std::string& name) {
  for (const auto& entry : names) {
    if (name == entry.name) return entry.value;
  }
  throw BadInput("record: unknown state \"" + name + "\"");
}

Json EnumToJson(SampleStatus value) { return NameOf(kSampleStatus, value); }
Json EnumToJson(RunStatus value) { return NameOf(kRunStatus, value); }
Json EnumToJson(VariantKind value) { return NameOf(kVariantKind, value); }
void EnumFromJson(const Json& json, SampleStatus& v) { v = ValueOf(kSampleStatus, json); }
void EnumFromJson(const Json& json, RunStatus& v) { v = ValueOf(kRunStatus, json); }
void EnumFromJson(const Json& json, VariantKind& v) { v = ValueOf(kVariantKind, json); }

struct Writer {
  Json& json;
  template <typename T>
  void operator()(const char* name, const T& value) {
    if constexpr (std::is_enum_v<T>) {
      json[name] = EnumToJson(value);
    } else {
      json[name] = value;
    }
  }
};

struct Reader {
  const Json& json;
  template <typename T>
  void operator()(const char* name, T& value) {
    const auto it = json.find(name);
    if (it == json.end() || it->is_null()) return;
    if constexpr (std::is_enum_v<T>) {
      EnumFromJson(*it, value);
    } else {
      FromJson(*it, value);
    }
  }
};

template <typename S, typename Same>
concept Is = std::is_same_v<std::remove_const_t<S>, Same>;

template <Is<Rep> S, typename F>
void VisitFields(S& s, F&& f) {
  f("rep", s.rep);
  f("prompt_tokens", s.prompt_tokens);
  f("gen_tokens", s.gen_tokens);
  f("prefill_ns", s.prefill_ns);
  f("decode_ns", s.decode_ns);
  f("ttft_ns", s.ttft_ns);
  f("itl_ns", s.itl_ns);
}

template <Is<Sample> S, typename F>
void VisitFields(S& s, F&& f) {
  f("id", s.id);
  f("round", s.round);
  f("position", s.position);
  f("attempt", s.attempt);
  f("warmup", s.warmup);
  f("variant", s.variant);
  f("model", s.model);
  f("workload", s.workload);
  f("layout", s.layout);
  f("status", s.status);
  f("reason", s.reason);
  f("contaminated", s.contaminated);
  f("contamination", s.contamination);
  f("start_unix", s.start_unix);
  f("wall_ns", s.wall_ns);
  f("env_bytes", s.env_bytes);
  f("target", s.target);
  f("metrics", s.metrics);
  f("phases", s.phases);
  f("reps", s.reps);
  f("hashes", s.hashes);
  f("kernels", s.kernels);
  f("faults", s.faults);
  f("switches", s.switches);
  f("system", s.system);
  f("counters", s.counters);
}

template <Is<BinarySize> S, typename F>
void VisitFields(S& s, F&& f) {
  f("file_bytes", s.file_bytes);
  f("stripped_bytes", s.stripped_bytes);
  f("text_bytes", s.text_bytes);
  f("sections", s.sections);
  f("text_hash", s.text_hash);
}

template <Is<VariantInfo> S, typename F>
void VisitFields(S& s, F&& f) {
  f("name", s.name);
  f("title", s.title);
  f("kind", s.kind);
  f("binary", s.binary);
  f("layouts", s.layouts);
  f("command", s.command);
  f("toolchain", s.toolchain);
  f("compiler", s.compiler);
  f("flags", s.flags);
  f("isa", s.isa);
  f("lto", s.lto);
  f("pgo", s.pgo);
  f("dispatch", s.dispatch);
  f("group", s.group);
  f("guide_row", s.guide_row);
  f("expected_target", s.expected_target);
  f("target", s.target);
  f("git", s.git);
  f("dirty", s.dirty);
  f("status", s.status);
  f("reason", s.reason);
  f("build_seconds", s.build_seconds);
  f("pgo_coverage", s.pgo_coverage);
  f("size", s.size);
  f("ranked", s.ranked);
  f("unranked_reason", s.unranked_reason);
  f("raw", s.raw);
}

template <Is<ModelInfo> S, typename F>
void VisitFields(S& s, F&& f) {
  f("name", s.name);
  f("path", s.path);
  f("file_bytes", s.file_bytes);
  f("arch", s.arch);
  f("weight_type", s.weight_type);
  f("params", s.params);
  f("weight_bytes", s.weight_bytes);
  f("prompt_ops", s.prompt_ops);
  f("token_bytes", s.token_bytes);
  f("position_bytes", s.position_bytes);
  f("huge_mapped_pct", s.huge_mapped_pct);
}

template <Is<Workload> S, typename F>
void VisitFields(S& s, F&& f) {
  f("name", s.name);
  f("prompt_tokens", s.prompt_tokens);
  f("gen_tokens", s.gen_tokens);
  f("threads", s.threads);
  f("reps", s.reps);
  f("training", s.training);
  f("sequences", s.sequences);
  f("repack", s.repack);
}

template <Is<Environment> S, typename F>
void VisitFields(S& s, F&& f) {
  f("cpu_model", s.cpu_model);
  f("logical_cpus", s.logical_cpus);
  f("usable_cpus", s.usable_cpus);
  f("physical_cores", s.physical_cores);
  f("smt", s.smt);
  f("caches", s.caches);
  f("cpu_flags", s.cpu_flags);
  f("kernel", s.kernel);
  f("os", s.os);
  f("governor", s.governor);
  f("frequency", s.frequency);
  f("turbo", s.turbo);
  f("memory_bytes", s.memory_bytes);
  f("memory_available_bytes", s.memory_available_bytes);
  f("virtualisation", s.virtualisation);
  f("transparent_huge_pages", s.transparent_huge_pages);
  f("aslr", s.aslr);
  f("compiler", s.compiler);
  f("git", s.git);
  f("dirty", s.dirty);
  f("hostname_hash", s.hostname_hash);
  f("load", s.load);
  f("steal_pct", s.steal_pct);
  f("hardware_counters", s.hardware_counters);
}

template <Is<ContaminationRule> S, typename F>
void VisitFields(S& s, F&& f) {
  f("max_steal_pct", s.max_steal_pct);
  f("max_other_cpus", s.max_other_cpus);
  f("max_involuntary_per_s", s.max_involuntary_per_s);
  f("max_procs_running", s.max_procs_running);
  f("max_major_faults", s.max_major_faults);
  f("max_calibration_ratio", s.max_calibration_ratio);
  f("calibration_ns", s.calibration_ns);
}

template <Is<Ceiling> S, typename F>
void VisitFields(S& s, F&& f) {
  f("name", s.name);
  f("threads", s.threads);
  f("value", s.value);
  f("round", s.round);
}

template <Is<InstructionCount> S, typename F>
void VisitFields(S& s, F&& f) {
  f("variant", s.variant);
  f("model", s.model);
  f("target", s.target);
  f("prefill", s.prefill);
  f("decode", s.decode);
  f("totals", s.totals);
  f("reason", s.reason);
}

template <Is<PlanInfo> S, typename F>
void VisitFields(S& s, F&& f) {
  f("seed", s.seed);
  f("order", s.order);
  f("min_rounds", s.min_rounds);
  f("max_rounds", s.max_rounds);
  f("target_ci_pct", s.target_ci_pct);
  f("budget_s", s.budget_s);
  f("sure_rounds", s.sure_rounds);
  f("ceiling_share", s.ceiling_share);
  f("warmup", s.warmup);
  f("timeout_s", s.timeout_s);
  f("retries", s.retries);
  f("random_environment", s.random_environment);
  f("layouts", s.layouts);
  f("pin", s.pin);
  f("cold", s.cold);
  f("aslr_off", s.aslr_off);
  f("timers", s.timers);
  f("inject", s.inject);
  f("strides", s.strides);
}

template <Is<RunInfo> S, typename F>
void VisitFields(S& s, F&& f) {
  f("schema", s.schema);
  f("id", s.id);
  f("created", s.created);
  f("finished", s.finished);
  f("status", s.status);
  f("status_reason", s.status_reason);
  f("command", s.command);
  f("reference", s.reference);
  f("rounds_done", s.rounds_done);
  f("samples", s.samples);
  f("environment", s.environment);
  f("plan", s.plan);
  f("rule", s.rule);
  f("variants", s.variants);
  f("models", s.models);
  f("workloads", s.workloads);
  f("ceilings", s.ceilings);
  f("instructions", s.instructions);
  f("warnings", s.warnings);
  f("analysis", s.analysis);
  f("selftest", s.selftest);
}

template <typename S>
void Write(Json& json, const S& value) {
  json = Json::object();
  VisitFields(value, Writer{json});
}

template <typename S>
void Read(const Json& json, S& value) {
  VisitFields(value, Reader{json});
}

}  // namespace

const VariantInfo* FindVariant(const RunInfo& run, const std::string& name) {
  for (const VariantInfo& v : run.variants) {
    if (v.name == name) return &v;
  }
  return nullptr;
}

int64_t StrippedBytes(const RunInfo& run, const std::string& name) {
  const VariantInfo* variant = FindVariant(run, name);
  return variant == nullptr ? 0 : variant->size.stripped_bytes;
}

std::string CellKey(const std::string& variant, int layout, const std::string& model,
                    const std::string& workload) {
  return variant + "|" + std::to_string(layout) + "|" + model + "|" + workload;
}
std::string CellKey(const Sample& sample) {
  return CellKey(sample.variant, sample.layout, sample.model, sample.workload);
}

std::string ToString(SampleStatus status) { return NameOf(kSampleStatus, status); }
std::string ToString(RunStatus status) { return NameOf(kRunStatus, status); }

void to_json(Json& json, const KernelTime& time) {
  json = {{"calls", time.calls}, {"ns", time.ns}};
}
void from_json(const Json& json, KernelTime& time) {
  time.calls = json.value("calls", int64_t{0});
  time.ns = json.value("ns", int64_t{0});
}
void to_json(Json& json, const Rep& rep) { Write(json, rep); }
void from_json(const Json& json, Rep& rep) { Read(json, rep); }
void to_json(Json& json, const Sample& sample) {
  json = {{"schema", kSchemaVersion}};
  VisitFields(sample, Writer{json});
}
void from_json(const Json& json, Sample& sample) { Read(json, sample); }
void to_json(Json& json, const BinarySize& size) { Write(json, size); }
void from_json(const Json& json, BinarySize& size) { Read(json, size); }
void to_json(Json& json, const VariantInfo& variant) { Write(json, variant); }
void from_json(const Json& json, VariantInfo& variant) { Read(json, variant); }
void to_json(Json& json, const ModelInfo& model) { Write(json, model); }
void from_json(const Json& json, ModelInfo& model) { Read(json, model); }
void to_json(Json& json, const Workload& workload) { Write(json, workload); }
void from_json(const Json& json, Workload& workload) { Read(json, workload); }
void to_json(Json& json, const Environment& environment) { Write(json, environment); }
void from_json(const Json& json, Environment& environment) { Read(json, environment); }
void to_json(Json& json, const ContaminationRule& rule) { Write(json, rule); }
void from_json(const Json& json, ContaminationRule& rule) { Read(json, rule); }
void to_json(Json& json, const Ceiling& ceiling) { Write(json, ceiling); }
void from_json(const Json& json, Ceiling& ceiling) { Read(json, ceiling); }
void to_json(Json& json, const InstructionCount& count) { Write(json, count); }
void from_json(const Json& json, InstructionCount& count) { Read(json, count); }
void to_json(Json& json, const PlanInfo& plan) { Write(json, plan); }
void from_json(const Json& json, PlanInfo& plan) { Read(json, plan); }
void to_json(Json& json, const RunInfo& run) { Write(json, run); }
void from_json(const Json& json, RunInfo& run) { Read(json, run); }

}  // namespace smallmind::harness
