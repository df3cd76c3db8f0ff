// Which tokenizer a file needs, and what both share. Tested by tokenizer_test.cc.
#include "engine/tokenizer/tokenizer.h"

#include "engine/base/error.h"
#include "engine/base/quote.h"
#include "engine/tokenizer/bpe_tokenizer.h"
#include "engine/tokenizer/spm_tokenizer.h"

namespace smallmind {

std::unique_ptr<Tokenizer> Tokenizer::Create(const GgufFile& file) {
  if (!file.Has("tokenizer.ggml.model")) {
    throw InputError(file.path() + ": tokenizer.ggml.model is missing: the file has no vocabulary");
  }
  const std::string_view model = file.String("tokenizer.ggml.model");
  if (model == "llama") return std::make_unique<SpmTokenizer>(file, Vocab(file));
  if (model == "gpt2") return std::make_unique<BpeTokenizer>(file, Vocab(file));
  throw InputError(file.path() + ": tokenizer.ggml.model is " + Quote(model) +
                   "; supported are 'llama' (SentencePiece) and 'gpt2' (byte-level BPE)");
}

std::string Tokenizer::DecodeAll(std::span<const TokenId> tokens, bool render_special) const {
  std::string out;
  bool first = true;
  for (const TokenId token : tokens) {
    out += Decode(token, first, render_special);
    first = IsSpecial(token);
  }
  return out;
}

}  // namespace smallmind
