// Binding is a list of names and expected shapes; nothing is copied.
//
// Norms and biases must be F32 because kernels read them as float arrays. GGUF
// aligns every tensor to at least 4 bytes for them (checked here). Tested by weights_test.cc with
// files that lie.

#include "engine/model/weights.h"

#include <array>
#include <map>
#include <string>

#include "engine/base/error.h"

namespace smallmind {
namespace {

class Binder {
 public:
  explicit Binder(const GgufFile& file) : file_(file) {}

  void SetLayer(size_t layer) { prefix_ = "blk." + std::to_string(layer) + "."; }
  void SetTop() { prefix_.clear(); }

  bool Has(const std::string& name) const { return file_.Tensor(prefix_ + name) != nullptr; }

  // A matrix of rows × cols (rows may span several experts).
  WeightView Matrix(const std::string& name, size_t rows, size_t cols) const {
    const GgufTensor& tensor = Need(name);
    const WeightView view = tensor.View();
    if (view.rows != rows || view.cols != cols) {
      Mismatch(tensor, "[" + std::to_string(rows) + "][" + std::to_string(cols) + "]");
    }
    return view;
  }

  const float* Vector(const std::string& name, size_t n) const {
    const GgufTensor& tensor = Need(name);
    if (tensor.type != DType::kF32 || tensor.elements() != n ||
        reinterpret_cast<uintptr_t>(tensor.data.data()) % alignof(float) != 0) {
      Mismatch(tensor, "F32 [" + std::to_string(n) + "]");
    }
    return reinterpret_cast<const float*>(tensor.data.data());
  }
  const float* OptionalVector(const std::string& name, size_t n) const {
    return Has(name) ? Vector(name, n) : nullptr;
  }

  Linear Dense(const std::string& name, size_t rows, size_t cols) const {
    return {Matrix(name + ".weight", rows, cols), OptionalVector(name + ".bias", rows)};
  }
  Norm RequiredNorm(const std::string& name, size_t n) const {
    return {Vector(name + ".weight", n), OptionalVector(name + ".bias", n)};
  }
  Norm OptionalNorm(const std::string& name, size_t n) const {
    return Has(name + ".weight") ? RequiredNorm(name, n) : Norm{};
  }

 private:
  const GgufTensor& Need(const std::string& name) const {
    const GgufTensor* tensor = file_.Tensor(prefix_ + name);
    if (tensor == nullptr) {
      throw InputError(file_.path() + ": tensor " + prefix_ + name + " is missing");
    }
    return *tensor;
  }
  [[noreturn]] void Mismatch(const GgufTensor& tensor, const std::string& expected) const {
    std::string shape;
    for (uint32_t d = tensor.n_dims; d-- > 0;) shape += "[" + std::to_string(tensor.ne[d]) + "]";
    throw InputError(file_.path() + ": tensor " + std::string(tensor.name) + " is " +
                     std::string(Info(tensor.type).name) + " " + shape + ", expected " + expected);
  }

  const GgufFile& file_;
  std::string prefix_;
};

void BindAttention(const Binder& b, const ModelSpec& s, LayerWeights* layer) {
  layer->attn_norm = b.RequiredNorm("attn_norm", s.dim);
  if (b.Has("attn_qkv.weight")) {
    const Linear fused = b.Dense("attn_qkv", s.q_dim() + s.k_dim() + s.v_dim(), s.dim);
    layer->q = fused.Rows(0, s.q_dim());
    layer->k = fused.Rows(s.q_dim(), s.q_dim() + s.k_dim());
    layer->v = fused.Rows(s.q_dim() + s.k_dim(), s.q_dim() + s.k_dim() + s.v_dim());
  } else {
    layer->q = b.Dense("attn_q", s.q_dim(), s.dim);
    layer->k = b.Dense("attn_k", s.k_dim(), s.dim);
    layer->v = b.Dense("attn_v", s.v_dim(), s.dim);
  }
  layer->q_norm = b.OptionalNorm("attn_q_norm", s.head_dim_k);
  layer->k_norm = b.OptionalNorm("attn_k_norm", s.head_dim_k);
  layer->o = b.Dense("attn_output", s.dim, s.attn_out_dim());
  layer->post_attn_norm = b.OptionalNorm("post_attention_norm", s.dim);
}

ExpertMatrices BindExperts(const Binder& b, const std::string& name, size_t experts, size_t rows,
                           size_t cols) {
  ExpertMatrices matrices{.stacked = {}, .split = {}, .rows = rows};
  if (b.Has(name + "_exps.weight") || !b.Has(name + ".0.weight")) {
    matrices.stacked = b.Dense(name + "_exps", experts * rows, cols);
    return matrices;
  }
  for (size_t e = 0; e < experts; ++e) {
    matrices.split.push_back(b.Dense(name + "." + std::to_string(e), rows, cols));
  }
  return matrices;
}

void BindFeedForward(const Binder& b, const ModelSpec& s, LayerWeights* layer) {
  layer->ffn_norm = b.RequiredNorm("ffn_norm", s.dim);
  layer->post_ffn_norm = b.OptionalNorm("post_ffw_norm", s.dim);
  if (s.n_experts > 0) {
    layer->router = b.Dense("ffn_gate_inp", s.n_experts, s.dim);
    layer->gate_exps = BindExperts(b, "ffn_gate", s.n_experts, s.expert_ff, s.dim);
    layer->up_exps = BindExperts(b, "ffn_up", s.n_experts, s.expert_ff, s.dim);
    layer->down_exps = BindExperts(b, "ffn_down", s.n_experts, s.dim, s.expert_ff);
    return;
  }
  if (s.arch->gated_ffn && !b.Has("ffn_gate.weight")) {
    // Gate and up stacked in one matrix, gate first (phi3).
    const Linear fused = b.Dense("ffn_up", 2 * s.ff, s.dim);
    layer->gate = fused.Rows(0, s.ff);
    layer->up = fused.Rows(s.ff, 2 * s.ff);
  } else {
    if (s.arch->gated_ffn) layer->gate = b.Dense("ffn_gate", s.ff, s.dim);
    layer->up = b.Dense("ffn_up", s.ff, s.dim);
  }
  layer->down = b.Dense("ffn_down", s.dim, s.ff);
}

}  // namespace

ModelWeights BindWeights(const GgufFile& file, const ModelSpec& spec) {
  ModelWeights w;
  Binder b(file);
  w.token_embedding = b.Matrix("token_embd.weight", spec.vocab, spec.dim);
  if (spec.arch->position_embedding) {
    w.position_embedding = b.Matrix("position_embd.weight", spec.context_train, spec.dim);
  }
  for (size_t i = 0; i < spec.n_layers; ++i) {
    b.SetLayer(i);
    LayerWeights layer;
    BindAttention(b, spec, &layer);
    BindFeedForward(b, spec, &layer);
    w.layers.push_back(layer);
  }
  b.SetTop();
  w.output_norm = b.RequiredNorm("output_norm", spec.dim);
  w.output = b.Has("output.weight") ? b.Dense("output", spec.vocab, spec.dim)
                                    : Linear{w.token_embedding, nullptr};
  std::map<DType, size_t> bytes_by_type;
  for (const GgufTensor& tensor : file.tensors()) {
    w.parameters += tensor.elements();
    w.bytes += tensor.data.size();
    bytes_by_type[tensor.type] += tensor.data.size();
  }
  size_t most = 0;
  for (const auto& [type, bytes] : bytes_by_type) {
    if (bytes > most) {
      most = bytes;
      w.main_type = type;
    }
  }
  return w;
}

}  // namespace smallmind
