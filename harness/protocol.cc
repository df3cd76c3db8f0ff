// Two steps, each tested alone (protocol_test.cc): lines to a transcript, without judgement; then a
// transcript against the workload that was asked for, which is where a sample can fail.
#include "harness/protocol.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "harness/json_number.h"
#include "harness/stats/summary.h"

namespace smallmind::harness {
namespace {

constexpr size_t kShownBytes = 120;

Hello ParseHello(const Json& json) {
  Hello hello;
  hello.protocol = Field(json, "protocol", 0);
  hello.variant = Field(json, "variant", std::string());
  hello.compiler = Field(json, "compiler", std::string());
  hello.flags = Field(json, "flags", std::string());
  hello.git = Field(json, "git", std::string());
  hello.target = Field(json, "target", std::string());
  hello.static_target = Field(json, "static_target", std::string());
  hello.dispatch = Field(json, "dispatch", std::string());
  hello.model_name = Field(json, "model_name", std::string());
  hello.arch = Field(json, "arch", std::string());
  hello.weight_type = Field(json, "weight_type", std::string());
  hello.kv = Field(json, "kv", std::string());
  hello.threads = Field(json, "threads", 0);
  hello.params = Field(json, "params", int64_t{0});
  hello.weight_bytes = Field(json, "weight_bytes", int64_t{0});
  hello.prompt_ops = Field(json, "prompt_ops", int64_t{0});
  hello.token_bytes = Field(json, "token_bytes", int64_t{0});
  hello.position_bytes = Field(json, "position_bytes", int64_t{0});
  return hello;
}

// Sums of bounded numbers that are bounded again cannot overflow.
int64_t Bounded(int64_t sum) { return std::clamp(sum, -kMostCount, kMostCount); }

void ParseEvent(const Json& json, Transcript& transcript) {
  const std::string event = Field(json, "event", std::string());
  if (event == "hello") {
    transcript.hello = ParseHello(json);
  } else if (event == "exec") {
    transcript.exec_ns = Field<int64_t>(json, "t_ns");
  } else if (event == "phase") {
    const std::string name = Field<std::string>(json, "name");
    transcript.phases[name] = Field<int64_t>(json, "t_ns");
    for (const char* kind : {"minor", "major"}) {
      const auto count = json.find(std::string(kind) + "_faults");
      if (count != json.end()) FromJson(*count, transcript.faults[kind + ("_at_" + name)]);
    }
  } else if (event == "token") {
    transcript.tokens[Field(json, "rep", 0)][Field<int>(json, "index")] =
        Field<int64_t>(json, "t_ns");
  } else if (event == "rep") {
    transcript.reps.push_back(
        {Field(json, "rep", 0), Field(json, "prompt_tokens", 0), Field(json, "gen_tokens", 0),
         Field(json, "start_ns", int64_t{0}), Field(json, "prefill_ns", int64_t{0}),
         Field(json, "decode_ns", int64_t{0}), Field(json, "token_hash", std::string()),
         Field(json, "logits_hash", std::string())});
  } else if (event == "batch") {
    transcript.batches.push_back(
        {Field(json, "sequences", 0), Field(json, "prompt_tokens", 0), Field(json, "gen_tokens", 0),
         Field(json, "decode_ns", int64_t{0}), Field(json, "token_hash", std::string())});
  } else if (event == "kernels") {
    KernelTime& time = transcript.kernels[Field<std::string>(json, "name")];
    time.calls = Bounded(time.calls + Field(json, "calls", int64_t{0}));
    time.ns = Bounded(time.ns + Field(json, "ns", int64_t{0}));
  } else if (event == "memory") {
    for (const auto& [name, value] : json.items()) {
      if (value.is_number()) FromJson(value, transcript.memory[name]);
    }
  } else if (event == "ceiling") {
    transcript.ceilings.push_back({Field<std::string>(json, "name"), Field(json, "threads", 0),
                                   Field<double>(json, "value"), -1});
  } else if (event == "done") {
    transcript.done = true;
  }
}

template <typename Line>
std::string JoinHashes(const std::vector<Line>& reps, std::string Line::*hash) {
  // Repetitions of one prompt agree; where a bench varies its prompts, all of them count.
  const bool same = std::all_of(reps.begin(), reps.end(),
                                [&](const Line& rep) { return rep.*hash == reps.front().*hash; });
  if (same) return reps.front().*hash;
  uint64_t mixed = 14695981039346656037u;  // FNV-1a
  for (const Line& rep : reps) {
    for (const char c : rep.*hash) mixed = (mixed ^ static_cast<uint8_t>(c)) * 1099511628211u;
  }
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(mixed));
  return text;
}

std::string CheckRep(const Transcript& transcript, const Transcript::RepLine& rep,
                     const Workload& workload) {
  const std::string where = "repetition " + std::to_string(rep.rep) + ": ";
  const auto tokens = transcript.tokens.find(rep.rep);
  const int count = tokens == transcript.tokens.end() ? 0 : static_cast<int>(tokens->second.size());
  if (rep.gen_tokens == 0 || count == 0) return where + "no tokens were generated";
  if (rep.prompt_tokens != workload.prompt_tokens) {
    return where + std::to_string(rep.prompt_tokens) + " prompt tokens, asked for " +
           std::to_string(workload.prompt_tokens);
  }
  if (rep.gen_tokens != workload.gen_tokens || count != workload.gen_tokens) {
    return where + std::to_string(rep.gen_tokens) + " generated tokens (" + std::to_string(count) +
           " time stamps), asked for " + std::to_string(workload.gen_tokens);
  }
  int index = 0;
  int64_t previous = rep.start_ns;
  for (const auto& [i, t] : tokens->second) {
    if (i != index++) return where + "token " + std::to_string(index - 1) + " has no time stamp";
    if (t < previous) return where + "time runs backwards at token " + std::to_string(i);
    previous = t;
  }
  if (rep.start_ns <= 0 || rep.prefill_ns <= 0) return where + "no prefill time";
  return "";
}

Rep MeasureRep(const Transcript& transcript, const Transcript::RepLine& line) {
  Rep rep{line.rep, line.prompt_tokens, line.gen_tokens, line.prefill_ns, 0, 0, {}};
  const auto& tokens = transcript.tokens.at(line.rep);
  int64_t previous = 0;
  for (const auto& [index, t] : tokens) {
    if (index > 0) rep.itl_ns.push_back(t - previous);
    previous = t;
  }
  const int64_t first = tokens.begin()->second;
  rep.ttft_ns = first - line.start_ns;
  rep.decode_ns = previous - first;
  return rep;
}

std::string MeasureReps(const Transcript& transcript, const Workload& workload, Sample& sample) {
  if (static_cast<int>(transcript.reps.size()) != workload.reps) {
    return std::to_string(transcript.reps.size()) + " repetitions, asked for " +
           std::to_string(workload.reps);
  }
  for (const Transcript::RepLine& line : transcript.reps) {
    if (std::string reason = CheckRep(transcript, line, workload); !reason.empty()) return reason;
  }
  for (const Transcript::RepLine& line : transcript.reps) {
    sample.reps.push_back(MeasureRep(transcript, line));
  }

  std::vector<double> ttft, prefill, decode, gaps;
  for (size_t i = 0; i < sample.reps.size(); ++i) {
    const Rep& rep = sample.reps[i];
    // The first prefill pays for first touches; it is the warm figure only where it is alone. Its
    // decode comes after them: it agrees with the others within a percent, and doubles the data.
    if (i > 0 || sample.reps.size() == 1) {
      ttft.push_back(rep.ttft_ns / 1e6);
      prefill.push_back(rep.prompt_tokens * 1e9 / rep.prefill_ns);
    }
    if (rep.decode_ns > 0) decode.push_back((rep.gen_tokens - 1) * 1e9 / rep.decode_ns);
    for (const int64_t gap : rep.itl_ns) gaps.push_back(gap / 1e6);
  }
  auto& metrics = sample.metrics;
  metrics["ttft_ms"] = stats::Quantile(ttft, 0.5);
  metrics["prefill_tps"] = stats::Quantile(prefill, 0.5);
  if (!decode.empty()) metrics["decode_tps"] = stats::Quantile(decode, 0.5);
  if (!gaps.empty()) {
    metrics["itl_p50_ms"] = stats::Quantile(gaps, 0.50);
    metrics["itl_p95_ms"] = stats::Quantile(gaps, 0.95);
    metrics["itl_p99_ms"] = stats::Quantile(gaps, 0.99);
  }
  if (transcript.exec_ns) {
    const int first_rep = transcript.reps.front().rep;
    const int64_t first_token = transcript.tokens.at(first_rep).begin()->second;
    metrics["ttft_cold_ms"] = (first_token - *transcript.exec_ns) / 1e6;
  }
  sample.hashes["token"] = JoinHashes(transcript.reps, &Transcript::RepLine::token_hash);
  sample.hashes["logits"] = JoinHashes(transcript.reps, &Transcript::RepLine::logits_hash);
  return "";
}

// Sequences decoded together print no time of a single token: throughput alone is measured.
std::string MeasureBatches(const Transcript& transcript, const Workload& workload, Sample& sample) {
  if (static_cast<int>(transcript.batches.size()) != workload.reps) {
    return std::to_string(transcript.batches.size()) + " batches, asked for " +
           std::to_string(workload.reps);
  }
  std::vector<double> decode;
  for (const Transcript::BatchLine& line : transcript.batches) {
    if (line.sequences != workload.sequences || line.prompt_tokens != workload.prompt_tokens ||
        line.gen_tokens != workload.gen_tokens) {
      return "a batch of " + std::to_string(line.sequences) + " sequences, " +
             std::to_string(line.prompt_tokens) + " prompt and " + std::to_string(line.gen_tokens) +
             " generated tokens is not what was asked for";
    }
    if (line.decode_ns <= 0) return "a batch without decode time";
    decode.push_back(line.sequences * 1e9 * line.gen_tokens / line.decode_ns);
  }
  sample.metrics["decode_tps"] = stats::Quantile(decode, 0.5);
  sample.hashes["token"] = JoinHashes(transcript.batches, &Transcript::BatchLine::token_hash);
  return "";
}

void MeasureStart(const Transcript& transcript, Sample& sample) {
  if (!transcript.exec_ns) return;
  for (const auto& [name, t] : transcript.phases) {
    sample.phases[name == "main" ? "exec_to_main_ms" : name + "_ms"] =
        (t - *transcript.exec_ns) / 1e6;
  }
  if (const auto ready = sample.phases.find("ready_ms"); ready != sample.phases.end()) {
    sample.metrics["startup_ms"] = ready->second;
  }
}

void MeasureMemory(const Transcript& transcript, Sample& sample) {
  const auto memory = [&](const char* name) -> std::optional<int64_t> {
    const auto it = transcript.memory.find(name);
    if (it == transcript.memory.end()) return std::nullopt;
    return it->second;
  };
  if (const auto kib = memory("vm_hwm_kib")) sample.metrics["peak_rss_mib"] = *kib / 1024.0;
  if (const auto kib = memory("rss_anon_kib")) sample.metrics["rss_anon_mib"] = *kib / 1024.0;
  if (const auto kib = memory("rss_file_kib")) sample.metrics["rss_file_mib"] = *kib / 1024.0;
  sample.faults = transcript.faults;
  sample.faults["minor"] = memory("minor_faults").value_or(0);
  sample.faults["major"] = memory("major_faults").value_or(0);
  sample.switches["voluntary"] = memory("voluntary_switches").value_or(0);
  sample.switches["involuntary"] = memory("involuntary_switches").value_or(0);
}

}  // namespace

Transcript ParseTranscript(const std::string& text) {
  Transcript transcript;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    bool bad = false;
    try {
      const Json json = Json::parse(line, nullptr, false);
      bad = !json.is_object();
      if (!bad) ParseEvent(json, transcript);
    } catch (const std::exception&) {  // an event of ours without its fields, or of wrong types
      bad = true;
    }
    if (bad && transcript.bad_lines++ == 0) transcript.first_bad_line = line.substr(0, kShownBytes);
  }
  return transcript;
}

std::string MeasureTranscript(const Transcript& transcript, const Workload& workload,
                              Sample& sample) {
  if (!transcript.hello) {
    std::string reason = "no hello line: this is not the bench protocol";
    if (transcript.bad_lines > 0) reason += "; first line: " + transcript.first_bad_line;
    return reason;
  }
  sample.target = transcript.hello->target;
  if (transcript.hello->protocol != kProtocolVersion) {
    return "protocol " + std::to_string(transcript.hello->protocol) + ", this harness speaks " +
           std::to_string(kProtocolVersion);
  }
  if (!transcript.done) return "output ends without \"done\"";
  if (transcript.bad_lines > 0) return "a line that is not JSON: " + transcript.first_bad_line;
  const std::string reason = workload.sequences > 1 ? MeasureBatches(transcript, workload, sample)
                                                    : MeasureReps(transcript, workload, sample);
  if (!reason.empty()) return reason;
  MeasureStart(transcript, sample);
  MeasureMemory(transcript, sample);
  sample.kernels = transcript.kernels;
  return "";
}

}  // namespace smallmind::harness
