// The fast splitter against a token-by-token search of the whole text, longest token first.
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

std::vector<Piece> PlainSplit(const std::string& text, std::vector<std::string> specials) {
  std::sort(specials.begin(), specials.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::vector<Piece> pieces = {{text, false}};
  for (const std::string& special : specials) {
    std::vector<Piece> next;
    for (const Piece& piece : pieces) {
      if (piece.special) {
        next.push_back(piece);
        continue;
      }
      size_t begin = 0;
      for (size_t at; (at = piece.text.find(special, begin)) != std::string::npos;) {
        if (at > begin) next.push_back({piece.text.substr(begin, at - begin), false});
        next.push_back({special, true});
        begin = at + special.size();
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

TEST(SpecialSplitter, EqualsTheTokenByTokenSearch) {
  // No two tokens of equal length overlap: their order is nobody's contract.
  const std::vector<std::string> specials = {"\n",  "\n\n", "\n\n\n", "<a>",
                                             "<b>", "a><b", "<a><b",  "b>\n\n\n\n"};
  VocabSpec spec = BpeSpec({});
  for (const std::string& text : specials) spec.Add(text, 4);
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const Vocab vocab(file);
  const SpecialSplitter splitter(vocab, false, {});
  Rng rng(5);
  const std::vector<std::string> parts = {"\n", "<", "a", "b", ">", "<a>", "x"};
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (uint64_t n = 1 + rng.Below(24); n > 0; --n) text += parts[rng.Below(parts.size())];
    EXPECT_EQ(FastSplit(splitter, text), PlainSplit(text, specials)) << text;
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
