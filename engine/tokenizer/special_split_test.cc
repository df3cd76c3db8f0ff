// The fast splitter against a search of the whole text for each token length, the longest first.
#include "engine/tokenizer/special_split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/rng.h"
#include "engine/tokenizer/vocab_testing.h"

namespace smallmind {
namespace {

struct Piece {
  std::string text;
  bool special;
  bool operator==(const Piece&) const = default;
};
void PrintTo(const Piece& piece, std::ostream* out) {
  *out << (piece.special ? "<<" : "'") << piece.text << (piece.special ? ">>" : "'");
}

std::vector<Piece> PlainSplit(const std::string& text, const std::vector<std::string>& specials) {
  size_t longest = 0;
  for (const std::string& special : specials) longest = std::max(longest, special.size());
  std::vector<Piece> pieces = {{text, false}};
  for (size_t length = longest; length > 0; --length) {
    std::vector<Piece> next;
    for (const Piece& piece : pieces) {
      if (piece.special) {
        next.push_back(piece);
        continue;
      }
      size_t begin = 0;
      for (size_t at = 0; at + length <= piece.text.size();) {
        const std::string one = piece.text.substr(at, length);
        if (std::find(specials.begin(), specials.end(), one) == specials.end()) {
          ++at;
          continue;
        }
        if (at > begin) next.push_back({piece.text.substr(begin, at - begin), false});
        next.push_back({one, true});
        begin = at += length;
      }
      if (begin < piece.text.size()) next.push_back({piece.text.substr(begin), false});
    }
    pieces = next;
  }
  return pieces;
}

std::vector<Piece> FastSplit(const SpecialSplitter& splitter, const std::string& text) {
  std::vector<Piece> pieces;
  for (const Fragment& f : splitter.Split(text))
    pieces.push_back({std::string(f.text), f.token >= 0});
  return pieces;
}

VocabSpec WithSpecials(const std::vector<std::string>& specials) {
  VocabSpec spec = BpeSpec({});
  for (const std::string& text : specials) spec.Add(text, 4);
  spec.scores.reset();
  return spec;
}

TEST(SpecialSplitter, EqualsTheSearchLengthByLength) {
  Rng rng(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> specials = {"\n",  "\n\n", "\n\n\n", "<a>",
                                         "<b>", "a><b", "<a><b",  "b>\n\n\n\n"};
    std::vector<std::string> parts = {"\n", "<", "a", "b", ">", "<a>", "x"};
    if (round >= 100) {
      specials.clear();
      parts = {"a", "b", "\xff"};
      for (uint64_t n = 1 + rng.Below(12); n > 0; --n) {
        std::string& text = specials.emplace_back();
        for (uint64_t k = 1 + rng.Below(7); k > 0; --k) text += parts[rng.Below(parts.size())];
      }
    }
    const GgufFile file = OpenGgufBytes(WithSpecials(specials).Bytes());
    const Vocab vocab(file);
    const SpecialSplitter splitter(vocab, false, {});
    for (int i = 0; i < 50; ++i) {
      std::string text;
      for (uint64_t n = 1 + rng.Below(40); n > 0; --n) text += parts[rng.Below(parts.size())];
      EXPECT_EQ(FastSplit(splitter, text), PlainSplit(text, specials)) << text;
    }
  }
}

TEST(SpecialSplitter, RestOfARunJoinsTheTextAfterIt) {
  VocabSpec spec = BpeSpec({});
  spec.Add("   ", 4);
  spec.Add("  ", 4);
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const Vocab vocab(file);
  const SpecialSplitter splitter(vocab, false, {});
  EXPECT_EQ(FastSplit(splitter, "x    y"),
            (std::vector<Piece>{{"x", false}, {"   ", true}, {" y", false}}));
  EXPECT_EQ(FastSplit(splitter, ""), std::vector<Piece>());
  EXPECT_EQ(FastSplit(splitter, "    "), (std::vector<Piece>{{"   ", true}, {" ", false}}));
}

TEST(SpecialSplitter, LongRunsAreLinear) {
  // 31 token lengths over a megabyte: a quadratic search would not end.
  VocabSpec spec = BpeSpec({});
  for (size_t n = 1; n <= 31; ++n) spec.Add(std::string(n, '\n'), 4);
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const Vocab vocab(file);
  const SpecialSplitter splitter(vocab, false, {});
  EXPECT_EQ(splitter.Split(std::string(31 << 15, '\n')).size(), size_t{1} << 15);
}

TEST(SpecialSplitter, ManyLengthsAreLinear) {
  std::vector<std::string> specials;
  for (size_t n = 1; n <= 512; ++n) specials.emplace_back(n, 'a');
  const GgufFile file = OpenGgufBytes(WithSpecials(specials).Bytes());
  const Vocab vocab(file);
  const SpecialSplitter splitter(vocab, false, {});
  std::string text;
  for (int i = 0; i < 100; ++i) text.append(511, 'a').push_back('b');
  EXPECT_EQ(splitter.Split(text).size(), 200u);
  EXPECT_EQ(splitter.Split(std::string(1 << 17, 'a')).size(), (1u << 17) / 512);
}

TEST(SpecialSplitter, RightStrippedTokensSwallowWhiteSpace) {
  VocabSpec spec = BpeSpec({});
  spec.Add("<|x|>", 3);
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const Vocab vocab(file);
  const SpecialSplitter splitter(vocab, true, {256});
  EXPECT_EQ(FastSplit(splitter, " <|x|> \t\na "),
            (std::vector<Piece>{{" ", false}, {"<|x|>", true}, {"a ", false}}));
  EXPECT_EQ(FastSplit(splitter, "<|x|>  <|x|> "),
            (std::vector<Piece>{{"<|x|>", true}, {"<|x|>", true}}));
}

}  // namespace
}  // namespace smallmind
