// Metadata values as short text, for people: `info` prints them. Tested in gguf_test.cc.
#include <charconv>
#include <cstring>

#include "engine/base/quote.h"
#include "engine/gguf/parse.h"

namespace smallmind {
namespace {

constexpr size_t kShownText = 60;  // bytes of a string before it is cut
constexpr size_t kShownItems = 4;  // elements of an array before it is cut

template <typename T>
std::string Render(const uint8_t* src) {
  T value;
  std::memcpy(&value, src, sizeof(value));
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

std::string RenderScalar(GgufType type, const uint8_t* src) {
  switch (type) {
    case GgufType::kU8:
      return Render<uint8_t>(src);
    case GgufType::kI8:
      return Render<int8_t>(src);
    case GgufType::kU16:
      return Render<uint16_t>(src);
    case GgufType::kI16:
      return Render<int16_t>(src);
    case GgufType::kU32:
      return Render<uint32_t>(src);
    case GgufType::kI32:
      return Render<int32_t>(src);
    case GgufType::kU64:
      return Render<uint64_t>(src);
    case GgufType::kI64:
      return Render<int64_t>(src);
    case GgufType::kF32:
      return Render<float>(src);
    case GgufType::kF64:
      return Render<double>(src);
    case GgufType::kBool:
      return src[0] != 0 ? "true" : "false";
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return "";
}

std::string RenderArray(const GgufArray& array) {
  std::string out = "[";
  const uint8_t* at = array.bytes.data();
  for (uint64_t i = 0; i < array.count; ++i) {
    if (i != 0) out += ", ";
    if (i == kShownItems) {
      out += "…";
      break;
    }
    if (array.element_type == GgufType::kString) {
      uint64_t length = 0;
      std::memcpy(&length, at, sizeof(length));
      at += sizeof(length);
      out += Quote({reinterpret_cast<const char*>(at), static_cast<size_t>(length)}, kShownText);
      at += length;
    } else {
      out += RenderScalar(array.element_type, at);
      at += GgufTypeBytes(array.element_type);
    }
  }
  return out + "]";
}

}  // namespace

GgufFile::Entry DescribeValue(const GgufValue& value) {
  GgufFile::Entry entry{value.key, std::string(GgufTypeName(value.type)), ""};
  if (value.type == GgufType::kString) {
    entry.value = Quote(value.text, kShownText);
  } else if (value.type == GgufType::kArray) {
    entry.type = std::string(GgufTypeName(value.array.element_type)) + " × " +
                 std::to_string(value.array.count);
    entry.value = RenderArray(value.array);
  } else {
    entry.value = RenderScalar(value.type, value.scalar.data());
  }
  return entry;
}

}  // namespace smallmind
