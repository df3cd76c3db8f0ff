// Streams a GGUF v3 file: metadata first, then the tensor directory, then each tensor's bytes in
// order.
//
//   GgufWriter out(path);
//   out.Add("general.architecture", "llama");
//   out.DeclareTensor("output.weight", DType::kQ8_0, {2048, 32000});   // ne[0] first
//   out.WriteData(bytes);   // any number of calls; a tensor may come in pieces
//   out.Finish();
//
// Memory: the header and one buffer, whatever the model's size. The file appears at Finish or not
// at all. Errors: InputError where the file cannot be written; InternalError for calls out of
// order.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/output_file.h"
#include "engine/gguf/gguf.h"
#include "engine/gguf/parse.h"
#include "engine/tensor/dtype.h"

namespace smallmind {

class GgufWriter {
 public:
  explicit GgufWriter(const std::filesystem::path& path, uint32_t alignment = kDefaultAlignment);

  void Add(std::string_view key, std::string_view value);
  void Add(std::string_view key, const char* value) { Add(key, std::string_view(value)); }
  void Add(std::string_view key, bool value) { Scalar(key, GgufType::kBool, uint8_t{value}); }
  void Add(std::string_view key, uint32_t value) { Scalar(key, GgufType::kU32, value); }
  void Add(std::string_view key, uint64_t value) { Scalar(key, GgufType::kU64, value); }
  void Add(std::string_view key, int32_t value) { Scalar(key, GgufType::kI32, value); }
  void Add(std::string_view key, float value) { Scalar(key, GgufType::kF32, value); }
  void AddArray(std::string_view key, std::span<const std::string> values);
  void AddArray(std::string_view key, std::span<const float> values);
  void AddArray(std::string_view key, std::span<const int32_t> values);
  // A value of another file, bytes unchanged.
  void Copy(const GgufValue& value);

  void DeclareTensor(std::string_view name, DType type, std::span<const uint64_t> dims);
  // Bytes of the declared tensors, in order. The first call writes the header and ends
  // declarations.
  void WriteData(std::span<const uint8_t> bytes);
  void Finish();
  uint64_t file_bytes() const { return file_.size(); }  // written so far

 private:
  void Key(std::string_view key, GgufType type);
  void ArrayKey(std::string_view key, GgufType element, uint64_t count);
  void Raw(std::span<const uint8_t> bytes) {
    values_.insert(values_.end(), bytes.begin(), bytes.end());
  }
  static void Text(std::vector<uint8_t>& out, std::string_view text);
  template <typename T>
  static void Put(std::vector<uint8_t>& out, T value) {
    const size_t at = out.size();
    out.resize(at + sizeof(T));
    std::memcpy(out.data() + at, &value, sizeof(T));
  }
  template <typename T>
  void Scalar(std::string_view key, GgufType type, T value) {
    Key(key, type);
    Put(values_, value);
  }
  void WriteHeader();
  void PadTo(uint64_t alignment);

  OutputFile file_;
  uint32_t alignment_;
  bool header_written_ = false;
  uint64_t value_count_ = 0;
  std::vector<uint8_t> values_;         // encoded key-value pairs
  std::vector<uint8_t> infos_;          // encoded tensor infos
  std::vector<uint64_t> tensor_bytes_;  // data size of each declared tensor
  uint64_t next_offset_ = 0;            // of the next declared tensor's data
  size_t current_ = 0;                  // tensor being written
  uint64_t current_written_ = 0;        // its bytes so far
};

}  // namespace smallmind
