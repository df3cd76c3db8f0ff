// SentencePiece-style tokenizer: pairs merge by the score of what they make; bytes for what has no
// token.
//
// Spaces are written ▁ (U+2581); a text begins with one where tokenizer.ggml.add_space_prefix says
// so (default), again after each special token. Source: SentencePiece's BPE encoder (Kudo &
// Richardson 2018).
#pragma once

#include <array>
#include <bitset>
#include <mutex>
#include <string>

#include "engine/tokenizer/special_split.h"
#include "engine/tokenizer/token_table.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocab.h"
#include "engine/tokenizer/word_cache.h"

namespace smallmind {

class SpmTokenizer final : public Tokenizer {
 public:
  SpmTokenizer(const GgufFile& file, Vocab vocab);

  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options) const override;
  std::string Decode(TokenId token, bool first, bool render_special) const override;
  size_t vocab_size() const override { return vocab_.size(); }
  TokenId bos() const override { return vocab_.bos(); }
  TokenId eos() const override { return vocab_.eos(); }
  bool adds_bos() const override { return add_bos_; }
  bool IsEndOfGeneration(TokenId token) const override { return vocab_.IsEndOfGeneration(token); }
  bool IsSpecial(TokenId token) const override {
    return vocab_.Contains(token) && vocab_.IsSpecial(token);
  }

 private:
  // Needed by Encode alone; built at its first call.
  struct Tables {
    TokenTable tokens;
    std::array<TokenId, 256> bytes;  // token of each byte, −1 where there is none
    SpecialSplitter user_defined, specials;
    // joins[last << 8 | first]: some token holds a character that ends in byte `last` right before
    // one that begins with `first` (▁ counts as 0x20).
    std::bitset<65536> joins;
  };
  const Tables& EncodeTables() const;
  void BuildTables() const;
  std::string Escape(std::string_view text, bool prefix) const;
  class Encoder;

  Vocab vocab_;
  bool add_bos_, add_eos_, add_space_prefix_;
  std::vector<TokenId> rstrip_;
  mutable std::once_flag once_;
  mutable Tables tables_;
};

}  // namespace smallmind
