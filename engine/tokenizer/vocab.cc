// The string array is length-prefixed, so its offsets are found by walking it once; everything else
// is read in place. Some converters give end-of-turn tokens the type "normal"; their names are
// known and they are treated as control tokens, or their text in a prompt would be spelled out.
// Tested by tokenizer_test.cc and hostile_vocab_test.cc.
#include "engine/tokenizer/vocab.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "engine/base/error.h"

namespace smallmind {
namespace {

// Texts that end a turn or a document in some model family, whatever the metadata says of them.
constexpr std::array<std::string_view, 20> kEndOfGeneration = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<|fim_pad|>",
    "<fim-pad>",
    "<PAD>",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
};

// Fill-in-the-middle markers: control tokens, but generation goes on.
constexpr std::array<std::string_view, 12> kMarkers = {
    "<|fim_prefix|>", "<fim-prefix>", "<PRE>", "<\uff5cfim\u2581begin\uff5c>",
    "<|fim_suffix|>", "<fim-suffix>", "<SUF>", "<\uff5cfim\u2581hole\uff5c>",
    "<|fim_middle|>", "<fim-middle>", "<MID>", "<\uff5cfim\u2581end\uff5c>",
};

template <size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

uint64_t LoadU64(const uint8_t* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

}  // namespace

Vocab::Vocab(const GgufFile& file) : path_(file.path()) {
  ReadTexts(file);
  ReadTypes(file);
  ReadScores(file);
  ReadRoles(file);
}

void Vocab::ReadTexts(const GgufFile& file) {
  const GgufArray* tokens = file.Array("tokenizer.ggml.tokens");
  if (tokens == nullptr) throw InputError(path_ + ": tokenizer.ggml.tokens is missing");
  if (tokens->element_type != GgufType::kString) {
    throw InputError(path_ + ": tokenizer.ggml.tokens is not an array of strings");
  }
  if (tokens->count == 0) throw InputError(path_ + ": tokenizer.ggml.tokens is empty");
  if (tokens->count > std::numeric_limits<TokenId>::max() ||
      tokens->bytes.size() > std::numeric_limits<uint32_t>::max()) {
    throw InputError(path_ + ": tokenizer.ggml.tokens has " + std::to_string(tokens->count) +
                     " entries in " + std::to_string(tokens->bytes.size()) +
                     " bytes; below 2^31 entries and 2^32 bytes are allowed");
  }
  texts_ = tokens->bytes.data();
  offsets_.resize(tokens->count);
  size_t offset = 0;
  for (uint32_t& entry : offsets_) {
    entry = static_cast<uint32_t>(offset);
    const size_t size = LoadU64(texts_ + offset);
    longest_text_ = std::max(longest_text_, size);
    offset += 8 + size;
  }
}

std::string_view Vocab::Text(TokenId id) const {
  const uint8_t* entry = texts_ + offsets_[static_cast<size_t>(id)];
  return {reinterpret_cast<const char*>(entry) + 8, LoadU64(entry)};
}

void Vocab::ReadTypes(const GgufFile& file) {
  const size_t n = offsets_.size();
  types_.assign(n, TokenType::kNormal);
  const GgufArray* array = file.Array("tokenizer.ggml.token_type");
  if (array == nullptr) return;
  if (array->count != n) {
    throw InputError(path_ + ": tokenizer.ggml.token_type has " + std::to_string(array->count) +
                     " entries, tokenizer.ggml.tokens has " + std::to_string(n));
  }
  const auto known = [](int64_t value) {
    return value >= 0 && value <= 6 ? static_cast<TokenType>(value) : TokenType::kUndefined;
  };
  if (array->element_type == GgufType::kI32 || array->element_type == GgufType::kU32) {
    for (size_t i = 0; i < n; ++i) {
      uint32_t value;
      std::memcpy(&value, array->bytes.data() + 4 * i, 4);
      types_[i] = known(value);
    }
  } else {
    const std::vector<int32_t> values = array->Ints();
    for (size_t i = 0; i < n; ++i) types_[i] = known(values[i]);
  }
}

void Vocab::ReadScores(const GgufFile& file) {
  const GgufArray* array = file.Array("tokenizer.ggml.scores");
  if (array == nullptr) return;
  if (array->element_type != GgufType::kF32 || array->count != size()) {
    throw InputError(path_ + ": tokenizer.ggml.scores must be " + std::to_string(size()) +
                     " float32 values, found " + std::to_string(array->count) + " of type " +
                     std::to_string(static_cast<uint32_t>(array->element_type)));
  }
  scores_ = array->bytes.data();
}

float Vocab::Score(TokenId id) const {
  float value;
  std::memcpy(&value, scores_ + 4 * static_cast<size_t>(id), 4);
  return value;
}

TokenId Vocab::ReadId(const GgufFile& file, std::string_view key, TokenId fallback) const {
  if (!file.Has(key)) return Contains(fallback) ? fallback : -1;
  const uint64_t id = file.Uint(key);
  if (id == std::numeric_limits<uint32_t>::max()) return -1;  // written for "none"
  if (id >= size()) {
    throw InputError(path_ + ": " + std::string(key) + " is " + std::to_string(id) +
                     ", the vocabulary has " + std::to_string(size()) + " tokens");
  }
  return static_cast<TokenId>(id);
}

void Vocab::ReadRoles(const GgufFile& file) {
  // SentencePiece's own defaults; a byte-level vocabulary without the keys has no such tokens.
  const bool sentencepiece = file.String("tokenizer.ggml.model", "") == "llama";
  unknown_ = ReadId(file, "tokenizer.ggml.unknown_token_id", sentencepiece ? 0 : -1);
  bos_ = ReadId(file, "tokenizer.ggml.bos_token_id", sentencepiece ? 1 : -1);
  eos_ = ReadId(file, "tokenizer.ggml.eos_token_id", sentencepiece ? 2 : -1);
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                          "tokenizer.ggml.eom_token_id"}) {
    const TokenId id = ReadId(file, key, -1);
    if (id >= 0) end_of_generation_.push_back(id);
  }
  if (eos_ >= 0) end_of_generation_.push_back(eos_);

  constexpr size_t kLongestName = 32;
  for (size_t i = 0; i < size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const uint8_t* entry = texts_ + offsets_[i];
    const uint8_t head = LoadU64(entry) == 0 ? 0 : entry[8];
    if (head == '<' || head == '_') {
      const std::string_view text = Text(id);
      if (text.size() <= kLongestName) {
        if (IsOneOf(text, kEndOfGeneration)) {
          end_of_generation_.push_back(id);
          types_[i] = TokenType::kControl;
        } else if (IsOneOf(text, kMarkers)) {
          types_[i] = TokenType::kControl;
        }
      }
    }
    if (IsSpecial(id)) specials_.push_back(id);
  }
  std::sort(end_of_generation_.begin(), end_of_generation_.end());
  end_of_generation_.erase(std::unique(end_of_generation_.begin(), end_of_generation_.end()),
                           end_of_generation_.end());
}

bool Vocab::IsSpecial(TokenId id) const {
  const TokenType type = Type(id);
  return type == TokenType::kControl || type == TokenType::kUserDefined ||
         type == TokenType::kUnknown;
}

bool Vocab::IsEndOfGeneration(TokenId id) const {
  return std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), id);
}

}  // namespace smallmind
