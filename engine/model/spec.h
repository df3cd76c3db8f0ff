// ModelSpec: a model's shape and constants as plain data, read from GGUF metadata and one
// architecture row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/model/architecture.h"

namespace smallmind {

// Rotary embedding of one kind of layer. Angle of pair i at position p: p · inv_freq[i]; cos and
// sin are multiplied by `magnitude` (YaRN's and longrope's attention factor).
struct RopeSpec {
  RopeKind kind = RopeKind::kNone;
  size_t n_rot = 0;              // leading elements of a head that rotate
  std::vector<double> inv_freq;  // n_rot/2
  float magnitude = 1.0f;
};

struct ModelSpec {
  const Architecture* arch = nullptr;
  std::string name;
  size_t n_layers = 0;
  size_t dim = 0;  // embedding length
  size_t ff = 0;   // feed-forward length of a dense layer
  size_t n_heads = 0;
  size_t n_kv_heads = 0;
  size_t head_dim_k = 0;
  size_t head_dim_v = 0;
  size_t vocab = 0;
  size_t context_train = 0;
  float norm_eps = 1e-5f;
  float attn_scale = 1.0f;
  float attn_soft_cap = 0.0f;   // 0: none
  float final_soft_cap = 0.0f;  // 0: none
  float embed_scale = 1.0f;
  size_t window = 0;                 // positions a windowed layer sees, its own included; 0: none
  std::vector<bool> layer_windowed;  // n_layers
  size_t n_experts = 0;
  size_t n_experts_used = 0;
  size_t expert_ff = 0;
  size_t rope_context = SIZE_MAX;  // positions that the rotation's factors are for
  RopeSpec rope;                   // global layers
  RopeSpec rope_local;             // windowed layers

  size_t q_dim() const { return n_heads * head_dim_k; }
  size_t k_dim() const { return n_kv_heads * head_dim_k; }
  size_t v_dim() const { return n_kv_heads * head_dim_v; }
  size_t attn_out_dim() const { return n_heads * head_dim_v; }
};

// Positions a session has where nobody says how many: the trained length, at most this.
inline constexpr size_t kDefaultContext = 4096;
inline size_t DefaultContext(size_t context_train) {
  return context_train < kDefaultContext ? context_train : kDefaultContext;
}

// Reads and checks everything but the weights. `context`: positions the session will have (0: the
// default); longrope models choose their factors by it. Throws InputError naming file, key, found
// and allowed.
ModelSpec ReadSpec(const GgufFile& file, size_t context);

}  // namespace smallmind
