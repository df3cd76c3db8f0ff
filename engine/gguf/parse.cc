// One pass over the header: magic, version, counts, key-value pairs, tensor infos; then every
// tensor's extent against the file. Tested by class of hostility in parse_test.cc, by truncation
// and bit flips of real files in gguf_robustness_test.cc, and by engine/fuzz/gguf_fuzz.cc.
#include "engine/gguf/parse.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "engine/base/checked.h"
#include "engine/base/quote.h"
#include "engine/gguf/cursor.h"

namespace smallmind {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF values are read in place");

constexpr uint32_t kMagic = 0x46554747;  // "GGUF", little-endian
// The least a key-value pair or a tensor info can occupy: what counts are checked against.
constexpr uint64_t kMinValueBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

std::optional<GgufType> ToType(uint32_t id) {
  if (id > static_cast<uint32_t>(GgufType::kF64)) return std::nullopt;
  return static_cast<GgufType>(id);
}

void CheckBools(const Cursor& cursor, std::span<const uint8_t> bytes, const std::string& what) {
  for (const uint8_t byte : bytes) {
    if (byte > 1) {
      cursor.Fail(what + ": found bool " + std::to_string(byte) + ", allowed 0 and 1");
    }
  }
}

GgufArray ReadArray(Cursor& cursor, std::string_view key, const std::string& what) {
  GgufArray array;
  array.file = cursor.file();
  array.mapped = cursor.mapped();
  array.key = key;
  const auto id = cursor.Read<uint32_t>(what);
  const auto type = ToType(id);
  if (!type) cursor.Fail(what + ": array of unknown type " + std::to_string(id));
  if (*type == GgufType::kArray) cursor.Fail(what + ": arrays of arrays are not allowed");
  array.element_type = *type;
  array.count = cursor.Read<uint64_t>(what);
  if (*type == GgufType::kString) {
    array.bytes = cursor.TakeStrings(array.count, what);
    return array;
  }
  uint64_t bytes = 0;
  if (!CheckedMul(array.count, GgufTypeBytes(*type), &bytes) || bytes > cursor.remaining()) {
    cursor.Fail(what + ": " + std::to_string(array.count) + " values of " +
                std::string(GgufTypeName(*type)) + " cannot fit in the " +
                std::to_string(cursor.remaining()) + " bytes left");
  }
  array.bytes = cursor.Take(bytes, what);
  if (*type == GgufType::kBool) CheckBools(cursor, array.bytes, what);
  return array;
}

GgufValue ReadValue(Cursor& cursor) {
  GgufValue value;
  value.key = cursor.ReadString("metadata key");
  if (value.key.empty() || value.key.size() > kMaxKeyBytes) {
    cursor.Fail("metadata key of " + std::to_string(value.key.size()) +
                " bytes, allowed 1 to 65535");
  }
  const std::string what = "key " + Quote(value.key);
  const auto id = cursor.Read<uint32_t>(what);
  const auto type = ToType(id);
  if (!type) cursor.Fail(what + ": unknown value type " + std::to_string(id) + ", allowed 0 to 12");
  value.type = *type;
  if (*type == GgufType::kString) {
    value.text = cursor.ReadString(what);
  } else if (*type == GgufType::kArray) {
    value.array = ReadArray(cursor, value.key, what);
  } else {
    value.scalar = cursor.Take(GgufTypeBytes(*type), what);
    if (*type == GgufType::kBool) CheckBools(cursor, value.scalar, what);
  }
  return value;
}

// Indices of `items` sorted by `name_of`; two equal names are an error.
template <typename Item, typename NameOf>
std::vector<uint32_t> SortedIndex(const Cursor& cursor, const std::vector<Item>& items,
                                  NameOf name_of, const char* what) {
  std::vector<uint32_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return name_of(items[a]) < name_of(items[b]); });
  for (size_t i = 1; i < order.size(); ++i) {
    const std::string_view name = name_of(items[order[i]]);
    if (name == name_of(items[order[i - 1]])) {
      cursor.Fail(std::string(what) + " " + Quote(name) + " appears twice");
    }
  }
  return order;
}

uint32_t AlignmentOf(const Cursor& cursor, const std::vector<GgufValue>& values) {
  for (const GgufValue& value : values) {
    if (value.key != "general.alignment") continue;
    if (value.type != GgufType::kU32) {
      cursor.Fail("general.alignment: found type " + std::string(GgufTypeName(value.type)) +
                  ", allowed u32");
    }
    uint32_t alignment = 0;
    std::memcpy(&alignment, value.scalar.data(), sizeof(alignment));
    if (alignment < kMinAlignment || alignment > kMaxAlignment || !std::has_single_bit(alignment)) {
      cursor.Fail("general.alignment: found " + std::to_string(alignment) +
                  ", allowed powers of two from 8 to 65536");
    }
    return alignment;
  }
  return kDefaultAlignment;
}

// Size of a tensor's data; the shape's product and the byte count both fit in 63 bits.
uint64_t DataBytes(const Cursor& cursor, const GgufTensor& tensor, const std::string& what) {
  const DTypeInfo& info = Info(tensor.type);
  uint64_t elements = 1;
  for (uint32_t d = 0; d < tensor.n_dims; ++d) {
    if (tensor.ne[d] == 0) cursor.Fail(what + ": dimension " + std::to_string(d) + " is 0");
    if (!CheckedMul(elements, tensor.ne[d], &elements) || elements >> 62 != 0) {
      cursor.Fail(what + ": the product of its dimensions overflows");
    }
  }
  if (tensor.ne[0] % info.block_elems != 0) {
    cursor.Fail(what + ": rows of " + std::to_string(tensor.ne[0]) + " elements are not whole " +
                std::string(info.name) + " blocks of " + std::to_string(info.block_elems));
  }
  uint64_t bytes = 0;
  if (!CheckedMul(elements / info.block_elems, info.block_bytes, &bytes) || bytes >> 62 != 0) {
    cursor.Fail(what + ": its size in bytes overflows");
  }
  return bytes;
}

// Names of the format's other types, so that the message says what the file holds.
std::string UnsupportedType(uint32_t id) {
  struct Name {
    uint32_t id;
    const char* name;
  };
  constexpr Name kOthers[] = {
      {9, "Q8_1"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
      {21, "IQ3_S"}, {22, "IQ2_S"}, {24, "I8"},      {25, "I16"},    {26, "I32"},     {27, "I64"},
      {28, "F64"},   {29, "IQ1_M"}, {34, "TQ1_0"},   {35, "TQ2_0"},  {39, "MXFP4"}};
  std::string text = "unsupported type id " + std::to_string(id);
  for (const Name& other : kOthers) {
    if (other.id == id) text += std::string(" (") + other.name + ")";
  }
  text += ", allowed";
  for (const DTypeInfo& each : AllDTypes()) text += " " + std::string(each.name);
  return text;
}

// Reads one tensor info; *offset is the data's place relative to the data section.
GgufTensor ReadTensorInfo(Cursor& cursor, uint64_t* offset) {
  GgufTensor tensor;
  tensor.name = cursor.ReadString("tensor name");
  if (tensor.name.empty() || tensor.name.size() > kMaxTensorNameBytes) {
    cursor.Fail("tensor name of " + std::to_string(tensor.name.size()) + " bytes, allowed 1 to 64");
  }
  const std::string what = "tensor " + Quote(tensor.name);
  tensor.n_dims = cursor.Read<uint32_t>(what);
  if (tensor.n_dims < 1 || tensor.n_dims > kMaxDims) {
    cursor.Fail(what + ": " + std::to_string(tensor.n_dims) + " dimensions, allowed 1 to 4");
  }
  for (uint32_t d = 0; d < tensor.n_dims; ++d) tensor.ne[d] = cursor.Read<uint64_t>(what);
  const auto type_id = cursor.Read<uint32_t>(what);
  const DTypeInfo* const info = FindDType(type_id);
  if (info == nullptr) {
    cursor.Fail(what + ": " + UnsupportedType(type_id));
  }
  tensor.type = info->type;
  *offset = cursor.Read<uint64_t>(what);
  return tensor;
}

// Places every tensor in the data section. Files keep tensors in ascending order, so that "starts
// at or after the previous one's end" proves in one pass that none overlap; other orders are
// refused, as elsewhere.
void PlaceTensors(const Cursor& cursor, std::span<const uint8_t> section, uint32_t alignment,
                  std::span<const uint64_t> offsets, std::vector<GgufTensor>& tensors) {
  uint64_t previous_end = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    GgufTensor& tensor = tensors[i];
    const std::string what = "tensor " + Quote(tensor.name);
    const uint64_t bytes = DataBytes(cursor, tensor, what);
    const uint64_t offset = offsets[i];
    if (offset % alignment != 0) {
      cursor.Fail(what + ": offset " + std::to_string(offset) + " is not a multiple of " +
                  std::to_string(alignment));
    }
    if (offset < previous_end) {
      cursor.Fail(what + ": offset " + std::to_string(offset) +
                  " overlaps the tensor before it or is out of order; allowed from " +
                  std::to_string(previous_end));
    }
    uint64_t end = 0;
    if (!CheckedAdd(offset, bytes, &end) || end > section.size()) {
      cursor.Fail(what + ": " + std::to_string(bytes) + " bytes at offset " +
                  std::to_string(offset) + " run past the data section of " +
                  std::to_string(section.size()) + " bytes; is the file cut short?");
    }
    tensor.data = section.subspan(static_cast<size_t>(offset), static_cast<size_t>(bytes));
    previous_end = end;
  }
}

uint32_t ReadVersion(Cursor& cursor) {
  const auto magic = cursor.Read<uint32_t>("magic");
  if (magic != kMagic) cursor.Fail("not a GGUF file (the first four bytes are not \"GGUF\")");
  const auto version = cursor.Read<uint32_t>("version");
  if (version != 2 && version != 3) {
    const bool swapped = version == 0x02000000 || version == 0x03000000;
    cursor.Fail(swapped ? "a big-endian GGUF file; allowed little-endian"
                        : "GGUF version " + std::to_string(version) + ", allowed 2 and 3");
  }
  return version;
}

uint64_t ReadCount(Cursor& cursor, const char* what, uint64_t min_bytes) {
  const auto count = cursor.Read<uint64_t>(what);
  if (count > cursor.remaining() / min_bytes) {
    cursor.Fail(std::string(what) + " " + std::to_string(count) + " cannot fit in the " +
                std::to_string(cursor.remaining()) + " bytes left");
  }
  return count;
}

}  // namespace

std::string_view GgufTypeName(GgufType type) {
  constexpr std::string_view kNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                         "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<uint32_t>(type)];
}

size_t GgufTypeBytes(GgufType type) {
  constexpr size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kBytes[static_cast<uint32_t>(type)];
}

ParsedGguf ParseGguf(std::span<const uint8_t> bytes, std::string_view file,
                     const MappedFile* mapped) {
  Cursor cursor(bytes, file, mapped);
  ParsedGguf parsed;
  parsed.version = ReadVersion(cursor);
  const uint64_t tensor_count = ReadCount(cursor, "tensor count", kMinTensorBytes);
  const uint64_t value_count = ReadCount(cursor, "metadata count", kMinValueBytes);

  for (uint64_t i = 0; i < value_count; ++i) parsed.values.push_back(ReadValue(cursor));
  parsed.by_key = SortedIndex(
      cursor, parsed.values, [](const GgufValue& v) { return v.key; }, "key");
  parsed.alignment = AlignmentOf(cursor, parsed.values);

  std::vector<uint64_t> offsets;
  constexpr uint64_t kReserved = 1024;  // whatever a hostile file promises
  parsed.tensors.reserve(std::min(tensor_count, kReserved));
  for (uint64_t i = 0; i < tensor_count; ++i) {
    parsed.tensors.push_back(ReadTensorInfo(cursor, &offsets.emplace_back()));
  }
  parsed.by_name = SortedIndex(
      cursor, parsed.tensors, [](const GgufTensor& t) { return t.name; }, "tensor");

  // A file without tensors (a bare vocabulary) may end before the padding.
  uint64_t data_begin = 0;
  if (!CheckedAlignUp(cursor.offset(), parsed.alignment, &data_begin)) {
    cursor.Fail("the data section's offset overflows");
  }
  data_begin = std::min<uint64_t>(data_begin, bytes.size());
  PlaceTensors(cursor, bytes.subspan(static_cast<size_t>(data_begin)), parsed.alignment, offsets,
               parsed.tensors);
  return parsed;
}

}  // namespace smallmind
