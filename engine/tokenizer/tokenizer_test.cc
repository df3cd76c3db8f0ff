// The shared vocabularies' expected ids and round trips, and small vocabularies whose ids follow by
// hand.
#include "engine/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/error.h"
#include "engine/base/rng.h"
#include "engine/base/testing.h"
#include "engine/tokenizer/vocab_testing.h"

namespace smallmind {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

// Texts parted by a line `__ggml_vocab_test__`; the expected ids, a line each, without BOS or EOS.
struct VocabCase {
  std::string text;
  std::vector<TokenId> ids;
};

std::vector<VocabCase> ReadCases(const std::filesystem::path& stem) {
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  const std::string all = ReadFile(stem.string() + ".inp");
  std::istringstream ids(ReadFile(stem.string() + ".out"));
  std::vector<VocabCase> cases;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = all.find(kSeparator, begin);
    if (end == std::string::npos) break;
    VocabCase one;
    one.text = all.substr(begin, end - begin);
    std::string line;
    std::getline(ids, line);
    std::istringstream numbers(line);
    for (TokenId id; numbers >> id;) one.ids.push_back(id);
    cases.push_back(one);
    begin = end + kSeparator.size();
  }
  return cases;
}

constexpr EncodeOptions kPlain = {.add_special = false, .parse_special = false};
constexpr EncodeOptions kParse = {.add_special = false, .parse_special = true};

class SharedVocab : public testing::TestWithParam<const char*> {};

TEST_P(SharedVocab, ExpectedIdsAndRoundTrip) {
  SMALLMIND_NEED_SHARED("vocab");
  const std::filesystem::path stem = SharedDir() / "vocab" / GetParam();
  const GgufFile file = GgufFile::Open(stem.string() + ".gguf");
  const auto tokenizer = Tokenizer::Create(file);
  const std::vector<VocabCase> cases = ReadCases(stem);
  ASSERT_GE(cases.size(), 40u);
  for (const VocabCase& one : cases) {
    const std::vector<TokenId> ids = tokenizer->Encode(one.text, kPlain);
    EXPECT_EQ(ids, one.ids) << "text: " << one.text;
    EXPECT_EQ(tokenizer->DecodeAll(ids), one.text);
    const std::vector<TokenId> with_bos = tokenizer->Encode(one.text, {});
    EXPECT_EQ(with_bos.size(), ids.size() + (tokenizer->adds_bos() ? 1 : 0));
    EXPECT_EQ(tokenizer->DecodeAll(with_bos), one.text);
  }
  const std::string whole = ReadFile(stem.string() + ".inp");
  EXPECT_EQ(tokenizer->DecodeAll(tokenizer->Encode(whole, kPlain)), whole);
}

INSTANTIATE_TEST_SUITE_P(All, SharedVocab,
                         testing::Values("llama-spm", "phi-3", "gpt-2", "deepseek-llm",
                                         "starcoder"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Random bytes, text from several scripts, white space, now and then a special token's text.
std::string RandomText(Rng& rng, const std::vector<std::string>& parts, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += parts[rng.Below(parts.size())];
  return out;
}

TEST_P(SharedVocab, AnyBytesRoundTrip) {
  SMALLMIND_NEED_SHARED("vocab");
  const GgufFile file = GgufFile::Open(SharedDir() / "vocab" / (std::string(GetParam()) + ".gguf"));
  const auto tokenizer = Tokenizer::Create(file);
  std::vector<std::string> parts = {" ",    "  ", "\n",           "\r\n", "\t",       "the",
                                    "The",  "'s", "'LL",          "42",   "é",        "Ж",
                                    "中文", "한", "\xe2\x80\x8d", "🙂", "\xc2\xa0", "…"};
  // Some byte-level vocabularies lack tokens for bytes that no UTF-8 has (0xc0, 0xf5 and so on).
  for (int b = 0; b < 256; ++b) {
    const std::string byte(1, static_cast<char>(b));
    if (tokenizer->DecodeAll(tokenizer->Encode(byte, kPlain)) == byte) parts.push_back(byte);
  }
  ASSERT_GT(parts.size(), 250u);
  Rng rng(7);
  for (int i = 0; i < 300; ++i) {
    const std::string text = RandomText(rng, parts, 1 + rng.Below(200));
    if (text.find("\xe2\x96\x81") != std::string::npos) continue;  // ▁ is a space to SentencePiece
    EXPECT_EQ(tokenizer->DecodeAll(tokenizer->Encode(text, kPlain)), text);
  }
}

std::unique_ptr<Tokenizer> Make(const GgufFile& file) { return Tokenizer::Create(file); }

TEST(SpmTokenizer, MergesByScoreThenLeftmost) {
  // "ab" outranks "bc"; of the two "aa" in "aaa" the left one merges.
  VocabSpec spec = SpmSpec({"a", "b", "c", "ab", "bc", "aa"});
  spec.flags = {{"add_space_prefix", false}};
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Make(file);
  const TokenId a = 259, b = 260, c = 261, ab = 262, bc = 263, aa = 264;
  EXPECT_EQ(t->Encode("abc", kPlain), (std::vector<TokenId>{ab, c}));
  EXPECT_EQ(t->Encode("bbc", kPlain), (std::vector<TokenId>{b, bc}));
  EXPECT_EQ(t->Encode("aaa", kPlain), (std::vector<TokenId>{aa, a}));
  EXPECT_EQ(t->Encode("", kPlain), (std::vector<TokenId>{}));
  EXPECT_EQ(t->Encode("", {}), (std::vector<TokenId>{1}));
  // A character without a token is spelled in bytes: <0x00> has id 3.
  EXPECT_EQ(t->Encode("aé", kPlain), (std::vector<TokenId>{a, 3 + 0xc3, 3 + 0xa9}));
}

TEST(SpmTokenizer, SpacePrefixAndWhiteSpaceFlags) {
  const std::vector<std::string> pieces = {"\xe2\x96\x81", "a", "b",
                                           "\xe2\x96\x81"
                                           "a"};
  const TokenId space = 259, a = 260, b = 261, space_a = 262;
  {
    const GgufFile file = OpenGgufBytes(SpmSpec(pieces).Bytes());
    const auto t = Make(file);
    EXPECT_EQ(t->Encode("a b", kPlain), (std::vector<TokenId>{space_a, space, b}));
    EXPECT_EQ(t->DecodeAll(t->Encode(" a b ", {})), " a b ");
    EXPECT_EQ(t->Encode("a</s>a", kParse), (std::vector<TokenId>{space_a, 2, space_a}));
    EXPECT_EQ(t->DecodeAll(t->Encode("a</s>a", kParse), true), "a</s>a");
    EXPECT_EQ(t->DecodeAll(t->Encode("a</s>a", kParse)), "aa");
  }
  {
    VocabSpec spec = SpmSpec(pieces);
    spec.flags = {{"add_space_prefix", false}, {"add_bos_token", false}, {"add_eos_token", true}};
    const GgufFile file = OpenGgufBytes(spec.Bytes());
    const auto t = Make(file);
    EXPECT_FALSE(t->adds_bos());
    EXPECT_EQ(t->Encode("a b", {}), (std::vector<TokenId>{a, space, b, 2}));
    EXPECT_EQ(t->DecodeAll(t->Encode(" a", kPlain)), " a");
  }
  {
    VocabSpec spec = SpmSpec(pieces);
    spec.flags = {{"remove_extra_whitespaces", true}};
    const GgufFile file = OpenGgufBytes(spec.Bytes());
    // Blanks stay, as they do in llama.cpp, whatever this flag says.
    EXPECT_EQ(Make(file)->Encode("  a  b ", kPlain),
              (std::vector<TokenId>{space, space, space_a, space, space, b, space}));
  }
}

TEST(SpmTokenizer, LongTextEqualsItsMergesInOnePiece) {
  // A token that joins "a" and "▁" makes that place uncuttable; the same text must give the same
  // ids when the joining token exists but never wins.
  std::vector<std::string> pieces = {"\xe2\x96\x81",
                                     "a",
                                     "b",
                                     "\xe2\x96\x81"
                                     "a",
                                     "ab",
                                     "ba",
                                     "aa"};
  VocabSpec cut = SpmSpec(pieces);
  VocabSpec whole = cut;
  for (const std::string left : {"a", "b"}) {
    whole.Add(left + "\xe2\x96\x81" + left + left + left + left, 1, -99);
  }
  const GgufFile cut_file = OpenGgufBytes(cut.Bytes()), whole_file = OpenGgufBytes(whole.Bytes());
  const auto t = Make(cut_file), u = Make(whole_file);
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const std::string text = RandomText(rng, {"a", "b", " ", "ab"}, 1 + rng.Below(300));
    EXPECT_EQ(t->Encode(text, kPlain), u->Encode(text, kPlain)) << text;
  }
}

TEST(BpeTokenizer, MergesByRankWithinWords) {
  const GgufFile file = OpenGgufBytes(BpeSpec({"b c", "a b", "a bc", "Ġ a"}).Bytes());
  const auto t = Make(file);
  const TokenId bc = 256, ab = 257, abc = 258, space_a = 259;
  const auto byte = [&](char c) { return t->Encode(std::string(1, c), kPlain).at(0); };
  EXPECT_EQ(t->Encode("abc", kPlain), (std::vector<TokenId>{abc}));
  EXPECT_EQ(t->Encode("abab", kPlain), (std::vector<TokenId>{ab, ab}));
  EXPECT_EQ(t->Encode("bc a", kPlain), (std::vector<TokenId>{bc, space_a}));
  // " a" is cut off "b": no merge over the border of two words.
  EXPECT_EQ(t->Encode("b!a", kPlain), (std::vector<TokenId>{byte('b'), byte('!'), byte('a')}));
  EXPECT_EQ(t->bos(), -1);
  EXPECT_EQ(t->Encode("a", {}).size(), 1u);
}

TEST(BpeTokenizer, LongAndShortWordsMergeAlike) {
  // 24 symbols is where the array scan hands over to the heap: compare around it with a plain loop.
  const std::vector<std::string> merges = {"a a", "a b", "aa b", "aa aa", "b b", "ab ab", "aab b"};
  const GgufFile file = OpenGgufBytes(BpeSpec(merges).Bytes());
  const auto t = Make(file);
  Rng rng(11);
  for (int i = 0; i < 500; ++i) {
    const std::string text = RandomText(rng, {"a", "b"}, 1 + rng.Below(60));
    std::vector<std::string> symbols;
    for (const char c : text) symbols.emplace_back(1, c);
    for (bool merged = true; merged;) {
      merged = false;
      for (const std::string& merge : merges) {
        const std::string left = merge.substr(0, merge.find(' ')),
                          right = merge.substr(left.size() + 1);
        for (size_t k = 0; k + 1 < symbols.size() && !merged; ++k) {
          if (symbols[k] != left || symbols[k + 1] != right) continue;
          symbols[k] += right;
          symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(k) + 1);
          merged = true;
        }
        if (merged) break;
      }
    }
    std::vector<std::string> found;
    for (const TokenId id : t->Encode(text, kPlain)) found.push_back(t->Decode(id, false, false));
    EXPECT_EQ(found, symbols) << text;
  }
}

TEST(BpeTokenizer, IgnoreMergesTakesWholeWords) {
  VocabSpec spec = BpeSpec({"a b"});
  spec.Add("abc");
  const TokenId whole = static_cast<TokenId>(spec.tokens->size()) - 1;
  spec.scores.reset();
  spec.pre = "llama-bpe";
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  EXPECT_EQ(Make(file)->Encode("abc", kPlain), (std::vector<TokenId>{whole}));
  spec.pre = "qwen2";
  const GgufFile other = OpenGgufBytes(spec.Bytes());
  EXPECT_EQ(Make(other)->Encode("abc", kPlain).size(), 2u);
}

TEST(SpecialTokens, ControlOnlyWhereAsked) {
  VocabSpec spec = BpeSpec({});
  spec.Add("<|im_end|>");  // typed as normal: known by its name
  spec.Add("<x>", 3);
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Make(file);
  EXPECT_EQ(t->Encode("<x>", kPlain).size(), 3u);
  EXPECT_EQ(t->Encode("<x>", kParse), (std::vector<TokenId>{257}));
  EXPECT_EQ(t->Encode("a<|im_end|>", kParse).back(), 256);
  EXPECT_TRUE(t->IsEndOfGeneration(256));
  EXPECT_FALSE(t->IsEndOfGeneration(257));
  EXPECT_EQ(t->Decode(257, false, false), "");
  EXPECT_EQ(t->Decode(257, false, true), "<x>");
  EXPECT_THROW(t->Decode(258, false, false), InternalError);
  EXPECT_THROW(t->Decode(-1, false, false), InternalError);
}

TEST(SpecialTokens, NamesAreKnownWhateverTheirType) {
  const std::vector<std::string> ends = {"<fim_pad>",  "<fim-repo>",
                                         "<reponame>", "<REPO>",
                                         "_<EOT>",     "<\uff5cend\u2581of\u2581sentence\uff5c>"};
  const std::vector<std::string> markers = {"<fim_prefix>",
                                            "<fim_suffix>",
                                            "<fim_middle>",
                                            "\u2581<PRE>",
                                            "\u2581<SUF>",
                                            "\u2581<MID>",
                                            "<\uff5cfim\u2581hole\uff5c>"};
  VocabSpec spec = BpeSpec({});
  for (const std::string& name : ends) spec.Add(name);
  for (const std::string& name : markers) spec.Add(name);
  spec.Add("\u2581<x>");
  spec.scores.reset();
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Make(file);
  for (TokenId id = 256; id < 256 + static_cast<TokenId>(ends.size() + markers.size()); ++id) {
    const std::string& name = (*spec.tokens)[static_cast<size_t>(id)];
    EXPECT_EQ(t->Encode(name, kParse), std::vector<TokenId>{id}) << name;
    EXPECT_EQ(t->Decode(id, false, false), "") << name;
    EXPECT_EQ(t->IsEndOfGeneration(id), id < 256 + static_cast<TokenId>(ends.size())) << name;
  }
  EXPECT_FALSE(t->IsSpecial(static_cast<TokenId>(spec.tokens->size()) - 1));
}

TEST(SpecialTokens, PlainTextNeverBecomesOne) {
  // "<" and "s>" would merge into the control token, "<0x4" and "1>" into the byte's name.
  VocabSpec spec = SpmSpec({"<", "s", ">", "s>", "0", "x", "4", "1", "<0", "<0x", "<0x4", "1>"});
  spec.flags = {{"add_space_prefix", false}};
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const auto t = Make(file);
  EXPECT_EQ(t->Encode("<s>", kPlain).size(), 2u);
  EXPECT_EQ(t->Encode("<s>", kParse), (std::vector<TokenId>{1}));
  EXPECT_EQ(t->DecodeAll(t->Encode("<s><0x41>", kPlain)), "<s><0x41>");

  VocabSpec bpe = BpeSpec({"< x", "<x >"});
  bpe.types->back() = 3;
  const GgufFile bpe_file = OpenGgufBytes(bpe.Bytes());
  const auto u = Make(bpe_file);
  EXPECT_EQ(u->DecodeAll(u->Encode("<x>", kPlain)), "<x>");
  EXPECT_EQ(u->Encode("<x>", kParse), (std::vector<TokenId>{257}));
}

TEST(SpecialTokens, Phi3SwallowsWhiteSpaceAfterThem) {
  SMALLMIND_NEED_SHARED("vocab/phi-3.gguf");
  const GgufFile file = GgufFile::Open(SharedDir() / "vocab" / "phi-3.gguf");
  const auto t = Make(file);
  EXPECT_EQ(t->Encode("<|user|> \n hi", kParse), t->Encode("<|user|>hi", kParse));
  EXPECT_NE(t->Encode("<s> hi", kParse), t->Encode("<s>hi", kParse));
}

TEST(Tokenizer, OneTokenizerServesThreads) {
  const GgufFile file = OpenGgufBytes(BpeSpec({"a b", "ab c"}).Bytes());
  const auto t = Make(file);
  std::vector<std::thread> threads;
  // Some begin with a text, some with an id: each makes what nobody has made before.
  std::vector<std::vector<TokenId>> ids(4);
  std::vector<std::string> texts(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    threads.emplace_back([&, i] {
      if (i % 2 == 1) texts[i] = t->Decode(1, false, true);
      ids[i] = t->Encode("abc abc ab", kPlain);
      if (i % 2 == 0) texts[i] = t->Decode(1, false, true);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : ids) EXPECT_EQ(each, ids[0]);
  for (const auto& each : texts) EXPECT_EQ(each, texts[0]);
  EXPECT_FALSE(texts[0].empty());
}

}  // namespace
}  // namespace smallmind
