// The string array is length-prefixed, so its texts are found by walking it once, at first use;
// everything else is read in place. Some converters give end-of-turn tokens the type "normal";
// their names are known and they are treated as control tokens, or their text in a prompt would be
// spelled out. Tested by tokenizer_test.cc and hostile_vocab_test.cc.
#include "engine/tokenizer/vocab.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <limits>

#include "engine/base/error.h"

namespace smallmind {
namespace {

// Texts that end a turn or a document in some model family, whatever the metadata says of them.
constexpr std::array<std::string_view, 24> kEndOfGeneration = {
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
    "<fim_pad>",
    "<PAD>",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<reponame>",
    "<REPO>",
    "<|file_sep|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
};

// Fill-in-the-middle markers: control tokens, but generation goes on.
constexpr std::array<std::string_view, 18> kMarkers = {
    "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>",
    "<PRE>",          "\u2581<PRE>",  "<\uff5cfim\u2581begin\uff5c>",
    "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>",
    "<SUF>",          "\u2581<SUF>",  "<\uff5cfim\u2581hole\uff5c>",
    "<|fim_middle|>", "<fim-middle>", "<fim_middle>",
    "<MID>",          "\u2581<MID>",  "<\uff5cfim\u2581end\uff5c>",
};

// Of the names above, and of few other tokens.
bool BeginsLikeAName(std::string_view text) {
  return text.starts_with('<') || text.starts_with("_<") || text.starts_with("\u2581<");
}

TokenType ToType(int32_t value) {
  return value >= 0 && value <= 6 ? static_cast<TokenType>(value) : TokenType::kUndefined;
}

bool IsSpecialType(TokenType type) {
  return type == TokenType::kControl || type == TokenType::kUserDefined ||
         type == TokenType::kUnknown;
}

template <size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

}  // namespace

Vocab::Vocab(const GgufFile& file) : path_(file.path()), lazy_(std::make_unique<Lazy>()) {
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
  texts_ = *tokens;
  size_ = tokens->count;
}

const Vocab::Index& Vocab::index() const {
  std::call_once(lazy_->once, [this] {
    WalkTexts(lazy_->index);
    FindSpecials(lazy_->index);
  });
  return lazy_->index;
}

void Vocab::WalkTexts(Index& index) const {
  index.offsets.reserve((size_ + kStride - 1) / kStride);
  std::vector<TokenId>& ends = index.end_of_generation;
  ends = role_ends_;
  constexpr size_t kLongestName = 32;
  StringStream stream(texts_);
  for (size_t i = 0; i < size_; ++i) {
    if (i % kStride == 0) index.offsets.push_back(static_cast<uint32_t>(stream.offset()));
    const std::string_view text = stream.Next();
    index.longest_text = std::max(index.longest_text, text.size());
    if (text.size() > kLongestName || !BeginsLikeAName(text)) continue;
    const auto id = static_cast<TokenId>(i);
    const bool ending = IsOneOf(text, kEndOfGeneration);
    if (ending) ends.push_back(id);
    if (ending || IsOneOf(text, kMarkers)) index.renamed.push_back(id);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
}

std::string_view Vocab::Text(TokenId id) const {
  const auto i = static_cast<size_t>(id);
  StringWalk walk(texts_.bytes.data() + index().offsets[i / kStride]);
  for (size_t step = i % kStride; step > 0; --step) walk.Next();
  return walk.Next();
}

void Vocab::ReadTypes(const GgufFile& file) {
  const GgufArray* array = file.Array("tokenizer.ggml.token_type");
  if (array == nullptr) return;
  if (array->count != size()) {
    throw InputError(path_ + ": tokenizer.ggml.token_type has " + std::to_string(array->count) +
                     " entries, tokenizer.ggml.tokens has " + std::to_string(size()));
  }
  if (array->element_type == GgufType::kI32 || array->element_type == GgufType::kU32) {
    types_ = *array;
  } else {
    own_types_ = array->Ints();
  }
}

TokenType Vocab::StoredType(size_t i) const {
  int32_t value = static_cast<int32_t>(TokenType::kNormal);
  if (!types_.bytes.empty()) {
    std::memcpy(&value, types_.bytes.data() + 4 * i, sizeof value);
  } else if (!own_types_.empty()) {
    value = own_types_[i];
  }
  return ToType(value);
}

TokenType Vocab::Type(TokenId id) const {
  const std::vector<TokenId>& renamed = index().renamed;
  const bool is_renamed = std::binary_search(renamed.begin(), renamed.end(), id);
  return is_renamed ? TokenType::kControl : StoredType(static_cast<size_t>(id));
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
    if (id >= 0) role_ends_.push_back(id);
  }
  if (eos_ >= 0) role_ends_.push_back(eos_);
}

void Vocab::FindSpecials(Index& index) const {
  std::vector<TokenId> stored;
  const auto add = [&](size_t i, int32_t type) {
    if (IsSpecialType(ToType(type))) stored.push_back(static_cast<TokenId>(i));
  };
  for (size_t i = 0; i < own_types_.size(); ++i) add(i, own_types_[i]);
  ForwardWindow window(types_.bytes, types_.mapped);
  for (size_t i = 0; i < types_.bytes.size() / 4; ++i) {
    const std::span<const uint8_t> bytes = window.At(4 * i, 4);
    int32_t type = 0;
    if (bytes.size() == 4) std::memcpy(&type, bytes.data(), 4);
    add(i, type);
  }
  std::set_union(stored.begin(), stored.end(), index.renamed.begin(), index.renamed.end(),
                 std::back_inserter(index.specials));
}

bool Vocab::IsSpecial(TokenId id) const { return IsSpecialType(Type(id)); }

bool Vocab::IsEndOfGeneration(TokenId id) const {
  const std::vector<TokenId>& ends = index().end_of_generation;
  return std::binary_search(ends.begin(), ends.end(), id);
}

}  // namespace smallmind
