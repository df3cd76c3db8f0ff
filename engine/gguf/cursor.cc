#include "engine/gguf/cursor.h"

#include "engine/base/quote.h"

namespace smallmind {

std::span<const uint8_t> Cursor::TakeStrings(uint64_t count, std::string_view what) {
  if (count > remaining() / sizeof(uint64_t)) {
    Fail(std::string(what) + ": " + std::to_string(count) + " strings cannot fit in the " +
         std::to_string(remaining()) + " bytes left");
  }
  const uint8_t* const begin = bytes_.data() + offset_;
  const uint8_t* at = begin;
  uint64_t left = remaining();
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t length = 0;
    if (left >= sizeof(length)) std::memcpy(&length, at, sizeof(length));
    if (left < sizeof(length) || length > left - sizeof(length)) {
      offset_ += static_cast<size_t>(at - begin);
      Fail(std::string(what) + ": string " + std::to_string(i) + " of " + std::to_string(count) +
           " runs past the end of the file");
    }
    at += sizeof(length) + length;
    left -= sizeof(length) + length;
  }
  return Take(static_cast<uint64_t>(at - begin), what);
}

void Cursor::Fail(const std::string& message) const {
  throw InputError(Quote(file_) + ": " + message + " (byte " + std::to_string(offset_) + ")");
}

void Cursor::FailShort(uint64_t count, std::string_view what) const {
  Fail(std::string(what) + " needs " + std::to_string(count) + " bytes, but " +
       std::to_string(remaining()) + " are left");
}

}  // namespace smallmind
