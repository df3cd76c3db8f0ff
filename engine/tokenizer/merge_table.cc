// Filled in batches with prefetch, as TokenTable is. Tested by tokenizer_test.cc (expected ids) and
// hostile_vocab_test.cc (entries that cannot be).
#include "engine/tokenizer/merge_table.h"

#include <algorithm>
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
  constexpr uint32_t kBatch = TaggedSlots::kBatch;
  slots_ = TaggedSlots(merges.count);
  offsets_.reserve(merges.count);
  StringWalk walk(texts_);
  const auto count = static_cast<uint32_t>(merges.count);
  for (uint32_t begin = 0; begin < count; begin += kBatch) {
    Entry batch[kBatch];
    const uint32_t end = std::min(begin + kBatch, count);
    for (uint32_t rank = begin; rank < end; ++rank) {
      offsets_.push_back(static_cast<uint32_t>(walk.at() - texts_));
      const std::string_view text = walk.Next();
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
      slots_.Prefetch(entry.hash);
    }
    for (uint32_t rank = begin; rank < end; ++rank) {
      const Entry& entry = batch[rank - begin];
      const auto is = [&](uint32_t r) { return Is(r, entry.left, entry.right); };
      if (slots_.Insert(rank, entry.hash, is)) continue;
      throw InputError(path + ": tokenizer.ggml.merges: texts are made to collide, merges[" +
                       std::to_string(rank) + "]'s among them");
    }
  }
}

}  // namespace smallmind
