// A GGUF file (v2, v3), mapped read-only: metadata and the tensor directory, every byte checked.
//
// Source: the GGUF specification (little-endian). Strings and arrays are views into the mapping:
// opening a file with a vocabulary of 150,000 entries copies none of them. Errors: InputError
// naming file, field, found and allowed.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/forward_window.h"
#include "engine/base/mapped_file.h"
#include "engine/tensor/view.h"

namespace smallmind {

enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// Length-prefixed strings one after the other, already bounds-checked.
class StringWalk {
 public:
  explicit StringWalk(const uint8_t* at) : at_(at) {}
  const uint8_t* at() const { return at_; }
  std::string_view Next() {
    uint64_t size;
    std::memcpy(&size, at_, sizeof size);
    const std::string_view text(reinterpret_cast<const char*>(at_) + sizeof size, size);
    at_ += sizeof size + size;
    return text;
  }

 private:
  const uint8_t* at_;
};

// An array of metadata: bytes in the mapping, already bounds-checked.
struct GgufArray {
  GgufType element_type = GgufType::kU8;
  uint64_t count = 0;
  std::span<const uint8_t> bytes;      // for strings: what StringWalk walks
  const MappedFile* mapped = nullptr;  // the file that holds them, if one does: for a ForwardWindow
  std::string_view file, key;          // for messages

  // Throw InputError when the type differs.
  std::vector<int32_t> Ints() const;              // any integer type that fits, bool included
  std::vector<std::string_view> Strings() const;  // one pass, views into the mapping
};

// The strings of an array, once from front to back, through a ForwardWindow.
class StringStream {
 public:
  explicit StringStream(const GgufArray& array) : window_(array.bytes, array.mapped) {}
  size_t offset() const { return offset_; }  // of the next string in the array's bytes
  // Valid until the next call. A file cut while it is read ends in empty strings.
  std::string_view Next() {
    uint64_t size = 0;
    const std::span<const uint8_t> stored = window_.At(offset_, sizeof size);
    if (stored.size() == sizeof size) std::memcpy(&size, stored.data(), sizeof size);
    offset_ += stored.size();
    const std::span<const uint8_t> text = window_.At(offset_, static_cast<size_t>(size));
    offset_ += text.size();
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

 private:
  ForwardWindow window_;
  size_t offset_ = 0;
};

// One key of the metadata (parse.h): for code that copies all of them.
struct GgufValue;

struct GgufTensor {
  std::string_view name;
  DType type = DType::kF32;
  uint32_t n_dims = 0;
  std::array<uint64_t, 4> ne = {1, 1, 1, 1};  // ne[0] is the row length
  std::span<const uint8_t> data;

  uint64_t elements() const { return ne[0] * ne[1] * ne[2] * ne[3]; }
  // As a matrix of ne[1]·ne[2]·ne[3] rows × ne[0] columns.
  WeightView View() const;
};

class GgufFile {
 public:
  static GgufFile Open(const std::filesystem::path& path);
  // Over bytes that outlive the result (tests, fuzzing); `name` stands for the path in errors.
  static GgufFile FromBytes(std::span<const uint8_t> bytes, std::string name);

  const std::string& path() const;
  // Bytes of a tensor that are not needed soon; nothing where the file is not mapped.
  void Forget(std::span<const uint8_t> bytes) const;
  uint32_t version() const;
  uint64_t file_bytes() const;

  bool Has(std::string_view key) const;
  bool IsArray(std::string_view key) const;  // false where absent
  // Typed look-ups. The one-argument forms throw InputError "missing key" / "wrong type"; the
  // two-argument forms give the default where the key is absent and throw where the type is wrong.
  // Integers of any width convert with a range check; an integer is accepted where a float is
  // asked.
  uint64_t Uint(std::string_view key) const;
  uint64_t Uint(std::string_view key, uint64_t fallback) const;
  double Float(std::string_view key) const;
  double Float(std::string_view key, double fallback) const;
  bool Bool(std::string_view key, bool fallback) const;
  std::string_view String(std::string_view key) const;
  std::string_view String(std::string_view key, std::string_view fallback) const;
  const GgufArray* Array(
      std::string_view key) const;  // null where absent; throws where not an array

  std::span<const GgufTensor> tensors() const;
  const GgufTensor* Tensor(std::string_view name) const;  // null where absent

  // Every key in file order, rendered for `info`: (key, type, short value).
  struct Entry {
    std::string_view key;
    std::string type;
    std::string value;
  };
  std::vector<Entry> Describe() const;
  std::span<const GgufValue> values() const;  // file order

  GgufFile(GgufFile&&) noexcept;
  GgufFile& operator=(GgufFile&&) noexcept;
  ~GgufFile();

 private:
  struct Impl;
  explicit GgufFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace smallmind
