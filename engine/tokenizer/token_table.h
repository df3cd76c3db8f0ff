// Text -> token id, over texts that stay in the mapping: 4 bytes a slot and 4 a token. Of equal
// texts the first token wins. Errors: InputError for texts made to collide.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "engine/tokenizer/tagged_slots.h"
#include "engine/tokenizer/text_hash.h"
#include "engine/tokenizer/vocab.h"

namespace smallmind {

class TokenTable {
 public:
  TokenTable() = default;
  // All tokens but those of some types; empty texts are left out. `vocab`'s file must outlive the
  // table.
  TokenTable(const Vocab& vocab, std::initializer_list<TokenType> without);

  // −1 where no token has this text.
  TokenId Find(std::string_view text) const { return Find(text, HashText(text)); }
  TokenId Find(std::string_view text, uint64_t hash) const {
    const uint32_t entry = slots_.Find(hash, [&](uint32_t e) { return Text(e) == text; });
    return entry == TaggedSlots::kNone ? -1 : static_cast<TokenId>(entry);
  }

 private:
  std::string_view Text(uint32_t entry) const {
    return StringWalk(texts_ + offsets_[entry]).Next();
  }

  const uint8_t* texts_ = nullptr;  // the vocabulary's
  std::vector<uint32_t> offsets_;   // [tokens] in texts_
  TaggedSlots slots_;
};

}  // namespace smallmind
