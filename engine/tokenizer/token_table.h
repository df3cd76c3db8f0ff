// Text -> token id: open addressing over views into the mapping, 8 bytes a slot.
//
// A slot holds an id and 32 bits of the hash; texts are compared only where those bits agree, so a
// miss almost never touches the mapping. Of equal texts the lowest id wins.
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
  // All tokens but those of some types, or only `ids`; empty texts are left out. `vocab` must
  // outlive the table.
  TokenTable(const Vocab& vocab, std::initializer_list<TokenType> without);
  TokenTable(const Vocab& vocab, std::span<const TokenId> ids);

  bool empty() const { return slots_.empty(); }
  // −1 where no token has this text.
  TokenId Find(std::string_view text) const { return Find(text, HashText(text)); }
  TokenId Find(std::string_view text, uint64_t hash) const {
    if (slots_.empty()) return -1;
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Slot slot = slots_[i];
      if (slot.id < 0) return -1;
      if (slot.tag == static_cast<uint32_t>(hash >> 32) && vocab_->Text(slot.id) == text) {
        return slot.id;
      }
    }
  }

 private:
  struct Slot {
    TokenId id = -1;
    uint32_t tag = 0;
  };
  void Reserve(size_t count);
  void Insert(TokenId id, uint64_t hash);

  const Vocab* vocab_ = nullptr;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
};

}  // namespace smallmind
