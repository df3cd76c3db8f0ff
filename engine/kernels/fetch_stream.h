// The order in which a thread is going to read weights, handed out piece by piece to be prefetched.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/kernels/matmul.h"
#include "engine/tensor/view.h"

namespace smallmind {

class FetchStream {
 public:
  // `rows`, then what comes after them; the first `skip` bytes are taken already.
  FetchStream(ByteRange rows, const Upcoming& upcoming, size_t skip)
      : parts_{rows, upcoming.first, upcoming.then} {
    while (skip > 0 && part_ < parts_.size()) skip -= Take(skip).bytes;
  }

  // The next piece: `bytes` of it, or fewer where a part ends; none at the end.
  ByteRange Take(size_t bytes) {
    while (part_ < parts_.size() && parts_[part_].bytes == 0) ++part_;
    if (part_ == parts_.size()) return {};
    ByteRange& from = parts_[part_];
    const ByteRange piece = {from.data, std::min(bytes, from.bytes)};
    from = {from.data + piece.bytes, from.bytes - piece.bytes};
    return piece;
  }

 private:
  std::array<ByteRange, 3> parts_;
  size_t part_ = 0;
};

}  // namespace smallmind
