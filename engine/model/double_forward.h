// A llama forward pass in float64 over float32 weights, straight from the formulas: what the
// engine's own passes are measured against. Shares the file reader with the engine and nothing
// else. For tests alone: dense F32 models, no scaling of rotations.
#pragma once

#include <cmath>
#include <cstring>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "engine/gguf/gguf.h"

namespace smallmind {

class DoubleForward {
 public:
  explicit DoubleForward(const GgufFile& file) : file_(file) {
    layers_ = file.Uint("llama.block_count");
    dim_ = file.Uint("llama.embedding_length");
    heads_ = file.Uint("llama.attention.head_count");
    kv_heads_ = file.Uint("llama.attention.head_count_kv", heads_);
    head_ = dim_ / heads_;
    eps_ = file.Float("llama.attention.layer_norm_rms_epsilon");
    base_ = file.Float("llama.rope.freq_base", 10000.0);
  }

  // Logits of every position: tokens × vocab.
  std::vector<std::vector<double>> Logits(const std::vector<int32_t>& tokens) {
    std::vector<Row> x;
    for (int32_t token : tokens) {
      const Row& table = Tensor("token_embd.weight");
      const auto at = table.begin() + static_cast<ptrdiff_t>(size_t(token) * dim_);
      x.emplace_back(at, at + static_cast<ptrdiff_t>(dim_));
    }
    for (size_t layer = 0; layer < layers_; ++layer) {
      const std::string blk = "blk." + std::to_string(layer) + ".";
      Attend(blk, &x);
      for (Row& row : x) {
        const Row in = Norm(row, blk + "ffn_norm.weight");
        Row gate = Times(blk + "ffn_gate.weight", in);
        const Row up = Times(blk + "ffn_up.weight", in);
        for (size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
        Add(Times(blk + "ffn_down.weight", gate), &row);
      }
    }
    const std::string head =
        file_.Tensor("output.weight") != nullptr ? "output.weight" : "token_embd.weight";
    std::vector<Row> logits;
    for (const Row& row : x) logits.push_back(Times(head, Norm(row, "output_norm.weight")));
    return logits;
  }

 private:
  using Row = std::vector<double>;

  const Row& Tensor(const std::string& name) {
    Row& values = cache_[name];
    if (values.empty()) {
      const GgufTensor& tensor = *file_.Tensor(name);
      for (size_t i = 0; i < tensor.elements(); ++i) {
        float value;
        std::memcpy(&value, tensor.data.data() + i * sizeof(float), sizeof(float));
        values.push_back(value);
      }
    }
    return values;
  }
  Row Times(const std::string& name, const Row& x) {
    const Row& weight = Tensor(name);
    Row y(weight.size() / x.size());
    for (size_t r = 0; r < y.size(); ++r) {
      for (size_t c = 0; c < x.size(); ++c) y[r] += weight[r * x.size() + c] * x[c];
    }
    return y;
  }
  static void Add(const Row& y, Row* x) {
    for (size_t i = 0; i < y.size(); ++i) (*x)[i] += y[i];
  }
  Row Norm(const Row& x, const std::string& name) {
    double squares = 0;
    for (double v : x) squares += v * v;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + eps_);
    Row y = Tensor(name);
    for (size_t i = 0; i < x.size(); ++i) y[i] *= x[i] * scale;
    return y;
  }
  // Pairs (2i, 2i + 1) of every head turn by position · base^(−2i/head).
  void Rotate(size_t position, Row* x) const {
    for (size_t i = 0; i < x->size(); i += 2) {
      const double angle = static_cast<double>(position) *
                           std::pow(base_, -static_cast<double>(i % head_) / double(head_));
      const double a = (*x)[i], b = (*x)[i + 1];
      (*x)[i] = a * std::cos(angle) - b * std::sin(angle);
      (*x)[i + 1] = a * std::sin(angle) + b * std::cos(angle);
    }
  }
  void Attend(const std::string& blk, std::vector<Row>* x) {
    std::vector<Row> keys, values;
    for (size_t p = 0; p < x->size(); ++p) {
      const Row in = Norm((*x)[p], blk + "attn_norm.weight");
      Row q = Times(blk + "attn_q.weight", in), k = Times(blk + "attn_k.weight", in);
      Rotate(p, &q);
      Rotate(p, &k);
      keys.push_back(k);
      values.push_back(Times(blk + "attn_v.weight", in));
      Row out(dim_);
      for (size_t h = 0; h < heads_; ++h) {
        const size_t kv = h / (heads_ / kv_heads_) * head_;
        Row weight(p + 1);
        double sum = 0;
        for (size_t t = 0; t <= p; ++t) {
          double dot = 0;
          for (size_t i = 0; i < head_; ++i) dot += q[h * head_ + i] * keys[t][kv + i];
          weight[t] = std::exp(dot / std::sqrt(static_cast<double>(head_)));
          sum += weight[t];
        }
        for (size_t t = 0; t <= p; ++t) {
          for (size_t i = 0; i < head_; ++i) {
            out[h * head_ + i] += weight[t] / sum * values[t][kv + i];
          }
        }
      }
      Add(Times(blk + "attn_output.weight", out), &(*x)[p]);
    }
  }

  const GgufFile& file_;
  size_t layers_, dim_, heads_, kv_heads_, head_;
  double eps_, base_;
  std::map<std::string, Row> cache_;
};

}  // namespace smallmind
