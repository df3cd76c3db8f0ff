// Typed look-ups over the parsed directory. Binary search over a sorted index: a model has tens of
// keys and hundreds of tensors, so a look-up is well under a microsecond and the index costs
// nothing to build. Tested in gguf_test.cc.
#include "engine/gguf/gguf.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/quote.h"
#include "engine/gguf/parse.h"

namespace smallmind {

struct GgufFile::Impl {
  MappedFile mapping;  // empty for FromBytes
  std::string name;
  uint64_t bytes = 0;
  ParsedGguf parsed;

  const GgufValue* Find(std::string_view key) const {
    const auto at =
        std::lower_bound(parsed.by_key.begin(), parsed.by_key.end(), key,
                         [&](uint32_t i, std::string_view k) { return parsed.values[i].key < k; });
    if (at == parsed.by_key.end() || parsed.values[*at].key != key) return nullptr;
    return &parsed.values[*at];
  }
  const GgufValue& Need(std::string_view key) const {
    const GgufValue* value = Find(key);
    if (value == nullptr) throw InputError(Quote(name) + ": missing key " + Quote(key));
    return *value;
  }
  [[noreturn]] void WrongType(const GgufValue& value, const char* allowed) const {
    throw InputError(Quote(name) + ": key " + Quote(value.key) + ": found type " +
                     std::string(GgufTypeName(value.type)) + ", allowed " + allowed);
  }
  [[noreturn]] void BadValue(const GgufValue& value, const std::string& found,
                             const char* allowed) const {
    throw InputError(Quote(name) + ": key " + Quote(value.key) + ": found " + found + ", allowed " +
                     allowed);
  }

  uint64_t AsUint(const GgufValue& value) const;
  double AsFloat(const GgufValue& value) const;
};

namespace {

template <typename T>
T Load(const uint8_t* src) {
  T value;
  std::memcpy(&value, src, sizeof(value));
  return value;
}

// Calls f with the value as its own arithmetic type; false for bool, strings and arrays.
template <typename F>
bool VisitNumber(GgufType type, const uint8_t* src, F f) {
  switch (type) {
    case GgufType::kU8:
      f(Load<uint8_t>(src));
      return true;
    case GgufType::kI8:
      f(Load<int8_t>(src));
      return true;
    case GgufType::kU16:
      f(Load<uint16_t>(src));
      return true;
    case GgufType::kI16:
      f(Load<int16_t>(src));
      return true;
    case GgufType::kU32:
      f(Load<uint32_t>(src));
      return true;
    case GgufType::kI32:
      f(Load<int32_t>(src));
      return true;
    case GgufType::kU64:
      f(Load<uint64_t>(src));
      return true;
    case GgufType::kI64:
      f(Load<int64_t>(src));
      return true;
    case GgufType::kF32:
      f(Load<float>(src));
      return true;
    case GgufType::kF64:
      f(Load<double>(src));
      return true;
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return false;
}

[[noreturn]] void WrongElements(const GgufArray& array, const char* allowed) {
  throw InputError(Quote(array.file) + ": key " + Quote(array.key) + ": found an array of " +
                   std::string(GgufTypeName(array.element_type)) + ", allowed " + allowed);
}

}  // namespace

uint64_t GgufFile::Impl::AsUint(const GgufValue& value) const {
  uint64_t result = 0;
  bool whole = false;
  const bool number = VisitNumber(value.type, value.scalar.data(), [&](auto x) {
    if constexpr (std::is_integral_v<decltype(x)>) {
      whole = true;
      if (std::cmp_less(x, 0)) BadValue(value, std::to_string(x), "0 or more");
      result = static_cast<uint64_t>(x);
    }
  });
  if (!number || !whole) WrongType(value, "an integer");
  return result;
}

double GgufFile::Impl::AsFloat(const GgufValue& value) const {
  double result = 0;
  if (!VisitNumber(value.type, value.scalar.data(),
                   [&](auto x) { result = static_cast<double>(x); })) {
    WrongType(value, "a number");
  }
  if (!std::isfinite(result)) BadValue(value, std::to_string(result), "finite numbers");
  return result;
}

std::vector<int32_t> GgufArray::Ints() const {
  const size_t width = GgufTypeBytes(element_type);
  const bool is_bool = element_type == GgufType::kBool;
  std::vector<int32_t> out;
  if (width == 0) WrongElements(*this, "integers");
  out.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < count; ++i) {
    const GgufType type = is_bool ? GgufType::kU8 : element_type;
    VisitNumber(type, bytes.data() + i * width, [&](auto x) {
      if constexpr (std::is_integral_v<decltype(x)>) {
        if (!std::in_range<int32_t>(x)) {
          throw InputError(Quote(file) + ": key " + Quote(key) + ": found " + std::to_string(x) +
                           " at index " + std::to_string(i) + ", allowed 32-bit integers");
        }
        out.push_back(static_cast<int32_t>(x));
      } else {
        WrongElements(*this, "integers");
      }
    });
  }
  return out;
}

std::vector<std::string_view> GgufArray::Strings() const {
  if (element_type != GgufType::kString) WrongElements(*this, "string");
  std::vector<std::string_view> out(static_cast<size_t>(count));
  StringWalk walk(bytes.data());
  for (std::string_view& text : out) text = walk.Next();
  return out;
}

WeightView GgufTensor::View() const {
  const auto cols = static_cast<size_t>(ne[0]);
  return {type, data.data(), static_cast<size_t>(ne[1] * ne[2] * ne[3]), cols,
          RowBytes(type, cols)};
}

GgufFile GgufFile::Open(const std::filesystem::path& path) {
  auto impl = std::make_unique<Impl>();
  impl->mapping = MappedFile::Open(path);
  impl->name = impl->mapping.path();
  impl->bytes = impl->mapping.bytes().size();
  impl->parsed = ParseGguf(impl->mapping.bytes(), impl->name, &impl->mapping);
  return GgufFile(std::move(impl));
}

GgufFile GgufFile::FromBytes(std::span<const uint8_t> bytes, std::string name) {
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  impl->bytes = bytes.size();
  impl->parsed = ParseGguf(bytes, impl->name);
  return GgufFile(std::move(impl));
}

GgufFile::GgufFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GgufFile::GgufFile(GgufFile&&) noexcept = default;
GgufFile& GgufFile::operator=(GgufFile&&) noexcept = default;
GgufFile::~GgufFile() = default;

const std::string& GgufFile::path() const { return impl_->name; }
void GgufFile::Forget(std::span<const uint8_t> bytes) const { impl_->mapping.Forget(bytes); }
uint32_t GgufFile::version() const { return impl_->parsed.version; }
uint64_t GgufFile::file_bytes() const { return impl_->bytes; }

bool GgufFile::IsArray(std::string_view key) const {
  const GgufValue* value = impl_->Find(key);
  return value != nullptr && value->type == GgufType::kArray;
}

bool GgufFile::Has(std::string_view key) const { return impl_->Find(key) != nullptr; }

uint64_t GgufFile::Uint(std::string_view key) const { return impl_->AsUint(impl_->Need(key)); }

uint64_t GgufFile::Uint(std::string_view key, uint64_t fallback) const {
  const GgufValue* value = impl_->Find(key);
  return value == nullptr ? fallback : impl_->AsUint(*value);
}

double GgufFile::Float(std::string_view key) const { return impl_->AsFloat(impl_->Need(key)); }

double GgufFile::Float(std::string_view key, double fallback) const {
  const GgufValue* value = impl_->Find(key);
  return value == nullptr ? fallback : impl_->AsFloat(*value);
}

bool GgufFile::Bool(std::string_view key, bool fallback) const {
  const GgufValue* value = impl_->Find(key);
  if (value == nullptr) return fallback;
  if (value->type != GgufType::kBool) impl_->WrongType(*value, "bool");
  return value->scalar[0] != 0;
}

std::string_view GgufFile::String(std::string_view key) const {
  const GgufValue& value = impl_->Need(key);
  if (value.type != GgufType::kString) impl_->WrongType(value, "string");
  return value.text;
}

std::string_view GgufFile::String(std::string_view key, std::string_view fallback) const {
  return Has(key) ? String(key) : fallback;
}

const GgufArray* GgufFile::Array(std::string_view key) const {
  const GgufValue* value = impl_->Find(key);
  if (value == nullptr) return nullptr;
  if (value->type != GgufType::kArray) impl_->WrongType(*value, "array");
  return &value->array;
}

std::span<const GgufTensor> GgufFile::tensors() const { return impl_->parsed.tensors; }

const GgufTensor* GgufFile::Tensor(std::string_view name) const {
  const std::vector<uint32_t>& by_name = impl_->parsed.by_name;
  const std::vector<GgufTensor>& tensors = impl_->parsed.tensors;
  const auto at =
      std::lower_bound(by_name.begin(), by_name.end(), name,
                       [&](uint32_t i, std::string_view n) { return tensors[i].name < n; });
  return at == by_name.end() || tensors[*at].name != name ? nullptr : &tensors[*at];
}

std::vector<GgufFile::Entry> GgufFile::Describe() const {
  std::vector<Entry> entries;
  for (const GgufValue& value : impl_->parsed.values) entries.push_back(DescribeValue(value));
  return entries;
}

std::span<const GgufValue> GgufFile::values() const { return impl_->parsed.values; }

}  // namespace smallmind
