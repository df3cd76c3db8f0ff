// Tested in base_test.cc.
#include "engine/base/forward_window.h"

namespace smallmind {

void ForwardWindow::Move(size_t offset, size_t count) {
  // A copy that stays in the level-2 cache, and few enough pages to be written first.
  constexpr size_t kCopyBytes = 32 * 1024;
  if (file_ == nullptr) return;  // the window is all there is
  const size_t left = bytes_.size() - offset;
  copy_.resize(std::max({copy_.size(), kCopyBytes, std::min(count, left)}));
  const auto in_file = static_cast<uint64_t>(bytes_.data() - file_->bytes().data());
  const std::span<uint8_t> to(copy_.data(), std::min(copy_.size(), left));
  window_ = to.first(file_->Read(in_file + offset, to));
  begin_ = offset;
}

}  // namespace smallmind
