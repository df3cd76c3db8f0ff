// `bench`: the measured workload, reported as JSON lines on stdout (protocol version 1) and a line
// for people on stderr. One process is one sample: the first repetition is the cold one.

#include <sys/resource.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>

#include "engine/base/build_info.h"
#include "engine/base/error.h"
#include "engine/base/json_writer.h"
#include "engine/cli/ceilings.h"
#include "engine/cli/command.h"
#include "engine/cli/texts.h"
#include "engine/cli/workload.h"
#include "engine/kernels/targets.h"
#include "engine/model/token_work.h"
#include "engine/runtime/cpus.h"

namespace smallmind {
namespace {

constexpr int kProtocol = 1;

struct BenchFlags {
  ModelOptions model;
  size_t n_prompt = 128;
  size_t n_gen = 32;
  size_t reps = 3;
  size_t sequences = 1;
  bool timers = false;
  bool training_text = false;
  bool ceilings = false;
  double slowdown_pct = 0;

  std::string_view Text() const { return training_text ? TrainingText() : EvaluationText(); }
};

void Print(const JsonLine& line) {
  std::fputs((line.str() + "\n").c_str(), stdout);
  std::fflush(stdout);
}

std::string Hex(uint64_t value) {
  char buffer[17];
  std::snprintf(buffer, sizeof(buffer), "%016llx", static_cast<unsigned long long>(value));
  return buffer;
}

void PrintHello(const BenchFlags& o, const Engine& engine, const SessionOptions& session) {
  const BuildInfo& build = GetBuildInfo();
  const Model& model = engine.model();
  const TokenWork work = WorkOfToken(model.spec, model.weights);
  Print(JsonLine()
            .Add("event", "hello")
            .Add("protocol", kProtocol)
            .Add("variant", build.variant)
            .Add("compiler", build.compiler)
            .Add("flags", build.flags)
            .Add("git", build.git)
            .Add("target", ChosenTarget())
            .Add("static_target", StaticTarget())
            .Add("dispatch", DispatchIsDynamic() ? "dynamic" : "static")
            .Add("threads", session.threads)
            .Add("model", o.model.path)
            .Add("model_name", model.spec.name)
            .Add("arch", model.spec.arch->name)
            .Add("weight_type", Info(model.weights.main_type).name)
            .Add("params", model.weights.parameters)
            .Add("weight_bytes", model.weights.bytes)
            .Add("prompt_ops", work.prompt_ops)
            .Add("token_bytes", work.weight_bytes)
            .Add("position_bytes", CacheBytesOfPosition(model.spec, session.kv_type))
            .Add("kv", o.model.kv)
            .Add("repack", !model.copy.bytes().empty())
            .Add("n_prompt", o.n_prompt)
            .Add("n_gen", o.n_gen));
}

void PrintPhase(const char* name, const Instant& at) {
  Print(JsonLine()
            .Add("event", "phase")
            .Add("name", name)
            .Add("t_ns", at.t_ns)
            .Add("minor_faults", at.minor_faults)
            .Add("major_faults", at.major_faults));
}

void PrintRepetition(size_t rep, const Repetition& r) {
  for (size_t i = 0; i < r.token_ns.size(); ++i) {
    Print(JsonLine()
              .Add("event", "token")
              .Add("rep", rep)
              .Add("index", i)
              .Add("t_ns", r.token_ns[i]));
  }
  const int64_t decode_ns = r.token_ns.empty() ? 0 : r.token_ns.back() - r.token_ns.front();
  Print(JsonLine()
            .Add("event", "rep")
            .Add("rep", rep)
            .Add("prompt_tokens", r.prompt.size())
            .Add("gen_tokens", r.generated.size())
            .Add("start_ns", r.start_ns)
            .Add("prefill_ns", r.prefill_ns)
            .Add("decode_ns", decode_ns)
            .Add("token_hash", Hex(r.token_hash))
            .Add("logits_hash", Hex(r.logits_hash)));
  const double prefill_tps =
      static_cast<double>(r.prompt.size()) * 1e9 / static_cast<double>(r.prefill_ns);
  const double decode_tps = decode_ns > 0 ? static_cast<double>(r.generated.size() - 1) * 1e9 /
                                                static_cast<double>(decode_ns)
                                          : 0;
  std::fprintf(stderr,
               "rep %zu: prefill %zu tokens at %.1f tok/s, decode %zu tokens at %.1f tok/s\n", rep,
               r.prompt.size(), prefill_tps, r.generated.size(), decode_tps);
}

void PrintMemory() {
  long hwm = 0, anon = 0, file = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    std::sscanf(line.c_str(), "VmHWM: %ld", &hwm);
    std::sscanf(line.c_str(), "RssAnon: %ld", &anon);
    std::sscanf(line.c_str(), "RssFile: %ld", &file);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Print(JsonLine()
            .Add("event", "memory")
            .Add("vm_hwm_kib", hwm)
            .Add("rss_anon_kib", anon)
            .Add("rss_file_kib", file)
            .Add("minor_faults", usage.ru_minflt)
            .Add("major_faults", usage.ru_majflt)
            .Add("voluntary_switches", usage.ru_nvcsw)
            .Add("involuntary_switches", usage.ru_nivcsw));
}

int RunCeilings(const BenchFlags& o) {
  const size_t threads = o.model.threads == 0 ? UsableCpus() : o.model.threads;
  for (const CeilingValue& c : MeasureCeilings(threads)) {
    Print(JsonLine()
              .Add("event", "ceiling")
              .Add("name", c.name)
              .Add("threads", threads)
              .Add("value", c.value));
  }
  Print(JsonLine().Add("event", "done"));
  return 0;
}

void PrintKernels(const StageTimers& timers) {
  for (size_t i = 0; i < kStageNames.size(); ++i) {
    Print(JsonLine()
              .Add("event", "kernels")
              .Add("name", kStageNames[i])
              .Add("calls", timers.entries[i].calls)
              .Add("ns", timers.entries[i].ns));
  }
}

void RunBatch(const BenchFlags& o, const Engine& engine, SequenceGroup& group) {
  for (size_t rep = 0; rep < o.reps; ++rep) {
    const BatchRepetition r =
        RunBatchRepetition(engine, group, o.Text(), o.n_prompt, o.n_gen, o.slowdown_pct / 100);
    Print(JsonLine()
              .Add("event", "batch")
              .Add("rep", rep)
              .Add("sequences", o.sequences)
              .Add("prompt_tokens", r.prompt_tokens)
              .Add("gen_tokens", o.n_gen)
              .Add("prefill_ns", r.prefill_ns)
              .Add("decode_ns", r.decode_ns)
              .Add("token_hash", Hex(r.token_hash)));
    std::fprintf(
        stderr, "rep %zu: %zu sequences decoded at %.1f tok/s in all\n", rep, o.sequences,
        static_cast<double>(o.sequences * o.n_gen) * 1e9 / static_cast<double>(r.decode_ns));
  }
}

void RunAlone(const BenchFlags& o, const Engine& engine, Session& session) {
  for (size_t rep = 0; rep < o.reps; ++rep) {
    const Repetition r =
        RunRepetition(engine, session, o.Text(), o.n_prompt, o.n_gen, o.slowdown_pct / 100);
    if (rep == 0) PrintPhase("first_token", r.first_token);
    PrintRepetition(rep, r);
  }
}

int RunBench(const BenchFlags& o, const StartInstants& start) {
  o.model.ApplyTarget();
  if (o.ceilings) return RunCeilings(o);
  if (o.model.path.empty()) throw UsageError("bench needs --model");
  ModelOptions model = o.model;
  if (model.context == 0) model.context = o.n_prompt + o.n_gen;
  Engine engine = Engine::OpenWithoutTokenizer(model.path, model.Opening(model.context));
  const Instant mapped = Instant::Now();
  engine.LoadTokenizer();
  const Instant tokenizer = Instant::Now();
  const SessionOptions options = Resolved(model.Session(), engine.model().spec);
  std::optional<SequenceGroup> group;
  std::optional<Session> session;
  if (o.sequences > 1) {
    group.emplace(engine, options, o.sequences);
  } else {
    session.emplace(engine, options);
  }
  const Instant ready = Instant::Now();
  PrintWarning(engine.tokenizer());
  o.model.PrintContextWarning(engine.model().spec);
  PrintHello(o, engine, options);
  PrintPhase("loaded", start.loaded);
  PrintPhase("main", start.main);
  PrintPhase("mapped", mapped);
  PrintPhase("tokenizer", tokenizer);
  PrintPhase("ready", ready);
  StageTimers timers;
  StageTimers* const wanted = o.timers ? &timers : nullptr;
  if (group) {
    group->set_timers(wanted);
    RunBatch(o, engine, *group);
  } else {
    session->set_timers(wanted);
    RunAlone(o, engine, *session);
  }
  if (o.timers) PrintKernels(timers);
  PrintMemory();
  Print(JsonLine().Add("event", "done"));
  return 0;
}

}  // namespace

void AddBench(Program& program, const StartInstants& start) {
  program.Add("bench", "Measure; JSON lines on stdout", [start](Command& c) {
    auto o = std::make_shared<BenchFlags>();
    o->model.Declare(&c, ModelOptions::kOptionalModel);
    c.Option("-p,--n-prompt", &o->n_prompt, "Prompt tokens").Range(1, 1 << 20).ShowDefault();
    c.Option("-n,--n-gen", &o->n_gen, "Tokens to generate").Range(0, 1 << 20).ShowDefault();
    c.Option("-r,--repetitions", &o->reps, "Repetitions in this process; the first one is cold")
        .Range(1, 100000)
        .ShowDefault();
    c.Option("--sequences", &o->sequences, "Sequences decoded together; one `batch` event each")
        .Range(1, 1024);
    c.Flag("--timers", &o->timers, "Report the time of each stage of the forward pass");
    c.Flag("--ceilings", &o->ceilings,
           "Measure the machine instead: read bandwidth, FMA, int8, BF16");
    c.Flag("--training-text", &o->training_text, "Use the text that PGO trains on");
    c.Option("--inject-slowdown", &o->slowdown_pct, "Percent of every forward pass to waste")
        .RealRange(0.0, 1000.0);
    c.Runs([o, start] { return RunBench(*o, start); });
  });
}

}  // namespace smallmind
