// Metadata, tensor list, weights. Matrices have deviation 1/√cols, so that activations keep their
// size through the layers and logits have a deviation near 1. Tested in make_model_test.cc.
#include "engine/modelmaker/make_model.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/base/parallel.h"
#include "engine/gguf/writer.h"
#include "engine/modelmaker/preset.h"
#include "engine/modelmaker/random_weights.h"
#include "engine/modelmaker/recipe.h"
#include "engine/modelmaker/vocabulary.h"

namespace smallmind {
namespace {

constexpr size_t kBatchBytes = size_t{16} << 20;  // of weights made between writes
constexpr const char* kRopeFactors = "rope_freqs.weight";

void AddMetadata(const Preset& p, const Recipe& recipe, uint64_t seed, GgufWriter* out) {
  const std::string arch(p.arch);
  out->Add("general.architecture", arch);
  out->Add("general.type", "model");
  out->Add("general.name", std::string(p.title) + ", random weights");
  out->Add("general.description",
           "Pseudo-random weights for performance measurements; seed " + std::to_string(seed));
  out->Add("general.file_type", recipe.file_type);
  out->Add("general.quantization_version", uint32_t{2});
  out->Add(arch + ".block_count", p.layers);
  out->Add(arch + ".context_length", p.context);
  out->Add(arch + ".embedding_length", p.dim);
  out->Add(arch + ".feed_forward_length", p.hidden);
  out->Add(arch + ".attention.head_count", p.heads);
  out->Add(arch + ".attention.head_count_kv", p.kv_heads);
  out->Add(arch + ".attention.key_length", p.head_dim);
  out->Add(arch + ".attention.value_length", p.head_dim);
  out->Add(arch + ".attention.layer_norm_rms_epsilon", p.norm_eps);
  out->Add(arch + ".rope.dimension_count", p.head_dim);
  out->Add(arch + ".rope.freq_base", p.rope_base);
  out->Add(arch + ".vocab_size", p.vocab);
  if (p.experts == 0) return;
  out->Add(arch + ".expert_count", p.experts);
  out->Add(arch + ".expert_used_count", p.experts_used);
}

struct PlannedTensor {
  RandomTensor weights;
  std::vector<uint64_t> dims;  // ne[0] first
};

class Plan {
 public:
  Plan(const Preset& p, const Recipe& recipe)
      : recipe_(recipe), model_{p.layers, p.experts, !p.tied} {
    const uint64_t q = uint64_t{p.heads} * p.head_dim, kv = uint64_t{p.kv_heads} * p.head_dim;
    Matrix("token_embd.weight", p.vocab, p.dim);
    if (p.rope_factors) Vector(kRopeFactors, p.head_dim / 2, 1, 0);
    for (uint32_t layer = 0; layer < p.layers; ++layer) {
      const std::string blk = "blk." + std::to_string(layer) + ".";
      Vector(blk + "attn_norm.weight", p.dim, 1, 0.05f);
      Matrix(blk + "attn_q.weight", q, p.dim);
      Matrix(blk + "attn_k.weight", kv, p.dim);
      Matrix(blk + "attn_v.weight", kv, p.dim);
      if (p.qkv_bias) {
        Vector(blk + "attn_q.bias", q, 0, 0.1f);
        Vector(blk + "attn_k.bias", kv, 0, 0.1f);
        Vector(blk + "attn_v.bias", kv, 0, 0.1f);
      }
      Matrix(blk + "attn_output.weight", p.dim, q);
      Vector(blk + "ffn_norm.weight", p.dim, 1, 0.05f);
      if (p.experts == 0) {
        Matrix(blk + "ffn_gate.weight", p.hidden, p.dim);
        Matrix(blk + "ffn_up.weight", p.hidden, p.dim);
        Matrix(blk + "ffn_down.weight", p.dim, p.hidden);
      } else {
        Add(blk + "ffn_gate_inp.weight", DType::kF32, {p.dim, p.experts});
        Stack(blk + "ffn_gate_exps.weight", p.experts, p.hidden, p.dim);
        Stack(blk + "ffn_up_exps.weight", p.experts, p.hidden, p.dim);
        Stack(blk + "ffn_down_exps.weight", p.experts, p.dim, p.hidden);
      }
    }
    Vector("output_norm.weight", p.dim, 1, 0.05f);
    if (!p.tied) Matrix("output.weight", p.vocab, p.dim);
  }
  const std::vector<PlannedTensor>& tensors() const { return tensors_; }

 private:
  void Matrix(const std::string& name, uint64_t rows, uint64_t cols) {
    Add(name, ChooseType(recipe_, model_, name, cols), {cols, rows});
  }
  void Stack(const std::string& name, uint64_t count, uint64_t rows, uint64_t cols) {
    Add(name, ChooseType(recipe_, model_, name, cols), {cols, rows, count});
  }
  void Add(const std::string& name, DType type, std::vector<uint64_t> dims) {
    const uint64_t cols = dims[0];
    const uint64_t rows =
        std::accumulate(dims.begin() + 1, dims.end(), uint64_t{1}, std::multiplies<>());
    const float deviation = 1.0f / std::sqrt(static_cast<float>(cols));
    tensors_.push_back({{name, type, rows, cols, 0, deviation}, std::move(dims)});
  }
  void Vector(const std::string& name, uint64_t size, float mean, float deviation) {
    tensors_.push_back({{name, DType::kF32, 1, size, mean, deviation}, {size}});
  }

  const Recipe& recipe_;
  RecipeModel model_;
  std::vector<PlannedTensor> tensors_;
};

// Llama 3's stretching of low rotary frequencies: factor 32 beyond wavelengths of 8192 positions,
// none below 2048, blended between.
std::vector<float> RopeFactors(const Preset& p) {
  constexpr double kFactor = 32, kLow = 1, kHigh = 4, kOldContext = 8192;
  std::vector<float> factors;
  for (uint32_t i = 0; i < p.head_dim / 2; ++i) {
    const double wavelength = 2 * std::numbers::pi * std::pow(p.rope_base, 2.0 * i / p.head_dim);
    const double blend = std::clamp((kOldContext / wavelength - kLow) / (kHigh - kLow), 0.0, 1.0);
    factors.push_back(static_cast<float>(1 / ((1 - blend) / kFactor + blend)));
  }
  return factors;
}

void WriteWeights(const RandomTensor& tensor, const MakeModelOptions& options, GgufWriter* out,
                  std::vector<uint8_t>* buffer) {
  const RandomWeights weights(tensor, options.seed, options.threads);
  const size_t row_bytes = weights.row_bytes();
  const uint64_t batch = std::max<uint64_t>(1, kBatchBytes / row_bytes);
  for (uint64_t begin = 0; begin < tensor.rows; begin += batch) {
    const auto rows = static_cast<size_t>(std::min(batch, tensor.rows - begin));
    buffer->resize(rows * row_bytes);
    ParallelFor(options.threads, rows, std::max<size_t>(1, (size_t{1} << 18) / row_bytes),
                [&](size_t first, size_t last) {
                  weights.Fill(begin + first, begin + last, buffer->data() + first * row_bytes);
                });
    out->WriteData(*buffer);
  }
}

}  // namespace

MadeModel MakeModel(const MakeModelOptions& options) {
  const Preset& preset = FindPreset(options.preset);
  const Recipe& recipe = FindRecipe(options.type);
  const Plan plan(preset, recipe);

  GgufWriter out(options.output);
  AddMetadata(preset, recipe, options.seed, &out);
  AddVocabulary(MakeVocabulary(preset.vocabulary, preset.vocab), &out);
  MadeModel made;
  for (const PlannedTensor& tensor : plan.tensors()) {
    out.DeclareTensor(tensor.weights.name, tensor.weights.type, tensor.dims);
    made.parameters += tensor.weights.rows * tensor.weights.cols;
    ++made.tensors;
  }
  std::vector<uint8_t> buffer;
  for (const PlannedTensor& tensor : plan.tensors()) {
    if (tensor.weights.name == kRopeFactors) {
      const std::vector<float> factors = RopeFactors(preset);
      out.WriteData(
          {reinterpret_cast<const uint8_t*>(factors.data()), factors.size() * sizeof(float)});
    } else {
      WriteWeights(tensor.weights, options, &out, &buffer);
    }
  }
  out.Finish();
  made.file_bytes = out.file_bytes();
  return made;
}

}  // namespace smallmind
