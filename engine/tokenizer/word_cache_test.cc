#include "engine/tokenizer/word_cache.h"

#include <gtest/gtest.h>

#include "engine/tokenizer/vocab_testing.h"

namespace smallmind {
namespace {

TEST(WordCache, ForgetsWordsMadeToCollide) {
  const std::vector<std::string> words = CollidingTexts(1000);
  ASSERT_EQ(HashText(words[0]), HashText(words[999]));
  WordCache cache;
  std::vector<TokenId> out;
  for (const size_t merges : {1000, 1000 - 64}) {
    const size_t begin = out.size();
    size_t merged = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      cache.Encode(words[i], out, [&](std::string_view) {
        ++merged;
        out.push_back(static_cast<TokenId>(i));
      });
      ASSERT_EQ(out.size(), begin + i + 1);
      EXPECT_EQ(out.back(), static_cast<TokenId>(i));
    }
    EXPECT_EQ(merged, merges);
  }
}

}  // namespace
}  // namespace smallmind
