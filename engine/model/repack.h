// Copies a model's matrices out of the mapped file into memory, in the order that kernels read.
//
// Types that can be packed (tensor/packed.h) are; others are copied as they are. It takes the time
// to read all weights and as much memory of the process's own, and pays where many tokens follow:
// loads are whole cache lines from huge pages. Not copied: norms, biases, and embeddings that are
// not the output matrix as well, of which a token reads one row. No result changes.
#pragma once

#include <cstddef>

#include "engine/base/huge_pages.h"
#include "engine/gguf/gguf.h"
#include "engine/model/weights.h"

namespace smallmind {

// Makes the weights' views those of the copy, which is returned and must outlive them. `file` is
// where they lie now: its pages need not stay. Throws InputError where memory does not suffice.
HugePages RepackWeights(const GgufFile& file, ModelWeights& weights, size_t threads);

}  // namespace smallmind
