// Small random F32 models of any architecture and shape, written as files: for tests alone.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/rng.h"
#include "engine/gguf/writer.h"

namespace smallmind {

struct TinyShape {
  std::string arch = "llama";
  uint32_t dim = 48, ff = 80, layers = 2, heads = 4, kv_heads = 4, head = 12, vocab = 70;
  uint32_t head_v = 0;  // of values; 0: as keys
  uint32_t context = 64;
  bool tied = false;
  bool fused = false;  // attn_qkv, and gate and up in one where gated
  bool gated = true;
  bool qkv_bias = false, other_bias = false;  // other: attention output and feed-forward
  bool layer_norm = false, norm_bias = true;  // the bias: of layer norms alone
  bool qk_norm = false, post_norm = false, positions = false;
  uint32_t experts = 0, experts_used = 0, expert_ff = 0;
  bool stacked_experts = true;
  // Further metadata, keys without the architecture's prefix; tensors of rotation factors.
  std::vector<std::pair<std::string, std::variant<std::string, uint32_t, float>>> keys = {};
  std::vector<std::pair<std::string, std::vector<float>>> factors = {};
};

class TinyModel {
 public:
  static void Write(const TinyShape& shape, const std::filesystem::path& path) {
    TinyModel model(shape);
    GgufWriter out(path);
    model.WriteKeys(&out);
    model.Plan();
    for (const Planned& t : model.planned_) out.DeclareTensor(t.name, DType::kF32, t.dims);
    for (const Planned& t : model.planned_) {
      out.WriteData(
          {reinterpret_cast<const uint8_t*>(t.values.data()), t.values.size() * sizeof(float)});
    }
    out.Finish();
  }

 private:
  struct Planned {
    std::string name;
    std::vector<uint64_t> dims;  // ne[0] first
    std::vector<float> values;
  };

  explicit TinyModel(const TinyShape& shape) : s_(shape) {}

  void WriteKeys(GgufWriter* out) const {
    const std::string prefix = s_.arch + ".";
    out->Add("general.architecture", s_.arch);
    out->Add(prefix + "block_count", s_.layers);
    out->Add(prefix + "context_length", s_.context);
    out->Add(prefix + "embedding_length", s_.dim);
    out->Add(prefix + "feed_forward_length", s_.ff);
    out->Add(prefix + "attention.head_count", s_.heads);
    if (s_.kv_heads != s_.heads) out->Add(prefix + "attention.head_count_kv", s_.kv_heads);
    if (s_.head * s_.heads != s_.dim) out->Add(prefix + "attention.key_length", s_.head);
    if (HeadV() * s_.heads != s_.dim) out->Add(prefix + "attention.value_length", HeadV());
    out->Add(prefix + (s_.layer_norm ? "attention.layer_norm_epsilon"
                                     : "attention.layer_norm_rms_epsilon"),
             1e-5f);
    if (s_.experts != 0) {
      out->Add(prefix + "expert_count", s_.experts);
      out->Add(prefix + "expert_used_count", s_.experts_used);
      if (s_.expert_ff != 0) out->Add(prefix + "expert_feed_forward_length", s_.expert_ff);
    }
    for (const auto& [key, value] : s_.keys) {
      std::visit([&, &name = key](const auto& v) { out->Add(prefix + name, v); }, value);
    }
  }

  uint32_t HeadV() const { return s_.head_v != 0 ? s_.head_v : s_.head; }
  void Random(const std::string& name, std::vector<uint64_t> dims, float mean, float deviation) {
    uint64_t n = 1;
    for (uint64_t d : dims) n *= d;
    Rng rng(5, name);
    Planned tensor{name, std::move(dims), {}};
    for (uint64_t i = 0; i < n; ++i) tensor.values.push_back(mean + deviation * rng.Normal());
    planned_.push_back(std::move(tensor));
  }
  void Vector(const std::string& name, uint32_t n, float mean, float deviation) {
    Random(name, {n}, mean, deviation);
  }
  void Matrix(const std::string& name, uint64_t rows, uint64_t cols, bool bias = false) {
    Random(name + ".weight", {cols, rows}, 0, 1 / std::sqrt(static_cast<float>(cols)));
    if (bias) Vector(name + ".bias", static_cast<uint32_t>(rows), 0, 0.1f);
  }
  void Norm(const std::string& name, uint32_t n) {
    Vector(name + ".weight", n, 1, 0.2f);
    if (s_.layer_norm && s_.norm_bias) Vector(name + ".bias", n, 0, 0.1f);
  }
  void Experts(const std::string& name, uint64_t rows, uint64_t cols) {
    if (s_.stacked_experts) {
      const float deviation = 1 / std::sqrt(static_cast<float>(cols));
      Random(name + "_exps.weight", {cols, rows, s_.experts}, 0, deviation);
      return;
    }
    for (uint32_t e = 0; e < s_.experts; ++e) Matrix(name + "." + std::to_string(e), rows, cols);
  }

  void Plan() {
    const float embedding = s_.arch.starts_with("gemma") ? 0.1f : 1.0f;
    Random("token_embd.weight", {s_.dim, s_.vocab}, 0, embedding);
    if (s_.positions) Random("position_embd.weight", {s_.dim, s_.context}, 0, 0.3f);
    for (const auto& [name, values] : s_.factors) {
      planned_.push_back({name, {values.size()}, values});
    }
    for (uint32_t layer = 0; layer < s_.layers; ++layer) {
      const std::string blk = "blk." + std::to_string(layer) + ".";
      PlanAttention(blk);
      PlanFeedForward(blk);
    }
    Norm("output_norm", s_.dim);
    if (!s_.tied) Matrix("output", s_.vocab, s_.dim);
  }
  void PlanAttention(const std::string& blk) {
    const uint32_t q = s_.heads * s_.head, k = s_.kv_heads * s_.head, v = s_.kv_heads * HeadV();
    Norm(blk + "attn_norm", s_.dim);
    if (s_.fused) {
      Matrix(blk + "attn_qkv", q + k + v, s_.dim, s_.qkv_bias);
    } else {
      Matrix(blk + "attn_q", q, s_.dim, s_.qkv_bias);
      Matrix(blk + "attn_k", k, s_.dim, s_.qkv_bias);
      Matrix(blk + "attn_v", v, s_.dim, s_.qkv_bias);
    }
    if (s_.qk_norm) {
      Norm(blk + "attn_q_norm", s_.head);
      Norm(blk + "attn_k_norm", s_.head);
    }
    Matrix(blk + "attn_output", s_.dim, s_.heads * HeadV(), s_.other_bias);
    if (s_.post_norm) Norm(blk + "post_attention_norm", s_.dim);
  }
  void PlanFeedForward(const std::string& blk) {
    Norm(blk + "ffn_norm", s_.dim);
    if (s_.post_norm) Norm(blk + "post_ffw_norm", s_.dim);
    if (s_.experts != 0) {
      const uint32_t ff = s_.expert_ff != 0 ? s_.expert_ff : s_.ff;
      Matrix(blk + "ffn_gate_inp", s_.experts, s_.dim);
      Experts(blk + "ffn_gate", ff, s_.dim);
      Experts(blk + "ffn_up", ff, s_.dim);
      Experts(blk + "ffn_down", s_.dim, ff);
      return;
    }
    if (s_.gated && !s_.fused) Matrix(blk + "ffn_gate", s_.ff, s_.dim, s_.other_bias);
    Matrix(blk + "ffn_up", s_.gated && s_.fused ? 2 * s_.ff : s_.ff, s_.dim, s_.other_bias);
    Matrix(blk + "ffn_down", s_.dim, s_.ff, s_.other_bias);
  }

  const TinyShape& s_;
  std::vector<Planned> planned_;
};

}  // namespace smallmind
