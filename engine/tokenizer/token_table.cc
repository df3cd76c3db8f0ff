// Tested by tokenizer_test.cc and hostile_vocab_test.cc (duplicates, empty texts).
#include "engine/tokenizer/token_table.h"

#include <algorithm>
#include <array>

namespace smallmind {

TokenTable::TokenTable(const Vocab& vocab, std::initializer_list<TokenType> without) {
  std::array<bool, 7> left_out{};
  for (const TokenType type : without) left_out[static_cast<size_t>(type)] = true;
  constexpr size_t kBatch = TaggedSlots::kBatch;
  const size_t n = vocab.size();
  slots_ = TaggedSlots(n);
  offsets_.reserve(n);
  StringWalk walk = vocab.Texts();
  texts_ = walk.at();
  for (size_t begin = 0; begin < n; begin += kBatch) {
    uint64_t hashes[kBatch];
    const size_t end = std::min(begin + kBatch, n);
    for (size_t i = begin; i < end; ++i) {
      offsets_.push_back(static_cast<uint32_t>(walk.at() - texts_));
      const uint64_t hash = HashStored(walk.Next());
      hashes[i - begin] = hash;
      slots_.Prefetch(hash);
    }
    for (size_t i = begin; i < end; ++i) {
      const TokenType type = vocab.Type(static_cast<TokenId>(i));
      if (!left_out[static_cast<size_t>(type)]) Insert(static_cast<uint32_t>(i), hashes[i - begin]);
    }
  }
}

void TokenTable::Insert(uint32_t entry, uint64_t hash) {
  const std::string_view text = Text(entry);
  if (!text.empty()) slots_.Insert(entry, hash, [&](uint32_t e) { return Text(e) == text; });
}

}  // namespace smallmind
