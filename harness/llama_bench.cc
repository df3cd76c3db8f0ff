// Tested on the three forms, with wrong work and garbage in each (llama_bench_test.cc).
#include "harness/llama_bench.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "harness/json_number.h"
#include "harness/stats/summary.h"

namespace smallmind::harness {
namespace {

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

bool IsSpeed(double speed) { return speed > 0 && std::isfinite(speed); }

void SetDecode(double speed, const Workload& workload, Sample& sample) {
  sample.metrics["decode_tps"] = speed;
  if (workload.sequences == 1) sample.metrics["itl_p50_ms"] = 1000 / speed;
}

std::string Otherwise(const std::string& what, int is, int asked) {
  return std::to_string(is) + " " + what + ", asked for " + std::to_string(asked);
}

std::string MeasureTests(const Json& tests, const Workload& workload, VariantInfo& peer,
                         Sample& sample) {
  if (workload.sequences > 1) return "llama-bench decodes one sequence alone: use batched-bench";
  for (const Json& test : tests) {
    if (!test.is_object()) continue;
    const int n_prompt = Field(test, "n_prompt", 0), n_gen = Field(test, "n_gen", 0);
    const int depth = Field(test, "n_depth", 0);
    const auto speeds = Field(test, "samples_ts", std::vector<double>{});
    if (speeds.empty()) return "llama-bench JSON without samples_ts";
    const double speed = stats::Median(speeds);
    if (!IsSpeed(speed)) return "llama-bench JSON with a speed of zero";
    if (n_prompt > 0 && n_gen == 0 && depth == 0) {
      if (n_prompt != workload.prompt_tokens) {
        return Otherwise("prompt tokens", n_prompt, workload.prompt_tokens);
      }
      sample.metrics["prefill_tps"] = speed;
    } else if (n_gen > 0 && n_prompt == 0) {
      if (n_gen != workload.gen_tokens) {
        return Otherwise("generated tokens", n_gen, workload.gen_tokens);
      }
      if (depth != 0 && depth != workload.prompt_tokens) {
        return Otherwise("tokens of depth", depth, workload.prompt_tokens);
      }
      // Without a depth it times all n tokens after an empty prompt, ours n - 1 after a real one.
      SetDecode(speed, workload, sample);
    }
    if (const int threads = Field(test, "n_threads", workload.threads);
        threads != workload.threads) {
      return Otherwise("threads", threads, workload.threads);
    }
    if (const bool repack = Field(test, "repack", workload.repack); repack != workload.repack) {
      return std::string("weights were ") + (repack ? "" : "not ") +
             "repacked: its command wants -rtr {repack}";
    }
    if (peer.git.empty()) peer.git = Field(test, "build_commit", std::string());
  }
  if (peer.compiler.empty()) peer.compiler = "llama-bench";
  return sample.metrics.empty() ? "llama-bench JSON without a prompt or a generation test" : "";
}

// A row of batched-bench. All speeds are of all sequences together.
struct BatchedRow {
  int prompt = 0, gen = 0, sequences = 0, threads = 0;  // threads 0: not said
  double prefill = 0, decode = 0;
};

std::optional<BatchedRow> ParseMarkdownRow(std::string_view line) {
  std::array<double, 10> cells;  // PP TG B N_KV T_PP S_PP T_TG S_TG T S
  if (line.empty() || line.front() != '|') return std::nullopt;
  line.remove_prefix(1);
  for (double& cell : cells) {
    const size_t end = line.find('|');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = Trim(line.substr(0, end));
    const auto result = std::from_chars(text.data(), text.data() + text.size(), cell);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
    line.remove_prefix(end + 1);
  }
  if (!Trim(line).empty()) return std::nullopt;
  for (const double cell : {cells[0], cells[1], cells[2]}) {
    if (!(cell >= 0 && cell < 1e9)) return std::nullopt;
  }
  return BatchedRow{static_cast<int>(cells[0]),
                    static_cast<int>(cells[1]),
                    static_cast<int>(cells[2]),
                    0,
                    cells[5],
                    cells[7]};
}

std::optional<BatchedRow> ParseRow(std::string_view line) {
  line = Trim(line);
  if (!line.starts_with("{")) return ParseMarkdownRow(line);
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("speed_tg")) return std::nullopt;
  return BatchedRow{Field(json, "pp", 0),         Field(json, "tg", 0),
                    Field(json, "pl", 0),         Field(json, "n_threads", 0),
                    Field(json, "speed_pp", 0.0), Field(json, "speed_tg", 0.0)};
}

std::vector<BatchedRow> ParseRows(std::string_view out) {
  std::vector<BatchedRow> rows;
  while (!out.empty()) {
    const size_t end = std::min(out.find('\n'), out.size());
    if (const auto row = ParseRow(out.substr(0, end))) rows.push_back(*row);
    out.remove_prefix(std::min(end + 1, out.size()));
  }
  return rows;
}

std::string MeasureRows(const std::vector<BatchedRow>& rows, const Workload& workload,
                        VariantInfo& peer, Sample& sample) {
  std::vector<double> prefill, decode;
  for (const BatchedRow& row : rows) {
    if (row.prompt != workload.prompt_tokens) {
      return Otherwise("prompt tokens", row.prompt, workload.prompt_tokens);
    }
    if (row.gen != workload.gen_tokens) {
      return Otherwise("generated tokens", row.gen, workload.gen_tokens);
    }
    if (row.sequences != workload.sequences) {
      return Otherwise("sequences", row.sequences, workload.sequences);
    }
    if (row.threads != 0 && row.threads != workload.threads) {
      return Otherwise("threads", row.threads, workload.threads);
    }
    if (!IsSpeed(row.prefill) || !IsSpeed(row.decode)) return "batched-bench with a speed of zero";
    prefill.push_back(row.prefill);
    decode.push_back(row.decode);
  }
  if (workload.sequences == 1) sample.metrics["prefill_tps"] = stats::Median(prefill);
  SetDecode(stats::Median(decode), workload, sample);
  if (peer.compiler.empty()) peer.compiler = "batched-bench";
  return "";
}

}  // namespace

std::optional<std::string> MeasureLlamaBench(std::string_view out, const Workload& workload,
                                             VariantInfo& peer, Sample& sample) {
  try {
    if (Trim(out).starts_with('[')) {
      const Json json = Json::parse(Trim(out), nullptr, false);
      return json.is_array() ? MeasureTests(json, workload, peer, sample)
                             : "llama-bench JSON that does not parse";
    }
    const std::vector<BatchedRow> rows = ParseRows(out);
    if (rows.empty()) return std::nullopt;
    return MeasureRows(rows, workload, peer, sample);
  } catch (const std::exception& error) {
    return std::string("llama-bench JSON with a field that cannot be: ") + error.what();
  }
}

}  // namespace smallmind::harness
