#include "engine/cli/texts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace smallmind {
namespace {

// Sentences of at least a few words; shorter runs say nothing.
std::set<std::string> Sentences(std::string_view text) {
  std::set<std::string> out;
  while (!text.empty()) {
    const size_t end = text.find_first_of(".?!\n");
    std::string_view part = text.substr(0, end);
    part.remove_prefix(std::min(part.find_first_not_of(" \""), part.size()));
    if (part.size() > 12) out.emplace(part);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

TEST(Texts, TrainingAndEvaluationShareNoSentence) {
  const std::set<std::string> training = Sentences(TrainingText());
  const std::set<std::string> evaluation = Sentences(EvaluationText());
  EXPECT_GT(training.size(), 5u);
  EXPECT_GT(evaluation.size(), 5u);
  for (const std::string& sentence : training)
    EXPECT_FALSE(evaluation.contains(sentence)) << sentence;
}

}  // namespace
}  // namespace smallmind
