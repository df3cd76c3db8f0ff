// Filled in batches with prefetch, as TokenTable is. Tested by tokenizer_test.cc (expected ids) and
// hostile_vocab_test.cc (entries that cannot be).
#include "engine/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

constexpr uint32_t kBatch = 32;

}  // namespace

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
  const auto count = static_cast<uint32_t>(merges.count);
  for (uint32_t begin = 0; begin < count; begin += kBatch) {
    Entry batch[kBatch];
    const uint32_t end = std::min(begin + kBatch, count);
    for (uint32_t rank = begin; rank < end; ++rank) {
      offsets_[rank] = static_cast<uint32_t>(offset);
      const std::string_view text = Text(rank);
      offset += 8 + text.size();
      // A left side may itself begin with a space, never be empty.
      const size_t space = text.find(' ', 1);
      if (space == std::string_view::npos || space + 1 == text.size()) {
        throw InputError(path + ": tokenizer.ggml.merges[" + std::to_string(rank) + "] is " +
                         Quote(text) + ", not two texts parted by a space");
      }
      Entry& entry = batch[rank - begin];
      entry.left = text.substr(0, space);
      entry.right = text.substr(space + 1);
      entry.hash = HashPair(HashStored(entry.left), HashStored(entry.right));
      __builtin_prefetch(&slots_[entry.hash & mask_], 1);
    }
    for (uint32_t rank = begin; rank < end; ++rank) Insert(rank, batch[rank - begin]);
  }
}

void MergeTable::Insert(uint32_t rank, const Entry& entry) {
  const auto tag = static_cast<uint32_t>(entry.hash >> 32);
  for (size_t i = entry.hash & mask_;; i = (i + 1) & mask_) {
    Slot& slot = slots_[i];
    if (slot.rank == kNone) {
      slot = {rank, tag};
      return;
    }
    if (slot.tag == tag && Is(slot.rank, entry.left, entry.right)) return;
  }
}

std::string_view MergeTable::Text(uint32_t rank) const {
  return StringWalk(texts_ + offsets_[rank]).Next();
}

}  // namespace smallmind
