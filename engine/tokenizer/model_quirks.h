// Behaviour that GGUF metadata does not carry and readers know by the model's name; limits common
// to both tokenizers.
#pragma once

#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/tokenizer/vocab.h"

namespace smallmind {

// Special tokens that swallow the white space after them, ascending: phi-3's.
std::vector<TokenId> RightStrippedTokens(const GgufFile& file, const Vocab& vocab);

// Offsets are 32 bits wide and escaping may triple a text: InputError past 1 GiB.
void CheckTextSize(std::string_view text);
// InternalError: ids come from our own sampler or were checked on the way in.
void CheckTokenId(TokenId token, size_t vocab_size);

}  // namespace smallmind
