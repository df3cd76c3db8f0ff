// Shapes from the models' published configurations. Tested in make_model_test.cc.
#include "engine/modelmaker/preset.h"

#include <array>
#include <string>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

using enum VocabularyKind;

constexpr Preset kTinyLlama11b = {.name = "tinyllama-1.1b",
                                  .arch = "llama",
                                  .title = "TinyLlama-1.1B shape",
                                  .dim = 2048,
                                  .hidden = 5632,
                                  .layers = 22,
                                  .heads = 32,
                                  .kv_heads = 4,
                                  .head_dim = 64,
                                  .vocab = 32000,
                                  .context = 2048,
                                  .rope_base = 10000.0f,
                                  .norm_eps = 1e-5f,
                                  .tied = false,
                                  .qkv_bias = false,
                                  .rope_factors = false,
                                  .vocabulary = kSentencePiece};
// For tests: rows of whole super-blocks, grouped-query attention, made in milliseconds.
constexpr Preset kTiny = {.name = "tiny-llama",
                          .arch = "llama",
                          .title = "tiny llama",
                          .dim = 256,
                          .hidden = 512,
                          .layers = 2,
                          .heads = 4,
                          .kv_heads = 2,
                          .head_dim = 64,
                          .vocab = 1024,
                          .context = 512,
                          .rope_base = 10000.0f,
                          .norm_eps = 1e-5f,
                          .tied = false,
                          .qkv_bias = false,
                          .rope_factors = false,
                          .vocabulary = kSentencePiece};

// `dense` with `experts` feed-forwards of its size, of which a token uses two.
constexpr Preset Mixture(Preset dense, std::string_view name, std::string_view title,
                         uint32_t experts, float rope_base) {
  dense.name = name;
  dense.title = title;
  dense.experts = experts;
  dense.experts_used = 2;
  dense.rope_base = rope_base;
  return dense;
}

constexpr std::array<Preset, 10> kPresets = {{
    {.name = "stories15m",
     .arch = "llama",
     .title = "stories15M shape",
     .dim = 288,
     .hidden = 768,
     .layers = 6,
     .heads = 6,
     .kv_heads = 6,
     .head_dim = 48,
     .vocab = 32000,
     .context = 256,
     .rope_base = 10000.0f,
     .norm_eps = 1e-5f,
     .tied = true,
     .qkv_bias = false,
     .rope_factors = false,
     .vocabulary = kSentencePiece},
    {.name = "smollm2-135m",
     .arch = "llama",
     .title = "SmolLM2-135M shape",
     .dim = 576,
     .hidden = 1536,
     .layers = 30,
     .heads = 9,
     .kv_heads = 3,
     .head_dim = 64,
     .vocab = 49152,
     .context = 8192,
     .rope_base = 100000.0f,
     .norm_eps = 1e-5f,
     .tied = true,
     .qkv_bias = false,
     .rope_factors = false,
     .vocabulary = kSmolLm},
    {.name = "qwen2.5-0.5b",
     .arch = "qwen2",
     .title = "Qwen2.5-0.5B shape",
     .dim = 896,
     .hidden = 4864,
     .layers = 24,
     .heads = 14,
     .kv_heads = 2,
     .head_dim = 64,
     .vocab = 151936,
     .context = 32768,
     .rope_base = 1000000.0f,
     .norm_eps = 1e-6f,
     .tied = true,
     .qkv_bias = true,
     .rope_factors = false,
     .vocabulary = kQwen2},
    kTinyLlama11b,
    Mixture(kTinyLlama11b, "tinyllama-4x1.1b", "TinyLlama-4x1.1B-MoE shape", 4, 10000.0f),
    {.name = "llama-3.2-1b",
     .arch = "llama",
     .title = "Llama-3.2-1B shape",
     .dim = 2048,
     .hidden = 8192,
     .layers = 16,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 64,
     .vocab = 128256,
     .context = 131072,
     .rope_base = 500000.0f,
     .norm_eps = 1e-5f,
     .tied = true,
     .qkv_bias = false,
     .rope_factors = true,
     .vocabulary = kLlama3},
    kTiny,
    {.name = "tiny-llama3",
     .arch = "llama",
     .title = "tiny llama3",
     .dim = 96,
     .hidden = 256,
     .layers = 2,
     .heads = 3,
     .kv_heads = 1,
     .head_dim = 32,
     .vocab = 1024,
     .context = 512,
     .rope_base = 100000.0f,
     .norm_eps = 1e-5f,
     .tied = true,
     .qkv_bias = false,
     .rope_factors = true,
     .vocabulary = kLlama3},
    {.name = "tiny-qwen2",
     .arch = "qwen2",
     .title = "tiny qwen2",
     .dim = 256,
     .hidden = 512,
     .layers = 2,
     .heads = 4,
     .kv_heads = 2,
     .head_dim = 64,
     .vocab = 2048,
     .context = 512,
     .rope_base = 1000000.0f,
     .norm_eps = 1e-6f,
     .tied = true,
     .qkv_bias = true,
     .rope_factors = false,
     .vocabulary = kQwen2},
    Mixture(kTiny, "tiny-mixtral", "tiny mixtral", 8, 1000000.0f),
}};

}  // namespace

std::span<const Preset> Presets() { return kPresets; }

const Preset& FindPreset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset;
  }
  std::string allowed;
  for (const Preset& preset : kPresets) allowed += " " + std::string(preset.name);
  throw UsageError("unknown preset " + Quote(name) + ", allowed" + allowed);
}

}  // namespace smallmind
