// Tested on both output formats, on commands with quotes and placeholders, and on garbage
// (peer_test.cc). llama-bench's fields (-o json): n_prompt, n_gen, samples_ns, samples_ts, avg_ts.
#include "harness/peer.h"

#include <cmath>

#include "harness/error.h"
#include "harness/json_number.h"
#include "harness/protocol.h"
#include "harness/stats/summary.h"

namespace smallmind::harness {
namespace {

std::vector<std::string> SplitWords(const std::string& command) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = '\0';
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      word += command[++i];
      inside = true;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      inside = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != '\0') throw RunError("--peer: quote without its partner in: " + command);
  if (inside) words.push_back(std::move(word));
  return words;
}

void ReplaceAll(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// What follows the launcher's own first line.
std::string AfterExecLine(const std::string& out, int64_t* exec_ns) {
  const size_t end = out.find('\n');
  if (end == std::string::npos) return out;
  const Json json = Json::parse(out.substr(0, end), nullptr, false);
  if (!json.is_object() || !json.contains("event") || json["event"] != "exec") return out;
  if (const auto it = json.find("t_ns"); it != json.end() && it->is_number_integer()) {
    *exec_ns = it->get<int64_t>();
  }
  return out.substr(end + 1);
}

// llama-bench prints one array; each element is a prompt test (n_gen 0) or a generation test.
std::string MeasureLlamaBench(const Json& tests, const Workload& workload, VariantInfo& peer,
                              Sample& sample) {
  for (const Json& test : tests) {
    if (!test.is_object()) continue;
    const int n_prompt = Field(test, "n_prompt", 0), n_gen = Field(test, "n_gen", 0);
    const auto speeds = Field(test, "samples_ts", std::vector<double>{});
    if (speeds.empty()) return "llama-bench JSON without samples_ts";
    const double speed = stats::Median(speeds);
    if (!(speed > 0) || !std::isfinite(speed)) return "llama-bench JSON with a speed of zero";
    if (n_prompt > 0 && n_gen == 0) {
      if (n_prompt != workload.prompt_tokens) {
        return "prefill of " + std::to_string(n_prompt) + " tokens, asked for " +
               std::to_string(workload.prompt_tokens);
      }
      sample.metrics["prefill_tps"] = speed;
    } else if (n_gen > 0 && n_prompt == 0) {
      if (n_gen != workload.gen_tokens) {
        return std::to_string(n_gen) + " generated tokens, asked for " +
               std::to_string(workload.gen_tokens);
      }
      // Its generation test times all n tokens after an empty prompt, ours n - 1 after a real one.
      sample.metrics["decode_tps"] = speed;
      sample.metrics["itl_p50_ms"] = 1000 / speed;
    }
    if (const int threads = Field(test, "n_threads", workload.threads);
        threads != workload.threads) {
      return std::to_string(threads) + " threads, asked for " + std::to_string(workload.threads);
    }
    if (peer.git.empty()) peer.git = Field(test, "build_commit", std::string());
    if (peer.compiler.empty()) peer.compiler = "llama-bench";
  }
  return sample.metrics.empty() ? "llama-bench JSON without a prompt or a generation test" : "";
}

}  // namespace

VariantInfo ParsePeer(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw RunError("--peer wants NAME='COMMAND', not: " + text);
  }
  VariantInfo peer;
  peer.name = text.substr(0, equals);
  peer.title = peer.name;
  peer.kind = VariantKind::kPeer;
  peer.group = "peer";
  peer.command = text.substr(equals + 1);
  if (SplitWords(peer.command).empty()) throw RunError("--peer " + peer.name + " has no command");
  return peer;
}

std::vector<std::string> PeerCommand(const std::string& command, const std::string& model_path,
                                     const Workload& workload) {
  std::vector<std::string> words = SplitWords(command);
  const bool has_model = command.find("{model}") != std::string::npos;
  for (std::string& word : words) {
    ReplaceAll(word, "{model}", model_path);
    ReplaceAll(word, "{prompt}", std::to_string(workload.prompt_tokens));
    ReplaceAll(word, "{gen}", std::to_string(workload.gen_tokens));
    ReplaceAll(word, "{threads}", std::to_string(workload.threads));
    ReplaceAll(word, "{reps}", std::to_string(workload.reps));
  }
  if (!has_model) {
    words.insert(words.end(),
                 {"-m", model_path, "-p", std::to_string(workload.prompt_tokens), "-n",
                  std::to_string(workload.gen_tokens), "-t", std::to_string(workload.threads), "-r",
                  std::to_string(workload.reps)});
  }
  return words;
}

std::string MeasurePeer(const ProcessResult& result, const Workload& workload, VariantInfo& peer,
                        Sample& sample) {
  int64_t exec_ns = 0;
  const std::string body = AfterExecLine(result.out, &exec_ns);
  std::string reason;
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && body[first] == '[') {
    const Json json = Json::parse(body, nullptr, false);
    try {
      reason = json.is_array() ? MeasureLlamaBench(json, workload, peer, sample)
                               : "JSON that does not parse";
    } catch (const std::exception& error) {
      reason = std::string("llama-bench JSON with a field that cannot be: ") + error.what();
    }
  } else {
    const Transcript transcript = ParseTranscript(result.out);
    reason = MeasureTranscript(transcript, workload, sample);
    if (reason.empty()) {
      peer.target = transcript.hello->target;
      peer.compiler = transcript.hello->compiler;
      peer.git = transcript.hello->git;
    }
  }
  if (!reason.empty()) return reason;
  if (!sample.metrics.contains("peak_rss_mib") && result.max_rss_kib > 0) {
    sample.metrics["peak_rss_mib"] = result.max_rss_kib / 1024.0;
  }
  if (sample.faults.empty()) {
    sample.faults = {{"minor", result.minor_faults}, {"major", result.major_faults}};
    sample.switches = {{"voluntary", result.voluntary_switches},
                       {"involuntary", result.involuntary_switches}};
  }
  return "";
}

std::string MeasureVariant(const std::string& out, const Workload& workload, VariantInfo& variant,
                           ModelInfo& model, Sample& sample) {
  const Transcript transcript = ParseTranscript(out);
  std::string reason = MeasureTranscript(transcript, workload, sample);
  if (!reason.empty()) return reason;
  const Hello& hello = *transcript.hello;
  if (hello.threads != 0 && hello.threads != workload.threads) {
    return std::to_string(hello.threads) + " threads, asked for " +
           std::to_string(workload.threads);
  }
  variant.target = hello.target;
  if (!hello.compiler.empty()) variant.compiler = hello.compiler;
  if (!hello.flags.empty() && variant.flags.empty()) variant.flags = hello.flags;
  if (!hello.arch.empty()) model.arch = hello.arch;
  if (!hello.weight_type.empty()) model.weight_type = hello.weight_type;
  if (hello.params > 0) model.params = hello.params;
  if (hello.weight_bytes > 0) model.weight_bytes = hello.weight_bytes;
  return "";
}

}  // namespace smallmind::harness
