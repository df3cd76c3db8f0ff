// A GGUF's vocabulary as arrays: text, type and score of each token, the ids with a role.
//
// Construction checks the arrays' shapes and the ids; texts are walked (about 10 ns a token) when
// one of them is first asked for, by whichever thread. Texts and types stay where they are mapped;
// what is kept of 32 entries is 4 bytes, because memory first written is the dearest part of a
// start (a page fault: 0.3 to 20 µs). What only encoding needs (hash tables) is built elsewhere, at
// the first Encode. Errors: InputError for missing or misshapen arrays and ids outside the
// vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
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

  size_t size() const { return size_; }
  // Ids must be in range. Steps over up to 31 texts (about 60 ns); for all of them, Texts.
  std::string_view Text(TokenId id) const;
  StringWalk Texts() const { return StringWalk(texts_.bytes.data()); }  // ascending ids
  TokenType Type(TokenId id) const;
  bool has_scores() const { return scores_ != nullptr; }
  float Score(TokenId id) const;
  bool Contains(TokenId id) const { return id >= 0 && static_cast<size_t>(id) < size(); }
  size_t longest_text() const { return index().longest_text; }

  // Control, unknown and user-defined tokens, ascending: text is cut at them before anything else.
  const std::vector<TokenId>& specials() const { return index().specials; }
  bool IsSpecial(TokenId id) const;
  bool IsEndOfGeneration(TokenId id) const;

  // −1 where there is none.
  TokenId bos() const { return bos_; }
  TokenId eos() const { return eos_; }
  TokenId unknown() const { return unknown_; }

  // For messages: the file's path.
  const std::string& path() const { return path_; }

 private:
  // What the walk over all texts finds.
  struct Index {
    std::vector<uint32_t> offsets;           // of every kStride-th text
    std::vector<TokenId> renamed;            // control tokens by their names, ascending
    std::vector<TokenId> specials;           // ascending
    std::vector<TokenId> end_of_generation;  // ascending
    size_t longest_text = 0;
  };
  struct Lazy {
    std::once_flag once;
    Index index;
  };

  void ReadTexts(const GgufFile& file);
  void ReadTypes(const GgufFile& file);
  void ReadScores(const GgufFile& file);
  void ReadRoles(const GgufFile& file);
  TokenId ReadId(const GgufFile& file, std::string_view key, TokenId fallback) const;
  const Index& index() const;
  void WalkTexts(Index& index) const;
  void FindSpecials(Index& index) const;
  TokenType StoredType(size_t i) const;

  static constexpr size_t kStride = 32;

  std::string path_;
  size_t size_ = 0;
  GgufArray texts_;
  GgufArray types_;                  // int32, unaligned; no bytes: see below
  std::vector<int32_t> own_types_;   // stored as other integers; empty: all normal
  const uint8_t* scores_ = nullptr;  // float32 in the mapping, unaligned
  std::vector<TokenId> role_ends_;   // what ends a generation by its role
  TokenId bos_ = -1, eos_ = -1, unknown_ = -1;
  std::unique_ptr<Lazy> lazy_;
};

}  // namespace smallmind
