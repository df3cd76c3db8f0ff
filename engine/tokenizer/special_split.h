// Cuts a text at its special tokens: control and unknown ones only where asked, user-defined ones
// always.
//
// Where matches overlap the longest token wins, then the leftmost; the text between goes on to the
// tokenizer proper. Cost: one table look-up per byte that some special token begins with.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/tokenizer/token_table.h"
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
  // Longest special token at text[at…]; −1 where there is none.
  TokenId LongestAt(std::string_view text, size_t at) const;
  std::vector<Fragment> SplitCluster(std::string_view cluster) const;
  void Strip(std::vector<Fragment>& fragments) const;

  const Vocab* vocab_ = nullptr;
  TokenTable table_;
  std::array<std::vector<uint32_t>, 256> lengths_;  // by first byte, descending
  std::vector<uint32_t> all_lengths_;               // descending
  std::vector<TokenId> rstrip_;                     // ascending
};

}  // namespace smallmind
