// The protocol of `smallmind bench`: JSON lines in, one measured sample out.
//
// Parsing is strict about what a number rests on and lenient about the rest: unknown events and
// fields are ignored, but a sample without `done`, without tokens, with fewer repetitions or tokens
// than were asked for, or with time running backwards is a failure with a reason. No number is ever
// estimated. Definitions of the metrics: metrics.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

inline constexpr int kProtocolVersion = 1;

// What a variant says of itself; absent fields stay empty or zero.
struct Hello {
  int protocol = 0;
  std::string variant, compiler, flags, git, target, static_target, dispatch, model_name, arch,
      weight_type, kv;
  int threads = 0;
  int64_t params = 0;
  int64_t weight_bytes = 0;
  int64_t prompt_ops = 0, token_bytes = 0, position_bytes = 0;  // as in ModelInfo
};

// Everything one process printed.
struct Transcript {
  std::optional<Hello> hello;
  std::optional<int64_t> exec_ns;
  std::map<std::string, int64_t> phases;         // name -> t_ns
  std::map<std::string, int64_t> faults;         // minor_at_<phase>, major_at_<phase>
  std::map<int, std::map<int, int64_t>> tokens;  // rep -> index -> t_ns
  struct RepLine {
    int rep = 0, prompt_tokens = 0, gen_tokens = 0;
    int64_t start_ns = 0, prefill_ns = 0, decode_ns = 0;
    std::string token_hash, logits_hash;
  };
  std::vector<RepLine> reps;
  struct BatchLine {  // one repetition of several sequences decoded together
    int sequences = 0, prompt_tokens = 0, gen_tokens = 0;  // tokens of one sequence
    int64_t decode_ns = 0;                                 // of all of them
    std::string token_hash;
  };
  std::vector<BatchLine> batches;
  std::map<std::string, KernelTime> kernels;
  std::map<std::string, int64_t> memory;
  std::vector<Ceiling> ceilings;
  bool done = false;
  int bad_lines = 0;           // not JSON objects
  std::string first_bad_line;  // at most 120 characters
};

Transcript ParseTranscript(const std::string& text);

// Fills metrics, phases, reps, hashes, kernels, faults, switches and target of `sample`; returns ""
// or why the transcript is no measurement of `workload`.
std::string MeasureTranscript(const Transcript& transcript, const Workload& workload,
                              Sample& sample);

}  // namespace smallmind::harness
