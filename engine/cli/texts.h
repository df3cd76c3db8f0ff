// Built-in prose: what `bench` reads and what `profile` trains on. The two never share a sentence,
// so that a PGO build is not measured on the text that it was trained with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace smallmind {

std::string_view EvaluationText();
std::string_view TrainingText();

// The first n tokens of `text` repeated as often as needed, BOS first where the model wants one. n
// ≥ 1.
std::vector<TokenId> PromptTokens(const Tokenizer& tokenizer, std::string_view text, size_t n);

}  // namespace smallmind
