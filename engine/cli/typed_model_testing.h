// A small llama in a weight type, as a file: for tests of every type, whose time is mostly that of
// encoding weights. Rows of whole super-blocks (256 and 512 columns), 16 rows a group and a rest of
// 6, grouped-query attention.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/testing.h"
#include "engine/model/tiny_model.h"
#include "engine/modelmaker/quantize.h"

namespace smallmind {

constexpr uint32_t kTypedHead = 64;

// In TestTempDir(), until the object ends.
class TypedModel {
 public:
  explicit TypedModel(const std::string& type, const TinyShape& shape = Shape())
      : path_(TestTempDir() / (type + ".gguf")) {
    const auto floats = TestTempDir() / (type + "_floats.gguf");
    TinyModel::Write(shape, floats);
    Quantize({.input = floats, .output = path_, .type = type});
    std::filesystem::remove(floats);
  }
  ~TypedModel() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TypedModel(const TypedModel&) = delete;
  TypedModel& operator=(const TypedModel&) = delete;

  const std::filesystem::path& path() const { return path_; }

  static TinyShape Shape() {
    return {.dim = 256,
            .ff = 512,
            .layers = 1,
            .heads = 4,
            .kv_heads = 2,
            .head = kTypedHead,
            .context = 512};
  }
  // Of the same rows, with four experts of which a token uses two.
  static TinyShape ShapeOfExperts() {
    TinyShape shape = Shape();
    shape.experts = 4;
    shape.experts_used = 2;
    return shape;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace smallmind
