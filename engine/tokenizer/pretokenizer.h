// Cuts a text into the words that byte-level BPE merges within, by a vocabulary's regular
// expressions.
//
// Several expressions are applied one after the other: each cuts every piece that the ones before
// it left, what lies between two matches being a piece too. Matching is PCRE2's, with Unicode
// properties; compiled at first use, just-in-time compiled where a text is long enough to pay for
// it. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smallmind {

class PreTokenizer {
 public:
  // Expressions as model cards print them; \s and \S mean Unicode's White_Space. InternalError
  // where one does not compile (at first use).
  explicit PreTokenizer(std::span<const std::string_view> expressions);
  ~PreTokenizer();
  PreTokenizer(const PreTokenizer&) = delete;
  PreTokenizer& operator=(const PreTokenizer&) = delete;

  // Ends of the words of `text` (valid UTF-8), ascending; the last is text.size(). Empty for an
  // empty text.
  std::vector<uint32_t> Split(std::string_view text) const;

 private:
  struct Expression;
  std::vector<std::unique_ptr<Expression>> expressions_;
};

}  // namespace smallmind
