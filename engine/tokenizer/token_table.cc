// Linear probing at a load of at most 2/3. Tested by tokenizer_test.cc (duplicates, misses).
#include "engine/tokenizer/token_table.h"

#include <bit>

namespace smallmind {

TokenTable::TokenTable(const Vocab& vocab) : vocab_(&vocab) {
  Reserve(vocab.size());
  for (size_t i = 0; i < vocab.size(); ++i) Insert(static_cast<TokenId>(i));
}

TokenTable::TokenTable(const Vocab& vocab, std::span<const TokenId> ids) : vocab_(&vocab) {
  if (ids.empty()) return;
  Reserve(ids.size());
  for (const TokenId id : ids) Insert(id);
}

void TokenTable::Reserve(size_t count) {
  const size_t capacity = std::bit_ceil(count + count / 2 + 2);
  slots_.assign(capacity, Slot{});
  mask_ = capacity - 1;
}

void TokenTable::Insert(TokenId id) {
  const std::string_view text = vocab_->Text(id);
  if (text.empty()) return;
  const uint64_t hash = HashText(text);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
    Slot& slot = slots_[i];
    if (slot.id < 0) {
      slot = {id, tag};
      return;
    }
    if (slot.tag == tag && vocab_->Text(slot.id) == text) return;
  }
}

}  // namespace smallmind
