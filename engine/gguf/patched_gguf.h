// A copy of a real GGUF file with some of its bytes made wrong, in place: for tests of what is
// refused.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/gguf/parse.h"

namespace smallmind {

class PatchedGguf {
 public:
  explicit PatchedGguf(const std::filesystem::path& path) : name_(path.string()) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    parsed_ = ParseGguf(bytes_, name_);
  }
  PatchedGguf(const PatchedGguf&) = delete;
  PatchedGguf& operator=(const PatchedGguf&) = delete;

  // Overwrites a scalar's value; its type and width stay.
  template <typename T>
  PatchedGguf& Set(std::string_view key, T value) {
    const GgufValue& v = Value(key);
    if (v.scalar.size() != sizeof(T)) throw std::logic_error("wrong width for " + std::string(key));
    return Store(v.scalar.data(), value);
  }
  // Makes a key or a tensor unknown: its first byte becomes '_'.
  PatchedGguf& RemoveKey(std::string_view key) { return Store(Value(key).key.data(), '_'); }
  PatchedGguf& RemoveTensor(std::string_view name) { return Store(Tensor(name).name.data(), '_'); }
  // Behind a tensor's name: number of dimensions, dimensions, type, offset.
  PatchedGguf& SetDim(std::string_view name, size_t dim, uint64_t value) {
    return Store(AfterName(name) + 4 + 8 * dim, value);
  }
  PatchedGguf& SetType(std::string_view name, uint32_t type) {
    return Store(AfterName(name) + 4 + 8 * Tensor(name).n_dims, type);
  }

  GgufFile Open() const { return GgufFile::FromBytes(bytes_, "patched"); }

 private:
  template <typename T>
  PatchedGguf& Store(const void* place, T value) {
    const auto offset = static_cast<const uint8_t*>(place) - bytes_.data();
    std::memcpy(bytes_.data() + offset, &value, sizeof(T));
    return *this;
  }
  const GgufValue& Value(std::string_view key) const {
    for (const GgufValue& v : parsed_.values) {
      if (v.key == key) return v;
    }
    throw std::logic_error("no key " + std::string(key));
  }
  const GgufTensor& Tensor(std::string_view name) const {
    for (const GgufTensor& t : parsed_.tensors) {
      if (t.name == name) return t;
    }
    throw std::logic_error("no tensor " + std::string(name));
  }
  const uint8_t* AfterName(std::string_view name) const {
    const std::string_view found = Tensor(name).name;
    return reinterpret_cast<const uint8_t*>(found.data() + found.size());
  }

  std::string name_;
  std::vector<uint8_t> bytes_;
  ParsedGguf parsed_;  // of the bytes before any patch; its views point into bytes_
};

}  // namespace smallmind
