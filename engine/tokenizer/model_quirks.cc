// Tested by tokenizer_test.cc on the phi-3 vocabulary.
#include "engine/tokenizer/model_quirks.h"

#include <algorithm>
#include <string>

#include "engine/base/error.h"

namespace smallmind {

std::vector<TokenId> RightStrippedTokens(const GgufFile& file, const Vocab& vocab) {
  std::string name(file.String("general.name", ""));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::vector<TokenId> ids;
  if (name.find("phi-3") == std::string::npos && name.find("phi3") == std::string::npos) return ids;
  for (const TokenId id : vocab.specials()) {
    const std::string_view text = vocab.Text(id);
    if (text != "<unk>" && text != "<s>" && text != "<|endoftext|>") ids.push_back(id);
  }
  return ids;
}

void CheckTextSize(std::string_view text) {
  constexpr size_t kMostBytes = size_t{1} << 30;
  if (text.size() > kMostBytes) {
    throw InputError("text of " + std::to_string(text.size()) + " bytes; at most " +
                     std::to_string(kMostBytes) + " can be tokenised at once");
  }
}

void CheckTokenId(TokenId token, size_t vocab_size) {
  if (token < 0 || static_cast<size_t>(token) >= vocab_size) {
    throw InternalError("token id " + std::to_string(token) + " is outside the vocabulary of " +
                        std::to_string(vocab_size));
  }
}

}  // namespace smallmind
