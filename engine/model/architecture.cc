// The table itself. Sources: each model family's published configuration and the GGUF
// specification's keys. Tested against the golden models of engine/testdata/arch
// (model/forward_test.cc); gemma, gemma3 and qwen3moe, which have none, against a float64 pass of
// random models (model/arch_shapes_test.cc).

#include "engine/model/architecture.h"

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

constexpr Architecture kTable[] = {
    // Llama 1-3, Mistral, Mixtral, TinyLlama, SmolLM.
    {.name = "llama", .rope = RopeKind::kInterleaved},
    {.name = "gpt2",
     .norm = NormKind::kLayer,
     .rope = RopeKind::kNone,
     .activation = Activation::kGeluTanh,
     .gated_ffn = false,
     .position_embedding = true},
    {.name = "qwen2"},
    {.name = "qwen3"},
    {.name = "qwen3moe"},
    // Files of the first Phi-3 models were written before the window's key existed.
    {.name = "phi3", .window = WindowKind::kAll, .first_files_window = true},
    {.name = "gemma", .activation = Activation::kGeluTanh, .scaled_embedding = true},
    {.name = "gemma2",
     .activation = Activation::kGeluTanh,
     .scaled_embedding = true,
     .window = WindowKind::kPeriodic,
     .default_window = 4096,
     .window_period = 2,
     .attn_soft_cap = 50.0,
     .final_soft_cap = 30.0,
     .dim_scaled_layers = 46},
    {.name = "gemma3",
     .activation = Activation::kGeluTanh,
     .scaled_embedding = true,
     .window = WindowKind::kPeriodic,
     .default_window = 1024,
     .window_period = 6,
     .dim_scaled_layers = 62,
     .local_rope_base = 10000.0f},
};

}  // namespace

std::span<const Architecture> Architectures() { return kTable; }

const Architecture& FindArchitecture(std::string_view name, std::string_view file) {
  std::string known;
  for (const Architecture& row : kTable) {
    if (row.name == name) return row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw InputError(std::string(file) + ": architecture " + Quote(name) +
                   " is not supported; these are: " + known);
}

}  // namespace smallmind
