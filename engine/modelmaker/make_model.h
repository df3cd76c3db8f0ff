// A valid GGUF at a real model's shape with pseudo-random weights: for measuring, where what the
// model says does not matter and its size, types and vocabulary do. Other engines can load it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace smallmind {

struct MakeModelOptions {
  std::string preset;         // preset.h
  std::string type = "Q8_0";  // recipe.h
  uint64_t seed = 1;
  std::filesystem::path output;
  size_t threads = 1;
};

struct MadeModel {
  uint64_t parameters = 0;
  uint64_t file_bytes = 0;
  uint64_t tensors = 0;
};

// The same options give the same bytes everywhere. UsageError for an unknown preset or type,
// InputError where the file cannot be written.
MadeModel MakeModel(const MakeModelOptions& options);

}  // namespace smallmind
