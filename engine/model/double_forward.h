// A transformer's forward pass in float64 over float32 weights, straight from the formulas: what
// the engine's own passes are measured against. The caller states the formula; tensors are taken by
// name from the file, optional ones where they are there. Shares the file reader and the rounding
// to F16 with the engine and nothing else. For tests alone: F32 models that fit memory twice.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/tensor/decode.h"

namespace smallmind {

struct Formula {
  size_t layers = 0, heads = 0, kv_heads = 0, head = 0;
  size_t head_v = 0;  // of values; 0: as keys
  double eps = 1e-5;
  bool layer_norm = false;  // mean removed; else RMS
  bool gelu = false;        // tanh form of F16 values, as the field tabulates it; else SiLU
  bool gated = true;
  // Angle a position of pair `pair` in layer `layer`; absent: no rotation.
  std::function<double(size_t layer, size_t pair)> turn = {};
  size_t n_rot = 0;    // leading elements of a head that rotate
  bool halves = true;  // pairs (i, i + n_rot/2); else (2i, 2i + 1)
  double magnitude = 1;
  std::function<size_t(size_t layer)> window = {};  // positions seen, the own one included; 0: all
  double scale = 0;                                 // of q·k; 0: 1/√head
  double attn_cap = 0, final_cap = 0, embed_scale = 1;
  size_t experts_used = 0;
};

class DoubleForward {
 public:
  DoubleForward(const GgufFile& file, Formula formula) : file_(file), f_(std::move(formula)) {
    if (f_.head_v == 0) f_.head_v = f_.head;
    if (f_.scale == 0) f_.scale = 1 / std::sqrt(static_cast<double>(f_.head));
  }

  // Logits of every position: tokens × vocab.
  std::vector<std::vector<double>> Logits(const std::vector<int32_t>& tokens) {
    std::vector<Row> x;
    const size_t dim = file_.Tensor("token_embd.weight")->ne[0];
    for (size_t p = 0; p < tokens.size(); ++p) {
      Row row = Slice("token_embd.weight", static_cast<size_t>(tokens[p]) * dim, dim);
      for (double& v : row) v *= f_.embed_scale;
      if (Has("position_embd.weight")) Add(Slice("position_embd.weight", p * dim, dim), &row);
      x.push_back(row);
    }
    for (size_t layer = 0; layer < f_.layers; ++layer) {
      blk_ = "blk." + std::to_string(layer) + ".";
      const std::vector<Row> attended = Attend(layer, x);
      for (size_t p = 0; p < x.size(); ++p) {
        Add(Normed(attended[p], blk_ + "post_attention_norm"), &x[p]);
        const Row out = FeedForward(Normed(x[p], blk_ + "ffn_norm"));
        Add(Normed(out, blk_ + "post_ffw_norm"), &x[p]);
      }
    }
    const std::string head = Has("output.weight") ? "output" : "token_embd";
    std::vector<Row> logits;
    for (const Row& row : x) {
      logits.push_back(Linear(head, Normed(row, "output_norm")));
      for (double& v : logits.back()) v = Cap(v, f_.final_cap);
    }
    return logits;
  }

 private:
  using Row = std::vector<double>;

  bool Has(const std::string& name) const { return file_.Tensor(name) != nullptr; }
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
  Row Slice(const std::string& name, size_t begin, size_t n) {
    const auto at = Tensor(name).begin() + static_cast<std::ptrdiff_t>(begin);
    return {at, at + static_cast<std::ptrdiff_t>(n)};
  }
  static void Add(const Row& y, Row* x) {
    for (size_t i = 0; i < y.size(); ++i) (*x)[i] += y[i];
  }
  static double Cap(double x, double cap) { return cap == 0 ? x : cap * std::tanh(x / cap); }

  // Rows [begin, end) of a matrix of rows of x's length, times x.
  Row Times(const std::string& name, const Row& x, size_t begin, size_t end) {
    const Row& weight = Tensor(name);
    Row y(end - begin);
    for (size_t r = 0; r < y.size(); ++r) {
      for (size_t c = 0; c < x.size(); ++c) y[r] += weight[(begin + r) * x.size() + c] * x[c];
    }
    return y;
  }
  Row Linear(const std::string& name, const Row& x) {
    Row y = Times(name + ".weight", x, 0, Tensor(name + ".weight").size() / x.size());
    if (Has(name + ".bias")) Add(Tensor(name + ".bias"), &y);
    return y;
  }
  // x itself where the file has no such norm.
  Row Normed(const Row& x, const std::string& name) {
    if (!Has(name + ".weight")) return x;
    const double n = static_cast<double>(x.size());
    double mean = 0, squares = 0;
    for (double v : x) mean += v / n;
    if (!f_.layer_norm) mean = 0;
    for (double v : x) squares += (v - mean) * (v - mean);
    Row y = Tensor(name + ".weight");
    for (size_t i = 0; i < x.size(); ++i) y[i] *= (x[i] - mean) / std::sqrt(squares / n + f_.eps);
    if (Has(name + ".bias")) Add(Tensor(name + ".bias"), &y);
    return y;
  }
  double Activate(double x) const {
    if (!f_.gelu) return x / (1 + std::exp(-x));
    if (std::fabs(x) >= 10) return x < 0 ? 0 : x;
    const double v = F16ToF32(F32ToF16(static_cast<float>(x)));
    const double y =
        0.5 * v * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v)));
    return F16ToF32(F32ToF16(static_cast<float>(y)));
  }

  Row Gated(Row gate, const Row& up) const {
    for (size_t i = 0; i < gate.size(); ++i) gate[i] = Activate(gate[i]) * up[i];
    return gate;
  }
  Row FeedForward(const Row& x) {
    if (Has(blk_ + "ffn_gate_inp.weight")) return Experts(x);
    Row up = Linear(blk_ + "ffn_up", x);
    if (!f_.gated) {
      for (double& v : up) v = Activate(v);
    } else if (Has(blk_ + "ffn_gate.weight")) {
      up = Gated(Linear(blk_ + "ffn_gate", x), up);
    } else {  // gate and up in one matrix
      const auto middle = up.begin() + static_cast<std::ptrdiff_t>(up.size() / 2);
      up = Gated(Row(up.begin(), middle), Row(middle, up.end()));
    }
    return Linear(blk_ + "ffn_down", up);
  }
  Row Experts(const Row& x) {
    const Row scores = Linear(blk_ + "ffn_gate_inp", x);
    std::vector<size_t> order(scores.size());
    for (size_t e = 0; e < order.size(); ++e) order[e] = e;
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    Row sum(x.size());
    double total = 0;
    for (size_t k = 0; k < f_.experts_used; ++k) total += std::exp(scores[order[k]]);
    for (size_t k = 0; k < f_.experts_used; ++k) {
      Row out = Expert(order[k], x, scores.size());
      for (double& v : out) v *= std::exp(scores[order[k]]) / total;
      Add(out, &sum);
    }
    return sum;
  }
  // Stacked matrices, or one a expert.
  Row Expert(size_t e, const Row& x, size_t count) {
    const auto times = [&](const std::string& name, const Row& in) {
      const std::string own = blk_ + name + "." + std::to_string(e);
      if (Has(own + ".weight")) return Linear(own, in);
      const std::string all = blk_ + name + "_exps.weight";
      const size_t rows = Tensor(all).size() / in.size() / count;
      return Times(all, in, e * rows, (e + 1) * rows);
    };
    return times("ffn_down", Gated(times("ffn_gate", x), times("ffn_up", x)));
  }

  // Norm and rotation of every head of a row.
  void Prepare(size_t layer, size_t position, const std::string& norm, Row* x) {
    for (size_t at = 0; at < x->size(); at += f_.head) {
      const auto head = x->begin() + static_cast<std::ptrdiff_t>(at);
      const Row normed = Normed(Row(head, head + static_cast<std::ptrdiff_t>(f_.head)), norm);
      std::copy(normed.begin(), normed.end(), head);
      for (size_t pair = 0; f_.turn && pair < f_.n_rot / 2; ++pair) {
        double& a = (*x)[at + (f_.halves ? pair : 2 * pair)];
        double& b = (*x)[at + (f_.halves ? pair + f_.n_rot / 2 : 2 * pair + 1)];
        const double angle = static_cast<double>(position) * f_.turn(layer, pair);
        const double c = f_.magnitude * std::cos(angle), s = f_.magnitude * std::sin(angle);
        const double turned = a * c - b * s;
        b = a * s + b * c;
        a = turned;
      }
    }
  }
  void Project(const Row& x, Row* q, Row* k, Row* v) {
    if (!Has(blk_ + "attn_qkv.weight")) {
      *q = Linear(blk_ + "attn_q", x);
      *k = Linear(blk_ + "attn_k", x);
      *v = Linear(blk_ + "attn_v", x);
      return;
    }
    const Row all = Linear(blk_ + "attn_qkv", x);
    const auto q_end = all.begin() + static_cast<std::ptrdiff_t>(f_.heads * f_.head);
    const auto k_end = q_end + static_cast<std::ptrdiff_t>(f_.kv_heads * f_.head);
    *q = Row(all.begin(), q_end);
    *k = Row(q_end, k_end);
    *v = Row(k_end, all.end());
  }
  std::vector<Row> Attend(size_t layer, const std::vector<Row>& x) {
    std::vector<Row> keys, values, result;
    const size_t window = f_.window ? f_.window(layer) : 0;
    for (size_t p = 0; p < x.size(); ++p) {
      Row q, k, v;
      Project(Normed(x[p], blk_ + "attn_norm"), &q, &k, &v);
      Prepare(layer, p, blk_ + "attn_q_norm", &q);
      Prepare(layer, p, blk_ + "attn_k_norm", &k);
      keys.push_back(k);
      values.push_back(v);
      Row out(f_.heads * f_.head_v);
      for (size_t h = 0; h < f_.heads; ++h) {
        const size_t kv = h / (f_.heads / f_.kv_heads);
        const size_t first = window != 0 && p >= window ? p - window + 1 : 0;
        Row weight(p + 1);
        double sum = 0;
        for (size_t t = first; t <= p; ++t) {
          double dot = 0;
          for (size_t i = 0; i < f_.head; ++i)
            dot += q[h * f_.head + i] * keys[t][kv * f_.head + i];
          weight[t] = std::exp(Cap(dot * f_.scale, f_.attn_cap));
          sum += weight[t];
        }
        for (size_t t = first; t <= p; ++t) {
          for (size_t i = 0; i < f_.head_v; ++i) {
            out[h * f_.head_v + i] += weight[t] / sum * values[t][kv * f_.head_v + i];
          }
        }
      }
      result.push_back(Linear(blk_ + "attn_output", out));
    }
    return result;
  }

  const GgufFile& file_;
  Formula f_;
  std::string blk_;
  std::map<std::string, Row> cache_;
};

}  // namespace smallmind
