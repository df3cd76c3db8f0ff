// (left text, right text) -> rank of the merge, over the merges array in the mapping.
//
// Keyed by texts rather than ids, so building it hashes each merge once and looks up no token. 4
// bytes a slot and 4 a merge. Of equal merges the first wins. Errors: InputError for an entry
// without the space that parts left from right, and for texts made to collide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/tokenizer/tagged_slots.h"
#include "engine/tokenizer/text_hash.h"

namespace smallmind {

class MergeTable {
 public:
  static constexpr uint32_t kNone = TaggedSlots::kNone;

  MergeTable() = default;
  // `merges` is an array of strings in a mapping that outlives the table; `path` is for messages.
  MergeTable(const GgufArray& merges, const std::string& path);

  // `hash` is HashPair of the texts' HashText; kNone where they do not merge.
  uint32_t Find(std::string_view left, std::string_view right, uint64_t hash) const {
    return slots_.Find(hash, [&](uint32_t rank) { return Is(rank, left, right); });
  }

 private:
  struct Entry {
    std::string_view left, right;
    uint64_t hash;
  };
  std::string_view Text(uint32_t rank) const { return StringWalk(texts_ + offsets_[rank]).Next(); }
  bool Is(uint32_t rank, std::string_view left, std::string_view right) const {
    const std::string_view text = Text(rank);
    return text.size() == left.size() + right.size() + 1 && text[left.size()] == ' ' &&
           text.substr(0, left.size()) == left && text.substr(left.size() + 1) == right;
  }

  const uint8_t* texts_ = nullptr;
  std::vector<uint32_t> offsets_;
  TaggedSlots slots_;
};

}  // namespace smallmind
