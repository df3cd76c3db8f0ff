// Linear probing at a load of at most 2/3. A large table's slots are not in the cache: hashes are
// computed and slots prefetched a batch ahead of insertion. Tested by tokenizer_test.cc and
// hostile_vocab_test.cc (duplicates, empty texts).
#include "engine/tokenizer/token_table.h"

#include <algorithm>
#include <array>
#include <bit>

namespace smallmind {
namespace {

constexpr TokenId kBatch = 32;

}  // namespace

TokenTable::TokenTable(const Vocab& vocab, std::initializer_list<TokenType> without)
    : vocab_(&vocab) {
  std::array<bool, 7> left_out{};
  for (const TokenType type : without) left_out[static_cast<size_t>(type)] = true;
  Reserve(vocab.size());
  const auto n = static_cast<TokenId>(vocab.size());
  for (TokenId begin = 0; begin < n; begin += kBatch) {
    uint64_t hashes[kBatch];
    const TokenId count = std::min(kBatch, n - begin);
    for (TokenId i = 0; i < count; ++i) {
      hashes[i] = HashStored(vocab.Text(begin + i));
      __builtin_prefetch(&slots_[hashes[i] & mask_], 1);
    }
    for (TokenId i = 0; i < count; ++i) {
      if (!left_out[static_cast<size_t>(vocab.Type(begin + i))]) Insert(begin + i, hashes[i]);
    }
  }
}

TokenTable::TokenTable(const Vocab& vocab, std::span<const TokenId> ids) : vocab_(&vocab) {
  if (ids.empty()) return;
  Reserve(ids.size());
  for (const TokenId id : ids) Insert(id, HashStored(vocab.Text(id)));
}

void TokenTable::Reserve(size_t count) {
  const size_t capacity = std::bit_ceil(count + count / 2 + 2);
  slots_.assign(capacity, Slot{});
  mask_ = capacity - 1;
}

void TokenTable::Insert(TokenId id, uint64_t hash) {
  const std::string_view text = vocab_->Text(id);
  if (text.empty()) return;
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
