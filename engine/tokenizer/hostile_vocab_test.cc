// Vocabularies that cannot be: each gives an InputError or a defined result, none a crash.
#include <gtest/gtest.h>

#include <limits>

#include "engine/base/error.h"
#include "engine/tokenizer/tagged_slots.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocab_testing.h"

namespace smallmind {
namespace {

// The error's text; "" where nothing is thrown.
std::string Rejects(const VocabSpec& spec) {
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  try {
    Tokenizer::Create(file)->Encode("abc <x> \xff", {});
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void ExpectIn(const std::string& part, const std::string& text) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(HostileVocab, UnknownModelsListWhatWorks) {
  VocabSpec spec = BpeSpec({"a b"});
  spec.model = "bert";
  ExpectIn("'llama'", Rejects(spec));
  ExpectIn("'gpt2'", Rejects(spec));
  spec.model.reset();
  ExpectIn("no vocabulary", Rejects(spec));
}

TEST(HostileVocab, UnknownPreTokenizersAreTheDefaultWithAWarning) {
  VocabSpec spec = BpeSpec({"a b", "1 2", "12 3", "123 4"});
  spec.pre = "default";
  const GgufFile named = OpenGgufBytes(spec.Bytes());
  const auto expected = Tokenizer::Create(named)->Encode("ab 1234", {});
  EXPECT_EQ(Tokenizer::Create(named)->warning(), "");
  // "laguna" has rules of its own, which are not here.
  using Name = std::optional<std::string>;
  for (const Name& pre : {Name("made-up"), Name("laguna"), Name()}) {
    spec.pre = pre;
    const GgufFile file = OpenGgufBytes(spec.Bytes());
    const auto tokenizer = Tokenizer::Create(file);
    ExpectIn(pre.value_or("missing"), tokenizer->warning());
    EXPECT_EQ(tokenizer->Encode("ab 1234", {}), expected);
  }
}

TEST(HostileVocab, MissingAndMisshapenArrays) {
  VocabSpec spec = BpeSpec({"a b"});
  spec.merges.reset();
  ExpectIn("merges is missing", Rejects(spec));
  spec = BpeSpec({"a b"});
  spec.tokens.reset();
  spec.types.reset();
  ExpectIn("tokens is missing", Rejects(spec));
  spec = BpeSpec({"a b"});
  spec.tokens->clear();
  spec.types.reset();
  ExpectIn("is empty", Rejects(spec));
  spec = BpeSpec({"a b"});
  spec.types->pop_back();
  ExpectIn("token_type has", Rejects(spec));
  spec = SpmSpec({"a"});
  spec.scores->pop_back();
  ExpectIn("scores must be", Rejects(spec));
  spec.scores.reset();
  ExpectIn("scores is missing", Rejects(spec));
}

TEST(HostileVocab, Merges) {
  for (const std::string merge : {"ab", "", " ", "a ", " a"}) {
    VocabSpec spec = BpeSpec({"a b"});
    spec.merges->push_back(merge);
    ExpectIn("merges[1]", Rejects(spec));
  }
  // Of unknown tokens, or making none: what stays is spelled out.
  VocabSpec spec = BpeSpec({"a b"});
  spec.merges = {"x y z", "q w", "a b", "ab c", "a b"};
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Tokenizer::Create(file);
  EXPECT_EQ(t->DecodeAll(t->Encode("abc qw xyz", {})), "abc qw xyz");
}

TEST(HostileVocab, SpecialIdsOutOfRange) {
  for (const std::string key :
       {"bos_token_id", "eos_token_id", "unknown_token_id", "eot_token_id"}) {
    VocabSpec spec = SpmSpec({"a"});
    spec.ids = {{key, 260}};
    ExpectIn(key + " is 260, the vocabulary has 260 tokens", Rejects(spec));
    spec.ids = {{key, std::numeric_limits<uint32_t>::max()}};  // "none"
    EXPECT_EQ(Rejects(spec), "");
  }
  VocabSpec spec = SpmSpec({"a"});
  spec.ids = {{"bos_token_id", std::numeric_limits<uint32_t>::max()}};
  spec.flags = {{"add_bos_token", true}};
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  EXPECT_FALSE(Tokenizer::Create(file)->adds_bos());
}

TEST(HostileVocab, DuplicatesEmptyAndHugeTokens) {
  VocabSpec spec = BpeSpec({"a b"});
  spec.Add("a");
  spec.Add("");
  spec.Add("", 4);
  spec.Add(std::string(1 << 20, 'y'));
  spec.Add(std::string(512, 'z'), 4);
  spec.Add(std::string("\0\xff", 2), 4);
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Tokenizer::Create(file);
  const std::string text = "a" + std::string(512 + 5, 'z') + std::string("\0\xff!", 3);
  const std::vector<TokenId> ids = t->Encode(text, {});
  EXPECT_EQ(t->DecodeAll(ids), text);
  EXPECT_EQ(t->Decode(ids[0], true, false), "a");
  EXPECT_LT(ids[0], 256);  // of two equal texts the first
}

TEST(HostileVocab, LongSpecialTokens) {
  VocabSpec spec = SpmSpec({"a"});
  spec.Add(std::string(513, 'z'), 4);
  ExpectIn("special token 260 has 513 bytes; at most 512 are allowed", Rejects(spec));
}

TEST(HostileVocab, TextsMadeToCollide) {
  for (const size_t count : {300, 600}) {
    VocabSpec spm = SpmSpec({}), bpe = BpeSpec({}), merges = BpeSpec({});
    for (const std::string& text : CollidingTexts(count)) {
      spm.Add(text);
      bpe.Add(text);
      merges.merges->push_back(text + " a");
    }
    bpe.scores.reset();
    if (count < TaggedSlots::kReach) {
      EXPECT_EQ(Rejects(spm) + Rejects(bpe) + Rejects(merges), "");
      continue;
    }
    ExpectIn("tokens: texts are made to collide", Rejects(spm));
    ExpectIn("tokens: texts are made to collide", Rejects(bpe));
    ExpectIn("merges: texts are made to collide", Rejects(merges));
  }
}

TEST(HostileVocab, ScoresThatAreNoNumbers) {
  VocabSpec spec = SpmSpec({"a", "b", "ab", "aa", "bb"});
  for (size_t i = 259; i < spec.scores->size(); ++i) {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    constexpr float kValues[] = {std::numeric_limits<float>::quiet_NaN(), kInf, -kInf, -0.0f, 0.0f};
    (*spec.scores)[i] = kValues[i % 5];
  }
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Tokenizer::Create(file);
  const std::string text = "abababbaabab bbaab aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbb";
  // ▁ has no token here: the one before the text and the two in it come back as its three bytes.
  EXPECT_EQ(t->DecodeAll(t->Encode(text, {})).size(), text.size() + 3 + 2 * 2);
}

TEST(HostileVocab, VocabulariesWithoutBytes) {
  VocabSpec spec;
  spec.model = "llama";
  spec.Add("only", 1, 0);
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Tokenizer::Create(file);
  // The default unknown token is id 0, and stands for every byte.
  EXPECT_EQ(t->Encode("ab", {.add_special = false}).size(), 5u);
  spec.model = "gpt2";
  spec.merges.emplace();
  const GgufFile other = OpenGgufBytes(spec.Bytes());
  EXPECT_EQ(Tokenizer::Create(other)->Encode("ab", {}).size(), 0u);
}

TEST(HostileVocab, TypesOutsideTheEnumeration) {
  VocabSpec spec = BpeSpec({"a b"});
  for (size_t i = 0; i < spec.types->size(); ++i) (*spec.types)[i] = static_cast<int32_t>(i) - 100;
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Tokenizer::Create(file);
  EXPECT_NO_THROW(t->DecodeAll(t->Encode("abc", {})));
}

}  // namespace
}  // namespace smallmind
