// Validity for every lead and second byte against the code point it would stand for; the stream
// joiner.
#include "engine/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/rng.h"
#include "engine/tokenizer/tokenizer.h"

namespace smallmind {
namespace {

std::string Bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int b : bytes) out += static_cast<char>(b);
  return out;
}

TEST(Utf8, ValidityOfEveryLeadAndSecondByte) {
  for (int lead = 0; lead < 256; ++lead) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = Bytes({lead, second, 0x80, 0x80});
      size_t expected = 0;
      const bool follows = (second & 0xc0) == 0x80;
      if (lead < 0x80) {
        expected = 1;
      } else if (lead >= 0xc0 && lead < 0xe0 && follows) {
        const int c = (lead & 0x1f) << 6 | (second & 0x3f);
        expected = c >= 0x80 ? 2 : 0;
      } else if (lead >= 0xe0 && lead < 0xf0 && follows) {
        const int c = (lead & 0xf) << 12 | (second & 0x3f) << 6;
        expected = c >= 0x800 && !(c >= 0xd800 && c < 0xe000) ? 3 : 0;
      } else if (lead >= 0xf0 && lead < 0xf8 && follows) {
        const int c = (lead & 7) << 18 | (second & 0x3f) << 12;
        expected = c >= 0x10000 && c < 0x110000 ? 4 : 0;
      }
      EXPECT_EQ(Utf8Valid(text), expected) << std::hex << lead << " " << second;
    }
  }
  EXPECT_EQ(Utf8Valid(""), 0u);
  EXPECT_EQ(Utf8Valid("\xe2\x96"), 0u);
}

TEST(Utf8, ValidPrefix) {
  EXPECT_EQ(Utf8ValidPrefix("plain text, long enough for whole words"), 39u);
  EXPECT_EQ(Utf8ValidPrefix("aé中🙂"), 10u);
  EXPECT_EQ(Utf8ValidPrefix("abcdefghé\x80z"), 10u);
  EXPECT_EQ(Utf8ValidPrefix("\xff"), 0u);
}

TEST(Utf8Joiner, HoldsBackOnlyWhatCanStillBecomeWhole) {
  Utf8Joiner joiner;
  EXPECT_EQ(joiner.Push("a\xf0\x9f"), "a");
  EXPECT_EQ(joiner.Push("\x99"), "");
  EXPECT_EQ(joiner.Push("\x82z"), "\xf0\x9f\x99\x82z");
  EXPECT_EQ(joiner.Flush(), "");
  // Bytes that nothing can complete pass at once: overlong, surrogate, past the end, stray.
  EXPECT_EQ(joiner.Push("\xc0"), "\xc0");
  EXPECT_EQ(joiner.Push("\xed\xa0"), "\xed\xa0");
  EXPECT_EQ(joiner.Push("\xf4\x90"), "\xf4\x90");
  EXPECT_EQ(joiner.Push("\x80\xbf"), "\x80\xbf");
  EXPECT_EQ(joiner.Push("\xe2\x96"), "");
  EXPECT_EQ(joiner.Flush(), "\xe2\x96");
}

TEST(Utf8Joiner, AnySplitOfAnyTextGivesWholeSequencesAndAllBytes) {
  Rng rng(2);
  const std::string parts[] = {"a", "é", "中", "🙂", "\x80", "\xf0\x9f", "\xe2"};
  for (int round = 0; round < 2000; ++round) {
    std::string text, joined;
    for (uint64_t n = rng.Below(12); n > 0; --n) text += parts[rng.Below(7)];
    const bool valid = Utf8ValidPrefix(text) == text.size();
    Utf8Joiner joiner;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + rng.Below(3);
      const std::string out = joiner.Push(std::string_view(text).substr(at, size));
      if (valid) {
        EXPECT_EQ(Utf8ValidPrefix(out), out.size());
      }
      joined += out;
      at += size;
    }
    if (valid) {
      EXPECT_EQ(joined, text);
    }
    EXPECT_EQ(joined + joiner.Flush(), text);
  }
}

}  // namespace
}  // namespace smallmind
