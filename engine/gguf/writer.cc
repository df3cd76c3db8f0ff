// The directory needs every tensor's offset before the first byte of data, so shapes are declared
// first and data streams after. Tested in writer_test.cc by reading back.
#include "engine/gguf/writer.h"

#include <algorithm>
#include <array>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {

GgufWriter::GgufWriter(const std::filesystem::path& path, uint32_t alignment)
    : file_(path), alignment_(alignment) {
  if (alignment != kDefaultAlignment) Add("general.alignment", alignment);
}

void GgufWriter::Add(std::string_view key, std::string_view value) {
  Key(key, GgufType::kString);
  Text(values_, value);
}

void GgufWriter::AddArray(std::string_view key, std::span<const std::string> values) {
  ArrayKey(key, GgufType::kString, values.size());
  for (const std::string& value : values) Text(values_, value);
}

void GgufWriter::AddArray(std::string_view key, std::span<const float> values) {
  ArrayKey(key, GgufType::kF32, values.size());
  Raw({reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()});
}

void GgufWriter::AddArray(std::string_view key, std::span<const int32_t> values) {
  ArrayKey(key, GgufType::kI32, values.size());
  Raw({reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()});
}

void GgufWriter::Copy(const GgufValue& value) {
  if (value.type == GgufType::kString) {
    Add(value.key, value.text);
  } else if (value.type == GgufType::kArray) {
    ArrayKey(value.key, value.array.element_type, value.array.count);
    Raw(value.array.bytes);
  } else {
    Key(value.key, value.type);
    Raw(value.scalar);
  }
}

void GgufWriter::DeclareTensor(std::string_view name, DType type, std::span<const uint64_t> dims) {
  if (header_written_) throw InternalError("tensor " + Quote(name) + " declared after data");
  if (name.empty() || name.size() > kMaxTensorNameBytes || dims.empty() || dims.size() > kMaxDims) {
    throw InternalError("tensor " + Quote(name) + ": bad name or number of dimensions");
  }
  const DTypeInfo& info = Info(type);
  uint64_t elements = 1;
  for (const uint64_t dim : dims) {
    if (dim == 0 || !CheckedMul(elements, dim, &elements)) {
      throw InternalError("tensor " + Quote(name) + ": bad dimensions");
    }
  }
  if (dims[0] % info.block_elems != 0) {
    throw InternalError("tensor " + Quote(name) + ": rows are not whole blocks");
  }
  Text(infos_, name);
  Put(infos_, static_cast<uint32_t>(dims.size()));
  for (const uint64_t dim : dims) Put(infos_, dim);
  Put(infos_, static_cast<uint32_t>(type));
  Put(infos_, next_offset_);

  uint64_t bytes = 0, end = 0;
  if (!CheckedMul(elements / info.block_elems, info.block_bytes, &bytes) ||
      !CheckedAdd(next_offset_, bytes, &end) || !CheckedAlignUp(end, alignment_, &next_offset_)) {
    throw InternalError("tensor " + Quote(name) + ": too large");
  }
  tensor_bytes_.push_back(bytes);
}

void GgufWriter::WriteData(std::span<const uint8_t> bytes) {
  if (!header_written_) WriteHeader();
  while (!bytes.empty()) {
    if (current_ == tensor_bytes_.size()) {
      throw InternalError("more data than the declared tensors hold");
    }
    const uint64_t room = tensor_bytes_[current_] - current_written_;
    const auto piece = bytes.first(static_cast<size_t>(std::min<uint64_t>(room, bytes.size())));
    file_.Write(piece);
    bytes = bytes.subspan(piece.size());
    current_written_ += piece.size();
    if (current_written_ == tensor_bytes_[current_]) {
      ++current_;
      current_written_ = 0;
      PadTo(alignment_);
    }
  }
}

void GgufWriter::Finish() {
  if (!header_written_) WriteHeader();
  if (current_ != tensor_bytes_.size()) {
    throw InternalError("data of " + std::to_string(tensor_bytes_.size() - current_) +
                        " declared tensors is missing");
  }
  file_.Commit();
}

void GgufWriter::Key(std::string_view key, GgufType type) {
  if (header_written_) throw InternalError("key " + Quote(key) + " added after data");
  Text(values_, key);
  Put(values_, static_cast<uint32_t>(type));
  ++value_count_;
}

void GgufWriter::ArrayKey(std::string_view key, GgufType element, uint64_t count) {
  Key(key, GgufType::kArray);
  Put(values_, static_cast<uint32_t>(element));
  Put(values_, count);
}

void GgufWriter::Text(std::vector<uint8_t>& out, std::string_view text) {
  Put(out, uint64_t{text.size()});
  out.insert(out.end(), text.begin(), text.end());
}

void GgufWriter::WriteHeader() {
  header_written_ = true;
  std::vector<uint8_t> head = {'G', 'G', 'U', 'F'};
  Put(head, uint32_t{3});
  Put(head, uint64_t{tensor_bytes_.size()});
  Put(head, value_count_);
  file_.Write(head);
  file_.Write(values_);
  file_.Write(infos_);
  PadTo(alignment_);
}

void GgufWriter::PadTo(uint64_t alignment) {
  static constexpr std::array<uint8_t, 4096> kZeros = {};
  for (uint64_t left = (alignment - file_.size() % alignment) % alignment; left > 0;) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(left, kZeros.size()));
    file_.Write(std::span(kZeros).first(count));
    left -= count;
  }
}

}  // namespace smallmind
