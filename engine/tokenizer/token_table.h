// Text -> token id: open addressing over views into the mapping, 4 bytes a slot and 4 an entry.
//
// A slot holds an entry's number and as many bits of the hash as are left (14 with 150,000 tokens);
// texts are compared only where those agree, so a miss almost never touches the mapping. Of equal
// texts the first entry wins.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "engine/tokenizer/text_hash.h"
#include "engine/tokenizer/vocab.h"

namespace smallmind {

class TokenTable {
 public:
  TokenTable() = default;
  // All tokens but those of some types, or only `ids`; empty texts are left out. `vocab`'s file
  // must outlive the table.
  TokenTable(const Vocab& vocab, std::initializer_list<TokenType> without);
  TokenTable(const Vocab& vocab, std::span<const TokenId> ids);

  bool empty() const { return slots_.empty(); }
  // −1 where no token has this text.
  TokenId Find(std::string_view text) const { return Find(text, HashText(text)); }
  TokenId Find(std::string_view text, uint64_t hash) const {
    if (slots_.empty()) return -1;
    const uint32_t tag = Tag(hash);
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const uint32_t slot = slots_[i];
      if (slot == kFree) return -1;
      const uint32_t entry = slot & entry_mask_;
      if ((slot & ~entry_mask_) == tag && Text(entry) == text) {
        return ids_.empty() ? static_cast<TokenId>(entry) : ids_[entry];
      }
    }
  }

 private:
  static constexpr uint32_t kFree = 0xffffffff;  // an entry of all ones: there is none

  void Reserve(size_t count);
  void Insert(uint32_t entry, uint64_t hash);
  uint32_t Tag(uint64_t hash) const { return static_cast<uint32_t>(hash >> 32) & ~entry_mask_; }
  std::string_view Text(uint32_t entry) const {
    return StringWalk(texts_ + offsets_[entry]).Next();
  }

  const uint8_t* texts_ = nullptr;  // the vocabulary's
  std::vector<uint32_t> offsets_;   // [entries] in texts_
  std::vector<TokenId> ids_;        // [entries]; empty: an entry's number is its id
  std::vector<uint32_t> slots_;
  uint32_t entry_mask_ = 0;  // an entry's bits in a slot; the others are the tag's
  size_t mask_ = 0;
};

}  // namespace smallmind
