// A GGUF's vocabulary as arrays: text, type and score of each token, the ids with a role.
//
// One pass over the mapping at construction (about 5 ns a token); texts stay views into the
// mapping, an entry costs 5 bytes here. What only encoding needs (hash tables) is built elsewhere,
// at the first Encode. Errors: InputError for missing or misshapen arrays and ids outside the
// vocabulary.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf.h"
#include "engine/tokenizer/tokenizer.h"

namespace smallmind {

// tokenizer.ggml.token_type's values.
enum class TokenType : uint8_t {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

class Vocab {
 public:
  explicit Vocab(const GgufFile& file);

  size_t size() const { return types_.size(); }
  std::string_view Text(TokenId id) const;  // id must be in range
  TokenType Type(TokenId id) const { return types_[static_cast<size_t>(id)]; }
  bool has_scores() const { return scores_ != nullptr; }
  float Score(TokenId id) const;
  bool Contains(TokenId id) const { return id >= 0 && static_cast<size_t>(id) < size(); }
  size_t longest_text() const { return longest_text_; }

  // Control, unknown and user-defined tokens, ascending: text is cut at them before anything else.
  const std::vector<TokenId>& specials() const { return specials_; }
  bool IsSpecial(TokenId id) const;
  bool IsEndOfGeneration(TokenId id) const;

  // −1 where there is none.
  TokenId bos() const { return bos_; }
  TokenId eos() const { return eos_; }
  TokenId unknown() const { return unknown_; }

  // For messages: the file's path.
  const std::string& path() const { return path_; }

 private:
  void ReadTexts(const GgufFile& file);
  void ReadTypes(const GgufFile& file);
  void ReadScores(const GgufFile& file);
  void ReadRoles(const GgufFile& file);
  TokenId ReadId(const GgufFile& file, std::string_view key, TokenId fallback) const;

  std::string path_;
  const uint8_t* texts_ = nullptr;  // length-prefixed strings in the mapping
  std::vector<uint32_t> offsets_;   // of each length prefix
  std::vector<TokenType> types_;
  const uint8_t* scores_ = nullptr;  // float32 in the mapping, unaligned
  std::vector<TokenId> specials_;
  std::vector<TokenId> end_of_generation_;  // ascending
  size_t longest_text_ = 0;
  TokenId bos_ = -1, eos_ = -1, unknown_ = -1;
};

}  // namespace smallmind
