// Linear probing at a load of at most 2/3. A large table's slots are not in the cache: hashes are
// computed and slots prefetched a batch ahead of insertion. Tested by tokenizer_test.cc and
// hostile_vocab_test.cc (duplicates, empty texts).
#include "engine/tokenizer/token_table.h"

#include <algorithm>
#include <array>
#include <bit>

namespace smallmind {
namespace {

constexpr size_t kBatch = 32;

}  // namespace

TokenTable::TokenTable(const Vocab& vocab, std::initializer_list<TokenType> without) {
  std::array<bool, 7> left_out{};
  for (const TokenType type : without) left_out[static_cast<size_t>(type)] = true;
  const size_t n = vocab.size();
  Reserve(n);
  StringWalk walk = vocab.Texts();
  texts_ = walk.at();
  for (size_t begin = 0; begin < n; begin += kBatch) {
    uint64_t hashes[kBatch];
    const size_t end = std::min(begin + kBatch, n);
    for (size_t i = begin; i < end; ++i) {
      offsets_.push_back(static_cast<uint32_t>(walk.at() - texts_));
      const uint64_t hash = HashStored(walk.Next());
      hashes[i - begin] = hash;
      __builtin_prefetch(&slots_[hash & mask_], 1);
    }
    for (size_t i = begin; i < end; ++i) {
      const TokenType type = vocab.Type(static_cast<TokenId>(i));
      if (!left_out[static_cast<size_t>(type)]) Insert(static_cast<uint32_t>(i), hashes[i - begin]);
    }
  }
}

TokenTable::TokenTable(const Vocab& vocab, std::span<const TokenId> ids)
    : texts_(vocab.Texts().at()), ids_(ids.begin(), ids.end()) {
  if (ids.empty()) return;
  Reserve(ids.size());
  for (uint32_t entry = 0; entry < ids.size(); ++entry) {
    const std::string_view text = vocab.Text(ids[entry]);
    const auto* stored = reinterpret_cast<const uint8_t*>(text.data()) - sizeof(uint64_t);
    offsets_.push_back(static_cast<uint32_t>(stored - texts_));
    Insert(entry, HashStored(text));
  }
}

void TokenTable::Reserve(size_t count) {
  const size_t capacity = std::bit_ceil(count + count / 2 + 2);
  offsets_.reserve(count);
  slots_.assign(capacity, kFree);
  mask_ = capacity - 1;
  entry_mask_ = (uint32_t{1} << std::bit_width(count)) - 1;
}

void TokenTable::Insert(uint32_t entry, uint64_t hash) {
  const std::string_view text = Text(entry);
  if (text.empty()) return;
  const uint32_t tag = Tag(hash);
  for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
    const uint32_t slot = slots_[i];
    if (slot == kFree) {
      slots_[i] = tag | entry;
      return;
    }
    if ((slot & ~entry_mask_) == tag && Text(slot & entry_mask_) == text) return;
  }
}

}  // namespace smallmind
