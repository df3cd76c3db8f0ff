// Every row of the table compiles and covers any text; the cuts that distinguish the rows, by hand.
#include "engine/tokenizer/pretokenizer.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/base/rng.h"
#include "engine/tokenizer/pretokenizer_table.h"

namespace smallmind {
namespace {

using Words = std::vector<std::string>;

Words Cut(std::string_view pre, const std::string& text) {
  const PreTokenizerRow* row = FindPreTokenizer(pre);
  if (row == nullptr) return {"no such row"};
  Words words;
  uint32_t begin = 0;
  for (const uint32_t end : PreTokenizer(row->expressions).Split(text)) {
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(Cut("gpt-2", "I've 123 cats!\n\n  x"),
            (Words{"I", "'ve", " 123", " cats", "!", "\n\n ", " x"}));
  EXPECT_EQ(Cut("gpt-2", "a  "), (Words{"a", "  "}));
  EXPECT_EQ(Cut("gpt-2", ""), (Words{}));
}

TEST(PreTokenizer, Llama3CutsNumbersInThreesAndKeepsNewlinesWithPunctuation) {
  EXPECT_EQ(Cut("llama-bpe", "I'LL 12345!\n\nx"),
            (Words{"I", "'LL", " ", "123", "45", "!\n\n", "x"}));
  EXPECT_EQ(Cut("qwen2", "12(a"), (Words{"1", "2", "(a"}));
}

TEST(PreTokenizer, SeveralExpressionsCutEachOthersPieces) {
  EXPECT_EQ(Cut("starcoder", "a 12 b"), (Words{"a", " ", "1", "2", " b"}));
  EXPECT_EQ(Cut("falcon", "12345+x"), (Words{"123", "45", "+", "x"}));
  EXPECT_EQ(Cut("deepseek-coder", "a\n b1.\n"), (Words{"a", "\n", " b", "1", ".", "\n"}));
  EXPECT_EQ(Cut("deepseek-llm", "ab  \xe4\xb8\xad 12 "),
            (Words{"ab", "  ", "\xe4\xb8\xad", " ", "12", " "}));
  EXPECT_EQ(Cut("deepseek-v3", "1234"), (Words{"123", "4"}));
}

TEST(PreTokenizer, CaseAndMarks) {
  EXPECT_EQ(Cut("gpt-4o", "camelCase's"), (Words{"camel", "Case's"}));
  EXPECT_EQ(Cut("tekken", "camelCASE"), (Words{"camel", "CASE"}));
  // Devanagari vowel signs are marks: one word where the expression knows \p{M}.
  EXPECT_EQ(Cut("tekken", "\xe0\xa4\xa8\xe0\xa4\xbf").size(), 1u);
  EXPECT_EQ(Cut("llama-bpe", "\xe0\xa4\xa8\xe0\xa4\xbf").size(), 2u);
}

TEST(PreTokenizer, WhiteSpaceIsUnicodes) {
  // U+3000 is white space, U+180E is not any more.
  EXPECT_EQ(Cut("gpt-2",
                "a\xe3\x80\x80"
                "b"),
            (Words{"a", "\xe3\x80\x80", "b"}));
  EXPECT_EQ(Cut("gpt-2", " \xe1\xa0\x8e"), (Words{" \xe1\xa0\x8e"}));
}

TEST(PreTokenizer, TableIsSound) {
  std::set<std::string_view> names;
  for (const PreTokenizerRow& row : PreTokenizerTable()) {
    for (const std::string_view name : row.names) {
      EXPECT_TRUE(names.insert(name).second) << name << " twice";
    }
    Rng rng(4);
    const PreTokenizer pretokenizer(row.expressions);
    const std::string parts[] = {"a",
                                 "B",
                                 "'s",
                                 "1",
                                 " ",
                                 "\n",
                                 "\t",
                                 "!",
                                 "\xe4\xb8\xad",
                                 "\xe3\x80\x80",
                                 "\xcc\x81",
                                 "\xf0\x9f\x99\x82",
                                 "(",
                                 "\xe2\x80\xa6",
                                 std::string(1, '\0')};
    for (int i = 0; i < 300; ++i) {
      // Long texts take the just-in-time compiled path: both must agree.
      std::string text;
      for (uint64_t n = 1 + rng.Below(60); n > 0; --n) text += parts[rng.Below(15)];
      const std::vector<uint32_t> ends = pretokenizer.Split(text);
      ASSERT_FALSE(ends.empty());
      EXPECT_EQ(ends.back(), text.size());
      EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end(), std::less_equal<>()));
      if (i % 30 != 0) continue;
      // U+E000 is no letter, number, mark, punctuation or space: repeated with it, the cuts repeat.
      const std::string unit = text + "\n\xee\x80\x80\n";
      std::string repeated;
      while (repeated.size() < 20000) repeated += unit;
      const std::vector<uint32_t> one = pretokenizer.Split(unit),
                                  all = pretokenizer.Split(repeated);
      EXPECT_GE(all.size(), one.size());
      for (size_t k = 0; k + 3 < one.size(); ++k) EXPECT_EQ(all[k], one[k]);
    }
  }
  EXPECT_EQ(FindPreTokenizer("no-such"), nullptr);
}

TEST(PreTokenizer, LongRunsAreLinear) {
  // 65,536 times one character, then one that no expression's first choice wants: quadratic
  // backtracking would not end.
  for (const PreTokenizerRow& row : PreTokenizerTable()) {
    const PreTokenizer pretokenizer(row.expressions);
    for (const char* unit : {" ", "\n", "a", "A", "1", "!", "\t"}) {
      std::string text;
      for (int i = 0; i < 1 << 16; ++i) text += unit;
      text += "\xe4\xb8\xad";
      EXPECT_EQ(pretokenizer.Split(text).back(), text.size());
    }
  }
}

}  // namespace
}  // namespace smallmind
