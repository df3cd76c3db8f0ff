// Byte-level BPE: a pre-tokeniser cuts words, pairs inside a word merge by rank.
//
// Any byte string can be encoded: bytes that are not UTF-8 count as one symbol character each for
// the pre-tokeniser and keep their value. Source: Sennrich et al. 2016; GPT-2's byte alphabet.
// Errors: InputError for an unknown tokenizer.ggml.pre and for missing merges at once, for a
// malformed merge at the first Encode.
#pragma once

#include <array>
#include <mutex>

#include "engine/tokenizer/merge_table.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/pretokenizer_table.h"
#include "engine/tokenizer/special_split.h"
#include "engine/tokenizer/token_table.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocab.h"

namespace smallmind {

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(const GgufFile& file, Vocab vocab);

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
    MergeTable merges;
    std::array<uint64_t, 256> byte_hashes;  // HashText of each byte's character
    SpecialSplitter user_defined, specials;
  };
  const Tables& EncodeTables() const;
  class Encoder;

  Vocab vocab_;
  GgufArray merges_;
  const PreTokenizerRow* row_;
  PreTokenizer pretokenizer_;
  bool add_bos_, add_eos_;
  std::vector<TokenId> rstrip_;
  mutable std::once_flag once_;
  mutable Tables tables_;
};

}  // namespace smallmind
