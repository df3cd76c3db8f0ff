// Bytes read once from front to back: those of a mapped file through a small copy, others in place.
//
// In the mapping such a walk costs a page fault for every 64 KiB (under shadow paging 50 to 80 us),
// and the process keeps the pages; copied, 6 MB took half the time there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/mapped_file.h"

namespace smallmind {

class ForwardWindow {
 public:
  // `file`: whose mapping holds the bytes; null: they are read in place. Both must outlive it.
  ForwardWindow(std::span<const uint8_t> bytes, const MappedFile* file)
      : bytes_(bytes), file_(file), window_(file == nullptr ? bytes : bytes.first(0)) {}

  // `count` bytes from `offset` on, which is within the bytes and never goes back; fewer at their
  // end and where the file cannot be read. Valid until the next call.
  std::span<const uint8_t> At(size_t offset, size_t count) {
    if (offset - begin_ > window_.size() || count > window_.size() - (offset - begin_)) {
      Move(offset, count);
    }
    const std::span<const uint8_t> rest = window_.subspan(offset - begin_);
    return rest.first(std::min(count, rest.size()));
  }

 private:
  void Move(size_t offset, size_t count);

  std::span<const uint8_t> bytes_;
  const MappedFile* file_;
  std::vector<uint8_t> copy_;
  std::span<const uint8_t> window_;  // the bytes from begin_ on
  size_t begin_ = 0;
};

}  // namespace smallmind
