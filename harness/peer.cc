// Tested on commands with quotes and placeholders, on every kind of output, and on garbage
// (peer_test.cc).
#include "harness/peer.h"

#include <algorithm>
#include <string_view>

#include "harness/error.h"
#include "harness/llama_bench.h"
#include "harness/protocol.h"
#include "harness/strings.h"

namespace smallmind::harness {
namespace {

constexpr std::string_view kWall = "wall:";

std::string WithoutKind(const std::string& command) {
  return command.starts_with(kWall) ? command.substr(kWall.size()) : command;
}

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

// What follows the launcher's own first line.
std::string_view AfterExecLine(std::string_view out) {
  if (!out.starts_with(R"({"event":"exec")")) return out;
  return out.substr(std::min(out.find('\n'), out.size()));
}

std::string MeasureWallTime(const ProcessResult& result, const Workload& workload, Sample& sample) {
  if (workload.gen_tokens != 1 || workload.sequences != 1) {
    return "a wall: command measures the first token alone: ask for -n 1";
  }
  sample.metrics["ttft_cold_ms"] = static_cast<double>(result.wall_ns) / 1e6;
  return "";
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
  if (SplitWords(WithoutKind(peer.command)).empty())
    throw RunError("--peer " + peer.name + " has no command");
  return peer;
}

std::vector<std::string> PeerCommand(const std::string& command, const std::string& model_path,
                                     const Workload& workload) {
  std::vector<std::string> words = SplitWords(WithoutKind(command));
  const bool has_model = command.find("{model}") != std::string::npos;
  for (std::string& word : words) {
    ReplaceAll(word, "{model}", model_path);
    ReplaceAll(word, "{prompt}", std::to_string(workload.prompt_tokens));
    ReplaceAll(word, "{gen}", std::to_string(workload.gen_tokens));
    ReplaceAll(word, "{threads}", std::to_string(workload.threads));
    ReplaceAll(word, "{sequences}", std::to_string(workload.sequences));
    ReplaceAll(word, "{repack}", workload.repack ? "1" : "0");
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
  std::string reason;
  if (peer.command.starts_with(kWall)) {
    reason = MeasureWallTime(result, workload, sample);
  } else if (const auto bench =
                 MeasureLlamaBench(AfterExecLine(result.out), workload, peer, sample)) {
    reason = *bench;
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
  const auto anonymous = result.smaps.find("Anonymous");
  if (!sample.metrics.contains("rss_anon_mib") && anonymous != result.smaps.end()) {
    sample.metrics["rss_anon_mib"] = anonymous->second / 1024.0;
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
  if (hello.prompt_ops > 0) model.prompt_ops = hello.prompt_ops;
  if (hello.token_bytes > 0) model.token_bytes = hello.token_bytes;
  if (hello.position_bytes > 0) model.position_bytes = hello.position_bytes;
  return "";
}

}  // namespace smallmind::harness
