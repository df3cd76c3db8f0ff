// Text to token ids and back, chosen and configured by a GGUF's tokenizer.ggml.* metadata.
//
// SentencePiece-style (`llama`: scores, byte fallback) and byte-level BPE (`gpt2`: merges, a
// pre-tokeniser pattern by tokenizer.ggml.pre). Const after construction; safe to share between
// threads. Errors: InputError for a vocabulary that cannot work.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"

namespace smallmind {

using TokenId = int32_t;

struct EncodeOptions {
  bool add_special = true;     // BOS/EOS as the metadata's flags say
  bool parse_special = false;  // recognise special tokens' text ("<|im_end|>") in the input
};

class Tokenizer {
 public:
  // `file` must outlive the tokenizer: token texts are views into its mapping.
  static std::unique_ptr<Tokenizer> Create(const GgufFile& file);
  virtual ~Tokenizer() = default;

  virtual std::vector<TokenId> Encode(std::string_view text,
                                      const EncodeOptions& options) const = 0;
  // The bytes one token stands for; special (control) tokens give "" unless `render_special`.
  // `first` marks the first token of a text or after a special one, where SentencePiece's added
  // space is dropped. InternalError for an id outside the vocabulary.
  virtual std::string Decode(TokenId token, bool first, bool render_special) const = 0;
  // Whole sequence; inverse of Encode for text without special tokens.
  std::string DecodeAll(std::span<const TokenId> tokens, bool render_special = false) const;

  virtual size_t vocab_size() const = 0;
  virtual TokenId bos() const = 0;  // −1 where there is none
  virtual TokenId eos() const = 0;
  virtual bool adds_bos() const = 0;
  // EOS, EOT and their kind: generation stops here.
  virtual bool IsEndOfGeneration(TokenId token) const = 0;
  // Control, unknown and user-defined tokens: the next token is `first` again for Decode.
  virtual bool IsSpecial(TokenId token) const = 0;

  // What the user should know of this vocabulary, one line; empty for nothing.
  const std::string& warning() const { return warning_; }

 protected:
  std::string warning_;
};

// Joins streamed token bytes so that only whole UTF-8 sequences leave (invalid bytes pass through
// at Flush).
class Utf8Joiner {
 public:
  std::string Push(std::string_view bytes);
  std::string Flush();

 private:
  std::string pending_;
};

}  // namespace smallmind
