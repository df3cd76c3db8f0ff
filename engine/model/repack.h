// Copies a model's matrices out of the mapped file into memory, in the order that kernels read.
//
// Types that can be packed (tensor/packed.h) are; others are copied as they are. It takes the time
// to read all weights and as much memory of the process's own, and pays where many tokens follow:
// loads are whole cache lines from huge pages. Not copied: norms, biases, and embeddings that are
// not the output matrix as well, of which a token reads one row. No result changes.
#pragma once

#include <cstddef>

#include "engine/model/model.h"

namespace smallmind {

// For a model just loaded, before its first session; by `threads` threads. The file's pages need
// not stay in memory after it. Throws InputError where memory does not suffice for the copy.
void Repack(Model& model, size_t threads);

}  // namespace smallmind
