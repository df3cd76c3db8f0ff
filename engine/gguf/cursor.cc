#include "engine/gguf/cursor.h"

#include "engine/base/forward_window.h"
#include "engine/base/quote.h"

namespace smallmind {

std::span<const uint8_t> Cursor::TakeStrings(uint64_t count, std::string_view what) {
  if (count > remaining() / sizeof(uint64_t)) {
    Fail(std::string(what) + ": " + std::to_string(count) + " strings cannot fit in the " +
         std::to_string(remaining()) + " bytes left");
  }
  constexpr size_t kLength = sizeof(uint64_t);
  ForwardWindow window(bytes_, mapped_);
  size_t at = offset_;
  for (uint64_t i = 0; i < count; ++i) {
    const std::span<const uint8_t> stored = window.At(at, kLength);
    uint64_t length = 0;
    if (stored.size() == kLength) std::memcpy(&length, stored.data(), kLength);
    if (stored.size() < kLength || length > bytes_.size() - at - kLength) {
      offset_ = at;
      Fail(std::string(what) + ": string " + std::to_string(i) + " of " + std::to_string(count) +
           " runs past the end of the file");
    }
    at += kLength + static_cast<size_t>(length);
  }
  return Take(at - offset_, what);
}

void Cursor::Fail(const std::string& message) const {
  throw InputError(Quote(file_) + ": " + message + " (byte " + std::to_string(offset_) + ")");
}

void Cursor::FailShort(uint64_t count, std::string_view what) const {
  Fail(std::string(what) + " needs " + std::to_string(count) + " bytes, but " +
       std::to_string(remaining()) + " are left");
}

}  // namespace smallmind
