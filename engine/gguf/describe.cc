// Metadata values as short text, for people, and as JSON, for programs: `info` prints them. Tested
// in gguf_test.cc and cli/model_report_test.cc.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "engine/base/json_writer.h"
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

// A number that is not finite, which JSON cannot say, is null.
std::string ScalarJson(GgufType type, const uint8_t* src) {
  double number = 0;
  if (type == GgufType::kF64) std::memcpy(&number, src, sizeof(double));
  if (type == GgufType::kF32) {
    float narrow;
    std::memcpy(&narrow, src, sizeof(narrow));
    number = double{narrow};
  }
  return std::isfinite(number) ? RenderScalar(type, src) : "null";
}

// The first `count` elements, each by the function for its kind, with `comma` between them.
template <typename Text, typename Scalar>
std::string Elements(const GgufArray& array, uint64_t count, const char* comma, Text text,
                     Scalar scalar) {
  std::string out;
  const uint8_t* at = array.bytes.data();
  for (uint64_t i = 0; i < std::min(count, array.count); ++i) {
    if (i != 0) out += comma;
    if (array.element_type == GgufType::kString) {
      StringWalk walk(at);
      out += text(walk.Next());
      at = walk.at();
    } else {
      out += scalar(array.element_type, at);
      at += GgufTypeBytes(array.element_type);
    }
  }
  return out;
}

std::string RenderArray(const GgufArray& array) {
  const auto quote = [](std::string_view text) { return Quote(text, kShownText); };
  return "[" + Elements(array, kShownItems, ", ", quote, RenderScalar) +
         (array.count > kShownItems ? ", …]" : "]");
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

std::string ValueJson(const GgufValue& value) {
  if (value.type == GgufType::kString) return JsonQuote(value.text);
  if (value.type != GgufType::kArray) return ScalarJson(value.type, value.scalar.data());
  const GgufArray& array = value.array;
  const bool whole = array.count <= kJsonItems;
  const std::string items =
      "[" + Elements(array, whole ? array.count : kShownItems, ",", JsonQuote, ScalarJson) + "]";
  if (whole) return items;
  return JsonLine()
      .Add("type", GgufTypeName(array.element_type))
      .Add("count", array.count)
      .AddRaw("first", items)
      .str();
}

}  // namespace smallmind
