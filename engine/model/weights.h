// A model's weights as typed views over the mapped file, bound once by name, type and shape.
#pragma once

#include <optional>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/model/spec.h"
#include "engine/tensor/view.h"

namespace smallmind {

// A matrix with an optional bias: y = W·x + b. `weight` is empty where the layer has no such
// matrix.
struct Linear {
  WeightView weight;            // [out][in]
  const float* bias = nullptr;  // [out]

  explicit operator bool() const { return static_cast<bool>(weight); }
  Linear Rows(size_t begin, size_t end) const {
    return {weight.Rows(begin, end), bias == nullptr ? nullptr : bias + begin};
  }
};

struct Norm {
  const float* weight = nullptr;  // [n]; null: the norm is absent
  const float* bias = nullptr;    // [n] or null
};

// One matrix an expert: slices of one stacked matrix, or (files of early 2024 and before) a tensor
// each.
struct ExpertMatrices {
  Linear stacked;             // [n_experts·rows][cols]
  std::vector<Linear> split;  // empty where stacked
  size_t rows = 0;            // of one expert

  Linear operator[](size_t expert) const {
    return split.empty() ? stacked.Rows(expert * rows, (expert + 1) * rows) : split[expert];
  }
};

struct LayerWeights {
  Norm attn_norm;
  Linear q, k, v;       // views of one fused matrix where the file has attn_qkv
  Norm q_norm, k_norm;  // per head, [head_dim_k]; null where absent
  Linear o;
  Norm post_attn_norm;  // on the attention output; null where absent
  Norm ffn_norm;
  Linear gate, up, down;  // dense feed-forward; gate empty where not gated
  Norm post_ffn_norm;
  Linear router;  // [n_experts][dim]; in every layer of a model with experts, else empty
  ExpertMatrices gate_exps, up_exps, down_exps;
};

struct ModelWeights {
  WeightView token_embedding;     // [vocab][dim]
  WeightView position_embedding;  // [context][dim] or empty
  std::vector<LayerWeights> layers;
  Norm output_norm;
  Linear output;  // [vocab][dim]; the token embedding where the file has no output.weight
  size_t parameters = 0;
  size_t bytes = 0;
  DType main_type = DType::kF32;  // of most of the bytes
};

// fn(view, unit) for every matrix of the layers and the output matrix, in no order that matters.
// `unit`: rows that are taken as a matrix of their own, such as an expert's.
template <class Fn>
void ForEachMatrix(ModelWeights& weights, Fn fn) {
  const auto each = [&](Linear& linear) {
    if (linear) fn(linear.weight, linear.weight.rows);
  };
  each(weights.output);
  for (LayerWeights& layer : weights.layers) {
    for (Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up,
                           &layer.down, &layer.router}) {
      each(*linear);
    }
    for (ExpertMatrices* experts : {&layer.gate_exps, &layer.up_exps, &layer.down_exps}) {
      if (experts->stacked) fn(experts->stacked.weight, experts->rows);
      for (Linear& expert : experts->split) each(expert);
    }
  }
}

// Throws InputError naming the tensor, the expected and the actual type and shape.
ModelWeights BindWeights(const GgufFile& file, const ModelSpec& spec);

}  // namespace smallmind
