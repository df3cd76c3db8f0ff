// A loaded model: the mapped file, its specification and its bound weights. Const after loading, so
// any number of sessions and threads may share one.
#pragma once

#include <filesystem>

#include "engine/gguf/gguf.h"
#include "engine/model/repack.h"
#include "engine/model/spec.h"
#include "engine/model/weights.h"

namespace smallmind {

struct Model {
  GgufFile file;
  HugePages copy;  // of the matrices, where they were repacked
  ModelSpec spec;
  ModelWeights weights;

  // Maps, reads and binds; touches no weight page unless `repack_threads` is not 0: then so many
  // threads repack the matrices (repack.h). `context`: positions sessions will have (0: the
  // default).
  static Model Load(const std::filesystem::path& path, size_t context = 0,
                    size_t repack_threads = 0) {
    GgufFile file = GgufFile::Open(path);
    ModelSpec spec = ReadSpec(file, context);
    ModelWeights weights = BindWeights(file, spec);
    HugePages copy;
    if (repack_threads != 0) copy = RepackWeights(file, weights, repack_threads);
    return {std::move(file), std::move(copy), std::move(spec), std::move(weights)};
  }
};

}  // namespace smallmind
