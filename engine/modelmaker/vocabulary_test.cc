#include "engine/modelmaker/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "engine/base/error.h"
#include "engine/modelmaker/merge_trainer.h"

namespace smallmind {
namespace {

TEST(LearnMerges, JoinsTheMostFrequentPairFirst) {
  // "ab" occurs 5 times, "bc" 4 times, "ca" once.
  const std::vector<WeightedWord> words = {{{"a", "b", "c"}, 4}, {{"c", "a", "b"}, 1}};
  const auto merges = LearnMerges(words, 10);
  ASSERT_EQ(merges.size(), 3u);
  EXPECT_EQ(merges[0], (std::pair<std::string, std::string>("a", "b")));
  EXPECT_EQ(merges[1], (std::pair<std::string, std::string>("ab", "c")));
  EXPECT_EQ(merges[2], (std::pair<std::string, std::string>("c", "ab")));
  EXPECT_EQ(LearnMerges(words, 2).size(), 2u);
}

TEST(LearnMerges, CountsRepeatsInsideAWord) {
  const auto merges = LearnMerges({{{"a", "a", "a", "a", "b"}, 1}}, 10);
  ASSERT_EQ(merges.size(), 3u);
  EXPECT_EQ(merges[0].first + merges[0].second, "aa");
  EXPECT_EQ(merges[1].first + merges[1].second, "aaaa");
}

class EveryVocabulary : public testing::TestWithParam<VocabularyKind> {};

TEST_P(EveryVocabulary, IsConsistent) {
  for (const uint32_t size : {1024u, 32000u}) {
    const Vocabulary v = MakeVocabulary(GetParam(), size);
    ASSERT_EQ(v.tokens.size(), size);
    ASSERT_EQ(v.types.size(), size);
    EXPECT_LT(v.bos, size);
    EXPECT_LT(v.eos, size);
    EXPECT_EQ(v.types[v.bos], 3);
    EXPECT_EQ(v.types[v.eos], 3);
    const std::unordered_set<std::string> all(v.tokens.begin(), v.tokens.end());
    EXPECT_EQ(all.size(), size) << "tokens repeat";
    if (v.model == "llama") {
      EXPECT_EQ(v.scores.size(), size);
      EXPECT_EQ(v.tokens[3], "<0x00>");
      EXPECT_EQ(v.types[258], 6);
      EXPECT_TRUE(v.merges.empty());
      EXPECT_TRUE(all.contains("\xe2\x96\x81"));
    } else {
      EXPECT_TRUE(v.scores.empty());
      EXPECT_GT(v.merges.size(), size / 2);
      // GPT-2's first tokens, ids 0 to 255 there.
      const auto first = std::find(v.tokens.begin(), v.tokens.end(), "!");
      ASSERT_GT(v.tokens.end() - first, 256);
      EXPECT_EQ(first[94], "¡");
      EXPECT_EQ(first[188], "Ā");
      EXPECT_EQ(first[220], "Ġ");
      EXPECT_EQ(first[255], "Ń");
    }
  }
}

// Each merge joins two tokens that exist before it, so every merged token can be reached.
TEST_P(EveryVocabulary, MergesBuildOnEarlierTokens) {
  const Vocabulary v = MakeVocabulary(GetParam(), 32000);
  std::unordered_map<std::string, size_t> id;
  for (size_t i = 0; i < v.tokens.size(); ++i) id[v.tokens[i]] = i;
  for (const std::string& merge : v.merges) {
    const size_t space = merge.find(' ');
    const std::string left = merge.substr(0, space), right = merge.substr(space + 1);
    ASSERT_TRUE(id.contains(left) && id.contains(right) && id.contains(left + right)) << merge;
    ASSERT_LT(id[left], id[left + right]) << merge;
    ASSERT_LT(id[right], id[left + right]) << merge;
  }
}

TEST_P(EveryVocabulary, KnowsCommonWords) {
  const Vocabulary v = MakeVocabulary(GetParam(), 32000);
  const std::string space = v.model == "llama" ? "\xe2\x96\x81" : "\xc4\xa0";
  const std::unordered_set<std::string> all(v.tokens.begin(), v.tokens.end());
  for (const char* word : {"the", "girl", "mountain", "Once", "remember"}) {
    EXPECT_TRUE(all.contains(space + word)) << word;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryVocabulary,
                         testing::Values(VocabularyKind::kSentencePiece, VocabularyKind::kSmolLm,
                                         VocabularyKind::kQwen2, VocabularyKind::kLlama3));

TEST(Vocabulary, TooSmallIsAnError) {
  EXPECT_THROW(MakeVocabulary(VocabularyKind::kQwen2, 300), InternalError);
}

}  // namespace
}  // namespace smallmind
