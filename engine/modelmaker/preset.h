// Shapes of real models (and a few tiny ones for tests) that make-model can write.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace smallmind {

enum class VocabularyKind {
  kSentencePiece,  // scores and byte tokens, as Llama 2
  kSmolLm,         // byte-level BPE, special tokens first
  kQwen2,          // byte-level BPE, special and unused tokens last
  kLlama3,         // byte-level BPE, 256 special tokens last
};

struct Preset {
  std::string_view name;
  std::string_view arch;   // general.architecture
  std::string_view title;  // general.name
  uint32_t dim;            // embedding length
  uint32_t hidden;         // feed-forward length
  uint32_t layers;
  uint32_t heads, kv_heads;
  uint32_t head_dim;
  uint32_t vocab;
  uint32_t context;
  float rope_base;
  float norm_eps;
  bool tied;  // no output.weight: the embedding is the output projection
  bool qkv_bias;
  bool rope_factors;  // rope_freqs.weight with Llama 3's frequency factors
  VocabularyKind vocabulary;
  uint32_t experts = 0;  // of a mixture, each of `hidden`; 0: a dense feed-forward
  uint32_t experts_used = 0;
};

std::span<const Preset> Presets();
// UsageError listing the names.
const Preset& FindPreset(std::string_view name);

}  // namespace smallmind
