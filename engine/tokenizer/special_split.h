// Cuts a text at its special tokens: control and unknown ones only where asked, user-defined ones
// always.
//
// Where matches overlap the longest token wins, then the leftmost; the text between goes on to the
// tokenizer proper. Cost: at a byte that some special token begins with, one search step for each
// further byte that some token still agrees on; where tokens overlap, one comparison more for each
// length that special tokens have. Errors: InputError for a special token of more than 512 bytes,
// which bounds both.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/tokenizer/vocab.h"

namespace smallmind {

// A piece of text (token < 0) or one special token; views into the text given to Split.
struct Fragment {
  std::string_view text;
  TokenId token = -1;
};

class SpecialSplitter {
 public:
  SpecialSplitter() = default;
  // `rstrip`: white space after a special token belongs to it (a quirk of some models' tokens).
  SpecialSplitter(const Vocab& vocab, bool with_control, std::vector<TokenId> rstrip);

  std::vector<Fragment> Split(std::string_view text) const;

 private:
  struct Special {
    std::string_view text;
    TokenId id;
    int32_t prefix;  // the longest other token that this one begins with, by its place; −1: none
  };

  // The place in specials_ of the longest token at text[at…]; −1 where there is none.
  int32_t LongestAt(std::string_view text, size_t at) const;
  std::vector<Fragment> SplitCluster(std::string_view cluster) const;
  void Strip(std::vector<Fragment>& fragments) const;

  std::vector<Special> specials_;         // by text
  std::array<uint32_t, 257> first_ = {};  // of those that begin with byte b, to first_[b + 1]
  std::vector<uint32_t> lengths_;         // of all, descending
  std::vector<TokenId> rstrip_;           // ascending
};

}  // namespace smallmind
