// What the benchmark programs of llama.cpp and its relatives print, as metrics of a sample.
//
// llama-bench -o json: one array of tests. A prompt test (n_prompt, no n_gen) is prefill; a
// generation test (n_gen, no n_prompt) is decode after n_depth tokens, which must be 0 or the
// workload's prompt. batched-bench: JSON lines (--output-format jsonl) or a Markdown table, of rows
// with prompt (PP), generated tokens (TG), sequences (B) and both speeds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/record.h"

namespace smallmind::harness {

// Fills prefill_tps, decode_tps and itl_p50_ms (of one sequence). "" or why the text is no
// measurement of the workload; nothing where it is not of these programs.
std::optional<std::string> MeasureLlamaBench(std::string_view out, const Workload& workload,
                                             VariantInfo& peer, Sample& sample);

}  // namespace smallmind::harness
