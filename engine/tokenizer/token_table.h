// Text -> token id, over texts that stay in the mapping: 4 bytes a slot and 4 an entry. Of equal
// texts the first entry wins.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "engine/tokenizer/tagged_slots.h"
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
    const uint32_t entry = slots_.Find(hash, [&](uint32_t e) { return Text(e) == text; });
    if (entry == TaggedSlots::kNone) return -1;
    return ids_.empty() ? static_cast<TokenId>(entry) : ids_[entry];
  }

 private:
  void Insert(uint32_t entry, uint64_t hash);
  std::string_view Text(uint32_t entry) const {
    return StringWalk(texts_ + offsets_[entry]).Next();
  }

  const uint8_t* texts_ = nullptr;  // the vocabulary's
  std::vector<uint32_t> offsets_;   // [entries] in texts_
  std::vector<TokenId> ids_;        // [entries]; empty: an entry's number is its id
  TaggedSlots slots_;
};

}  // namespace smallmind
