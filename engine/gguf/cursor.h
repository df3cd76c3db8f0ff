// A bounds-checked reader over a hostile byte span. Every read either fits or throws InputError
// naming the file, the byte offset and what was being read.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/base/mapped_file.h"

namespace smallmind {

class Cursor {
 public:
  // `mapped`: the file whose bytes they are, where they are one's.
  Cursor(std::span<const uint8_t> bytes, std::string_view file, const MappedFile* mapped = nullptr)
      : bytes_(bytes), file_(file), mapped_(mapped) {}

  size_t offset() const { return offset_; }
  std::string_view file() const { return file_; }
  const MappedFile* mapped() const { return mapped_; }
  uint64_t remaining() const { return bytes_.size() - offset_; }

  template <typename T>
  T Read(std::string_view what) {
    T value;
    const auto source = Take(sizeof(T), what);
    std::memcpy(&value, source.data(), sizeof(T));
    return value;
  }

  std::span<const uint8_t> Take(uint64_t count, std::string_view what) {
    if (count > remaining()) FailShort(count, what);
    const auto result = bytes_.subspan(offset_, static_cast<size_t>(count));
    offset_ += static_cast<size_t>(count);
    return result;
  }

  // A 64-bit length, then that many bytes.
  std::string_view ReadString(std::string_view what) {
    const auto length = Read<uint64_t>(what);
    const auto text = Take(length, what);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

  // Steps over `count` strings: the one pass that makes later walks safe without checks. The
  // dependent load of each length is the cost: about 2 ns a string. Read through a ForwardWindow.
  std::span<const uint8_t> TakeStrings(uint64_t count, std::string_view what);

  [[noreturn]] void Fail(const std::string& message) const;

 private:
  [[noreturn]] void FailShort(uint64_t count, std::string_view what) const;

  std::span<const uint8_t> bytes_;
  std::string_view file_;
  const MappedFile* mapped_;
  size_t offset_ = 0;
};

}  // namespace smallmind
