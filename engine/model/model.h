// A loaded model: the mapped file, its specification and its bound weights. Const after loading, so
// any number of sessions and threads may share one.
#pragma once

#include <filesystem>

#include "engine/base/huge_pages.h"
#include "engine/gguf/gguf.h"
#include "engine/model/spec.h"
#include "engine/model/weights.h"

namespace smallmind {

struct Model {
  GgufFile file;
  HugePages copy;  // of the matrices, once Repack has run (repack.h)
  ModelSpec spec;
  ModelWeights weights;

  // Maps, reads and binds; touches no weight page. `context`: positions sessions will have (0: the
  // default).
  static Model Load(const std::filesystem::path& path, size_t context = 0) {
    GgufFile file = GgufFile::Open(path);
    ModelSpec spec = ReadSpec(file, context);
    ModelWeights weights = BindWeights(file, spec);
    return {std::move(file), {}, std::move(spec), std::move(weights)};
  }
};

}  // namespace smallmind
