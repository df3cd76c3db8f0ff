// Memory of one Encode call: a word seen before is copied instead of merged again.
//
// Keys are views into the text being encoded, values are ranges of the output already written: an
// entry owns nothing. Bounded (2^16 words of at most 64 bytes, each within kReach entries of its
// hash's own), so a hostile text costs 4 MiB and that many probes a word at most. Not shared
// between calls: the tokenizer stays const.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "engine/tokenizer/text_hash.h"
#include "engine/tokenizer/tokenizer.h"

namespace smallmind {

class WordCache {
 public:
  // Appends the word's tokens to `out`: those remembered, or what merge(word) appends, which is
  // remembered then.
  template <class Merge>
  void Encode(std::string_view word, std::vector<TokenId>& out, Merge&& merge) {
    if (word.size() > kLongestWord) return merge(word);
    const uint64_t hash = HashText(word);
    if (Replay(word, hash, out)) return;
    const size_t begin = out.size();
    merge(word);
    Add(word, hash, begin, out.size());
  }

 private:
  static constexpr size_t kMostWords = 1 << 16;
  static constexpr size_t kLongestWord = 64;
  static constexpr size_t kReach = 64;
  struct Entry {
    const char* word = nullptr;
    uint64_t hash = 0;
    uint32_t size = 0, begin = 0, count = 0;
  };

  // Appends the word's tokens to `out` and returns true where the word is known.
  bool Replay(std::string_view word, uint64_t hash, std::vector<TokenId>& out) const {
    for (size_t i = hash & mask_, left = kReach; left > 0; i = (i + 1) & mask_, --left) {
      const Entry& entry = entries_[i];
      if (entry.word == nullptr) return false;
      if (entry.hash == hash && entry.size == word.size() &&
          std::memcmp(entry.word, word.data(), word.size()) == 0) {
        const size_t end = out.size();
        out.resize(end + entry.count);
        for (uint32_t k = 0; k < entry.count; ++k) out[end + k] = out[entry.begin + k];
        return true;
      }
    }
    return false;
  }

  // Remembers that out[begin, end) are the tokens of `word`.
  void Add(std::string_view word, uint64_t hash, size_t begin, size_t end) {
    if (used_ >= kMostWords) return;
    if (2 * (used_ + 1) > entries_.size()) Grow();
    Place({word.data(), hash, static_cast<uint32_t>(word.size()), static_cast<uint32_t>(begin),
           static_cast<uint32_t>(end - begin)});
    ++used_;
  }

  // Forgets the word where no entry within reach is free.
  void Place(const Entry& entry) {
    for (size_t i = entry.hash & mask_, left = kReach; left > 0; i = (i + 1) & mask_, --left) {
      if (entries_[i].word != nullptr) continue;
      entries_[i] = entry;
      return;
    }
  }
  void Grow() {
    std::vector<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    mask_ = entries_.size() - 1;
    for (const Entry& entry : old) {
      if (entry.word != nullptr) Place(entry);
    }
  }

  std::vector<Entry> entries_ = std::vector<Entry>(128);
  size_t mask_ = 127;
  size_t used_ = 0;
};

}  // namespace smallmind
