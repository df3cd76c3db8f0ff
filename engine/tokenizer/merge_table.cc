// Tested by tokenizer_test.cc (expected ids) and hostile_vocab_test.cc (entries that cannot be).
#include "engine/tokenizer/merge_table.h"

#include <bit>
#include <cstring>
#include <limits>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {

MergeTable::MergeTable(const GgufArray& merges, const std::string& path)
    : texts_(merges.bytes.data()) {
  if (merges.element_type != GgufType::kString) {
    throw InputError(path + ": tokenizer.ggml.merges is not an array of strings");
  }
  if (merges.count > std::numeric_limits<int32_t>::max() ||
      merges.bytes.size() > std::numeric_limits<uint32_t>::max()) {
    throw InputError(path + ": tokenizer.ggml.merges has " + std::to_string(merges.count) +
                     " entries in " + std::to_string(merges.bytes.size()) +
                     " bytes; below 2^31 entries and 2^32 bytes are allowed");
  }
  const size_t capacity = std::bit_ceil(merges.count + merges.count / 2 + 2);
  slots_.assign(capacity, Slot{});
  mask_ = capacity - 1;
  offsets_.resize(merges.count);
  size_t offset = 0;
  for (uint32_t rank = 0; rank < merges.count; ++rank) {
    offsets_[rank] = static_cast<uint32_t>(offset);
    const std::string_view text = Text(rank);
    offset += 8 + text.size();
    // A left side may itself begin with a space, never be empty.
    const size_t space = text.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == text.size()) {
      throw InputError(path + ": tokenizer.ggml.merges[" + std::to_string(rank) + "] is " +
                       Quote(text) + ", not two texts parted by a space");
    }
    const std::string_view left = text.substr(0, space), right = text.substr(space + 1);
    const uint64_t hash = HashPair(HashText(left), HashText(right));
    const auto tag = static_cast<uint32_t>(hash >> 32);
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      Slot& slot = slots_[i];
      if (slot.rank == kNone) {
        slot = {rank, tag};
        break;
      }
      if (slot.tag == tag && Is(slot.rank, left, right)) break;
    }
  }
}

std::string_view MergeTable::Text(uint32_t rank) const {
  const uint8_t* entry = texts_ + offsets_[rank];
  uint64_t size;
  std::memcpy(&size, entry, sizeof size);
  return {reinterpret_cast<const char*>(entry) + 8, size};
}

}  // namespace smallmind
