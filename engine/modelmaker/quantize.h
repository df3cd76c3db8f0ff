// Re-encodes a GGUF's weight matrices; metadata, vectors and norms stay as they are.
//
// Memory: a few megabytes beside the mapped input, whatever the model's size. The output appears
// whole or not at all and may have the input's path. From quantised input the error of both
// quantisations adds up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/tensor/dtype.h"

namespace smallmind {

struct QuantizeOptions {
  std::filesystem::path input, output;
  std::string type;  // recipe.h
  size_t threads = 1;
  // Called before each tensor: name, its type before and after, position and number of tensors.
  std::function<void(std::string_view, DType, DType, size_t, size_t)> progress = {};
};

struct QuantizeResult {
  uint64_t tensors = 0;    // re-encoded ones
  uint64_t fallbacks = 0;  // of those, in another type because their rows are not whole blocks
  uint64_t input_bytes = 0, output_bytes = 0;
};

// UsageError for an unknown type, InputError for unusable input (also weights that are not finite,
// or are not in the type they shall become), or a full disk.
QuantizeResult Quantize(const QuantizeOptions& options);

}  // namespace smallmind
