// Tested in make_model_test.cc: moments, independence of thread count, distinct rows.
#include "engine/modelmaker/random_weights.h"

#include <algorithm>
#include <cstring>

#include "engine/base/parallel.h"
#include "engine/base/rng.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/encode.h"

namespace smallmind {
namespace {

constexpr uint64_t kPoolElems = uint64_t{1} << 18;  // 8192 blocks of 32, 1024 super-blocks

}  // namespace

RandomWeights::RandomWeights(const RandomTensor& tensor, uint64_t seed, size_t threads)
    : tensor_(tensor), seed_(seed), row_bytes_(RowBytes(tensor.type, tensor.cols)) {
  // Rows shorter than a unit of 32 (tiny vectors) are one unit.
  unit_elems_ = std::max<size_t>(Info(tensor.type).block_elems, kBlock);
  if (tensor.cols % unit_elems_ != 0) unit_elems_ = tensor.cols;
  unit_bytes_ = RowBytes(tensor.type, unit_elems_);
  const uint64_t tensor_units = tensor.rows * tensor.cols / unit_elems_;
  units_ = kPoolElems / unit_elems_;
  whole_ = tensor_units <= units_;
  if (whole_) units_ = tensor_units;
  // Fill picks with a mask; odd unit sizes (no preset has them) would need the largest power of
  // two.
  if (!whole_) {
    while ((units_ & (units_ - 1)) != 0) units_ &= units_ - 1;
  }
  pool_.resize(static_cast<size_t>(units_) * unit_bytes_);
  ParallelFor(threads, static_cast<size_t>(units_), 64, [&](size_t begin, size_t end) {
    std::vector<float> x(unit_elems_);
    for (size_t u = begin; u < end; ++u) {
      Rng rng(seed, tensor_.name, u);
      for (float& v : x) v = tensor_.mean + tensor_.deviation * rng.Normal();
      EncodeRow(tensor_.type, x.data(), unit_elems_, pool_.data() + u * unit_bytes_);
    }
  });
}

void RandomWeights::Fill(uint64_t begin, uint64_t end, uint8_t* dst) const {
  if (whole_) {
    std::memcpy(dst, pool_.data() + begin * row_bytes_,
                static_cast<size_t>(end - begin) * row_bytes_);
    return;
  }
  const uint64_t row_units = tensor_.cols / unit_elems_;
  const uint64_t mask = units_ - 1;  // at most 13 bits: four picks from one draw
  for (uint64_t row = begin; row < end; ++row) {
    Rng rng(~seed_, tensor_.name, row);
    uint64_t draw = 0;
    for (uint64_t u = 0; u < row_units; ++u) {
      draw = u % 4 == 0 ? rng.Next() : draw >> 16;
      std::memcpy(dst, pool_.data() + static_cast<size_t>(draw & mask) * unit_bytes_, unit_bytes_);
      dst += unit_bytes_;
    }
  }
}

}  // namespace smallmind
