// Hand-written GGUF bytes for tests and fuzz seeds: unlike the writer it can say every wrong thing.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"

namespace smallmind {

class RawGguf {
 public:
  RawGguf() = default;
  RawGguf(uint32_t version, uint64_t tensors, uint64_t values) {
    Text("GGUF").U32(version).U64(tensors).U64(values);
  }

  template <typename T>
  RawGguf& Put(T value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
    return *this;
  }
  RawGguf& U8(uint8_t v) { return Put(v); }
  RawGguf& U32(uint32_t v) { return Put(v); }
  RawGguf& U64(uint64_t v) { return Put(v); }
  RawGguf& F32(float v) { return Put(v); }
  RawGguf& Text(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  RawGguf& String(std::string_view text) { return U64(text.size()).Text(text); }

  // A key and its type id; the value follows.
  RawGguf& Key(std::string_view key, uint32_t type) { return String(key).U32(type); }
  RawGguf& Key(std::string_view key, GgufType type) {
    return Key(key, static_cast<uint32_t>(type));
  }
  RawGguf& ArrayKey(std::string_view key, GgufType element, uint64_t count) {
    return Key(key, GgufType::kArray).U32(static_cast<uint32_t>(element)).U64(count);
  }
  RawGguf& Tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                  uint64_t offset) {
    String(name).U32(static_cast<uint32_t>(dims.size()));
    for (const uint64_t d : dims) U64(d);
    return U32(type).U64(offset);
  }
  RawGguf& Pad(size_t alignment) {
    while (bytes_.size() % alignment != 0) bytes_.push_back(0);
    return *this;
  }
  RawGguf& Zeros(size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }

  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace smallmind
