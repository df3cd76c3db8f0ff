// Learns merges from weighted words, as byte-pair encoding does: join the most frequent adjacent
// pair, repeat. Source: Sennrich, Haddow & Birch 2016. Deterministic: equal counts go to the pair
// that appeared first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace smallmind {

struct WeightedWord {
  std::vector<std::string> symbols;  // one UTF-8 character each
  uint64_t count = 0;
};

// Pairs in the order learnt, at most `limit`; fewer where every word has become one symbol.
std::vector<std::pair<std::string, std::string>> LearnMerges(const std::vector<WeightedWord>& words,
                                                             size_t limit);

}  // namespace smallmind
