// (left text, right text) -> rank of the merge: open addressing over the merges array in the
// mapping.
//
// Keyed by texts rather than ids, so building it hashes each merge once and looks up no token. 8
// bytes a slot and 4 a merge. Of equal merges the first wins. Errors: InputError for an entry
// without the space that parts left from right.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/tokenizer/text_hash.h"

namespace smallmind {

class MergeTable {
 public:
  static constexpr uint32_t kNone = 0xffffffffu;

  MergeTable() = default;
  // `merges` is an array of strings in a mapping that outlives the table; `path` is for messages.
  MergeTable(const GgufArray& merges, const std::string& path);

  // `hash` is HashPair of the texts' HashText; kNone where they do not merge.
  uint32_t Find(std::string_view left, std::string_view right, uint64_t hash) const {
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Slot slot = slots_[i];
      if (slot.rank == kNone) return kNone;
      if (slot.tag == static_cast<uint32_t>(hash >> 32) && Is(slot.rank, left, right)) {
        return slot.rank;
      }
    }
  }

 private:
  struct Slot {
    uint32_t rank = kNone;
    uint32_t tag = 0;
  };
  struct Entry {
    std::string_view left, right;
    uint64_t hash;
  };
  void Insert(uint32_t rank, const Entry& entry);
  std::string_view Text(uint32_t rank) const;
  bool Is(uint32_t rank, std::string_view left, std::string_view right) const {
    const std::string_view text = Text(rank);
    return text.size() == left.size() + right.size() + 1 && text[left.size()] == ' ' &&
           text.substr(0, left.size()) == left && text.substr(left.size() + 1) == right;
  }

  const uint8_t* texts_ = nullptr;
  std::vector<uint32_t> offsets_;
  std::vector<Slot> slots_ = std::vector<Slot>(1);
  size_t mask_ = 0;
};

}  // namespace smallmind
