// Tested in base_test.cc.
#include "engine/base/forward_window.h"

namespace smallmind {

void ForwardWindow::Move(size_t offset, size_t count) {
  // A copy that stays in the level-2 cache, and few enough pages to be written first.
  constexpr size_t kCopyBytes = 32 * 1024;
  begin_ = offset;
  const size_t left = bytes_.size() - begin_;
  if (file_ == nullptr) {
    window_ = bytes_.subspan(begin_);
    return;
  }
  const size_t wanted = std::max(kCopyBytes, std::min(count, left));
  if (wanted > copy_bytes_) {
    copy_ = std::make_unique_for_overwrite<uint8_t[]>(wanted);
    copy_bytes_ = wanted;
  }
  const auto in_file = static_cast<uint64_t>(bytes_.data() - file_->bytes().data());
  const std::span<uint8_t> to(copy_.get(), std::min(copy_bytes_, left));
  window_ = to.first(file_->Read(in_file + begin_, to));
}

}  // namespace smallmind
