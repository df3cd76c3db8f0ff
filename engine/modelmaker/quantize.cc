// Tensor by tensor, in batches of rows: decode to float32, encode, write. Tested in
// quantize_test.cc.
#include "engine/modelmaker/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/base/quote.h"
#include "engine/gguf/gguf.h"
#include "engine/gguf/writer.h"
#include "engine/modelmaker/recipe.h"
#include "engine/tensor/decode.h"
#include "engine/tensor/encode.h"

namespace smallmind {
namespace {

constexpr size_t kBatchElems = size_t{1} << 20;  // re-encoded between writes

RecipeModel Describe(const GgufFile& file) {
  const std::string arch(file.String("general.architecture", ""));
  RecipeModel model;
  model.layers =
      static_cast<uint32_t>(std::min<uint64_t>(file.Uint(arch + ".block_count", 0), 1u << 20));
  model.experts =
      static_cast<uint32_t>(std::min<uint64_t>(file.Uint(arch + ".expert_count", 0), 1u << 20));
  model.has_output = file.Tensor("output.weight") != nullptr;
  return model;
}

// Metadata with the two keys that say how weights are stored replaced.
void CopyMetadata(const GgufFile& file, const Recipe& recipe, GgufWriter* out) {
  for (const GgufValue& value : file.values()) {
    if (value.key == "general.alignment" || value.key == "general.file_type" ||
        value.key == "general.quantization_version") {
      continue;  // the writer aligns by default
    }
    out->Copy(value);
  }
  out->Add("general.file_type", recipe.file_type);
  out->Add("general.quantization_version", uint32_t{2});
}

void CheckFinite(const std::vector<float>& row, const std::string& where, size_t index) {
  for (const float v : row) {
    if (!std::isfinite(v)) {
      throw InputError(where + ": row " + std::to_string(index) +
                       " has a weight that is not finite; allowed finite numbers");
    }
  }
}

// Values of 65520 and more are infinite as F16, those next to float's largest as BF16; blocks have
// scales that stop at F16's largest, and clip what is far beyond.
void CheckHeld(DType type, const uint8_t* encoded, const std::vector<float>& row,
               const std::string& where, size_t index) {
  constexpr float kHeldByAll = 65504.0f;
  const auto less = [](float a, float b) { return std::fabs(a) < std::fabs(b); };
  const auto largest = std::max_element(row.begin(), row.end(), less);
  if (std::fabs(*largest) <= kHeldByAll) return;
  std::vector<float> back(row.size());
  DecodeScalar(type, encoded, row.size(), back.data());
  const float held = back[static_cast<size_t>(largest - row.begin())];
  if (std::isfinite(held) && std::fabs(held) >= 0.5f * std::fabs(*largest)) return;
  char weight[32];
  snprintf(weight, sizeof weight, "%g", static_cast<double>(*largest));
  throw InputError(where + ": row " + std::to_string(index) + " has the weight " + weight +
                   ", which " + std::string(Info(type).name) + " cannot hold" +
                   (type == DType::kF16 ? "; allowed below 65520" : ""));
}

void Reencode(const GgufTensor& tensor, DType type, const std::string& where, size_t threads,
              GgufWriter* out) {
  const WeightView view = tensor.View();
  const size_t row_bytes = RowBytes(type, view.cols);
  const size_t batch = std::max<size_t>(threads, kBatchElems / view.cols + 1);
  std::vector<uint8_t> encoded;
  for (size_t begin = 0; begin < view.rows; begin += batch) {
    const size_t rows = std::min(batch, view.rows - begin);
    encoded.resize(rows * row_bytes);
    const size_t piece = std::max<size_t>(1, 16384 / view.cols);
    ParallelFor(threads, rows, piece, [&](size_t first, size_t last) {
      std::vector<float> row(view.cols);
      for (size_t r = first; r < last; ++r) {
        DecodeScalar(view.type, view.Row(begin + r), view.cols, row.data());
        CheckFinite(row, where, begin + r);
        uint8_t* const at = encoded.data() + r * row_bytes;
        EncodeRow(type, row.data(), view.cols, at);
        CheckHeld(type, at, row, where, begin + r);
      }
    });
    out->WriteData(encoded);
  }
}

}  // namespace

QuantizeResult Quantize(const QuantizeOptions& options) {
  const Recipe& recipe = FindRecipe(options.type);
  const GgufFile file = GgufFile::Open(options.input);
  if (file.tensors().empty()) {
    throw InputError(Quote(file.path()) + ": no tensors to quantise (a bare vocabulary?)");
  }
  const RecipeModel model = Describe(file);

  GgufWriter out(options.output);
  CopyMetadata(file, recipe, &out);
  QuantizeResult result;
  std::vector<DType> types;
  for (const GgufTensor& tensor : file.tensors()) {
    DType type = tensor.type;
    if (IsQuantizable(tensor.name, tensor.n_dims)) {
      type = ChooseType(recipe, model, tensor.name, tensor.ne[0]);
      ++result.tensors;
      if (type != WantedType(recipe, model, tensor.name)) ++result.fallbacks;
    }
    types.push_back(type);
    out.DeclareTensor(tensor.name, type, std::span(tensor.ne).first(tensor.n_dims));
  }
  for (size_t i = 0; i < types.size(); ++i) {
    const GgufTensor& tensor = file.tensors()[i];
    if (options.progress) {
      options.progress(tensor.name, tensor.type, types[i], i, types.size());
    }
    if (types[i] == tensor.type) {
      out.WriteData(tensor.data);
    } else {
      const std::string where = Quote(file.path()) + ": tensor " + Quote(tensor.name);
      Reencode(tensor, types[i], where, options.threads, &out);
    }
  }
  out.Finish();
  result.input_bytes = file.file_bytes();
  result.output_bytes = out.file_bytes();
  return result;
}

}  // namespace smallmind
