// Pseudo-random weights of any type, already quantised, faster than a disk takes them.
//
// A tensor is made of units (one block, or 32 unquantised elements) drawn from a pool of up to 2^18
// weights that went through the real quantiser. So every type has the value distribution of a
// quantised normal matrix with mean 0, rows differ, and a billion weights cost a billion bytes of
// copying instead of a billion fits. The bytes depend on seed, name and shape alone, not on
// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/tensor/dtype.h"

namespace smallmind {

struct RandomTensor {
  std::string name;
  DType type = DType::kF32;
  uint64_t rows = 1;
  uint64_t cols = 1;
  float mean = 0;
  float deviation = 1;
};

class RandomWeights {
 public:
  RandomWeights(const RandomTensor& tensor, uint64_t seed, size_t threads);
  // Rows [begin, end) into dst.
  void Fill(uint64_t begin, uint64_t end, uint8_t* dst) const;
  size_t row_bytes() const { return row_bytes_; }

 private:
  RandomTensor tensor_;
  uint64_t seed_;
  size_t row_bytes_;
  size_t unit_elems_, unit_bytes_;
  std::vector<uint8_t> pool_;  // whole units; a power of two of them, or the whole tensor
  uint64_t units_;             // in the pool
  bool whole_;                 // the pool is the tensor
};

}  // namespace smallmind
