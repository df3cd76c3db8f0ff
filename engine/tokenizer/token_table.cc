// Tested by tokenizer_test.cc and hostile_vocab_test.cc (duplicates, empty texts).
#include "engine/tokenizer/token_table.h"

#include <algorithm>
#include <array>

#include "engine/base/error.h"

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
      if (left_out[static_cast<size_t>(type)]) continue;
      const auto entry = static_cast<uint32_t>(i);
      const std::string_view text = Text(entry);
      if (text.empty()) continue;
      const auto is = [&](uint32_t e) { return Text(e) == text; };
      if (slots_.Insert(entry, hashes[i - begin], is)) continue;
      throw InputError(vocab.path() + ": tokenizer.ggml.tokens: texts are made to collide, token " +
                       std::to_string(i) + "'s among them");
    }
  }
}

}  // namespace smallmind
