// Both kinds share one skeleton: specials and base symbols, learnt merges, compounds. In
// SentencePiece files the order becomes scores, in byte-level files a list of merges. Tested in
// vocabulary_test.cc.
#include "engine/modelmaker/vocabulary.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "engine/base/byte_alphabet.h"
#include "engine/base/error.h"
#include "engine/gguf/writer.h"
#include "engine/modelmaker/merge_trainer.h"
#include "engine/modelmaker/words.h"

namespace smallmind {
namespace {

constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUnused = 5, kByte = 6;

std::string Utf8(uint32_t code) {  // below 0x10000
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
  return out;
}

// The stand-ins of byte-level BPE, in the order GPT-2 lists them: by code point, which is the order
// of their bytes.
std::vector<std::string> ByteSymbols() {
  std::vector<std::string> symbols(256);
  for (size_t b = 0; b < 256; ++b) kByteAlphabet.Append(static_cast<uint8_t>(b), symbols[b]);
  std::sort(symbols.begin(), symbols.end());
  return symbols;
}

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = text.find(' ');
    parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return parts;
}

// Each word as text has it: mostly after a space, sometimes capitalised, sometimes alone. Zipf's
// law for counts.
std::vector<WeightedWord> TrainingWords(const std::string& space) {
  std::vector<WeightedWord> words;
  const std::vector<std::string_view> list = Split(CommonWords());
  for (size_t rank = 0; rank < list.size(); ++rank) {
    const uint64_t count = 1000000 / (rank + 10);
    const auto add = [&](bool after_space, bool capital, uint64_t n) {
      WeightedWord word;
      if (after_space) word.symbols.push_back(space);
      for (const char c : list[rank]) word.symbols.push_back(std::string(1, c));
      if (capital) word.symbols[after_space ? 1 : 0][0] ^= 0x20;
      word.count = n;
      words.push_back(std::move(word));
    };
    add(true, false, count);
    add(true, true, count / 8 + 1);
    add(false, true, count / 16 + 1);
    add(false, false, count / 32 + 1);
  }
  return words;
}

using Merges = std::vector<std::pair<std::string, std::string>>;

// `count` merges whose results are all different and not in `taken`: learnt ones, then compounds of
// a learnt piece that begins a word and one that continues it, frequent pieces first.
Merges MakeMerges(const std::string& space, size_t count, std::unordered_set<std::string>* taken) {
  Merges merges;
  const auto accept = [&](const std::string& left, const std::string& right) {
    if (merges.size() < count && taken->insert(left + right).second)
      merges.emplace_back(left, right);
  };
  std::vector<std::string> starts, continuations;
  for (const auto& [left, right] : LearnMerges(TrainingWords(space), count)) {
    accept(left, right);
    const std::string text = left + right;
    (text.starts_with(space) ? starts : continuations).push_back(text);
  }
  for (size_t sum = 0; merges.size() < count && sum < starts.size() + continuations.size(); ++sum) {
    for (size_t i = 0; i <= sum; ++i) {
      if (i < starts.size() && sum - i < continuations.size()) {
        accept(starts[i], continuations[sum - i]);
      }
    }
  }
  if (merges.size() < count) throw InternalError("the word list is too short for the vocabulary");
  return merges;
}

Vocabulary SentencePiece(uint32_t size) {
  constexpr char kHex[] = "0123456789ABCDEF";
  Vocabulary v;
  v.model = "llama";
  v.pre = "default";
  v.bos = 1;
  v.eos = 2;
  v.add_bos = true;
  const auto add = [&](std::string text, float score, int32_t type) {
    v.tokens.push_back(std::move(text));
    v.scores.push_back(score);
    v.types.push_back(type);
  };
  add("<unk>", 0, kUnknown);
  add("<s>", 0, kControl);
  add("</s>", 0, kControl);
  for (int b = 0; b < 256; ++b)
    add(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + ">", 0, kByte);

  // Characters come last, with the lowest scores: space mark, printable ASCII, Latin letters.
  const std::string space = "\xe2\x96\x81";  // U+2581
  std::vector<std::string> characters = {space};
  for (uint32_t c = 33; c < 127; ++c) characters.push_back(Utf8(c));
  for (uint32_t c = 0xc0; c < 0x180; ++c) characters.push_back(Utf8(c));
  std::unordered_set<std::string> taken(characters.begin(), characters.end());
  const Merges merges = MakeMerges(space, size - v.tokens.size() - characters.size(), &taken);
  float score = 0;
  for (const auto& [left, right] : merges) add(left + right, score--, kNormal);
  for (const std::string& c : characters) add(c, score--, kNormal);
  return v;
}

// Specials in front, 256 byte symbols, one token a merge, specials behind.
Vocabulary ByteLevel(uint32_t size, const char* pre, const std::vector<std::string>& front,
                     const std::vector<std::pair<std::string, int32_t>>& back) {
  Vocabulary v;
  v.model = "gpt2";
  v.pre = pre;
  const auto add = [&](const std::string& text, int32_t type) {
    v.tokens.push_back(text);
    v.types.push_back(type);
  };
  for (const std::string& text : front) add(text, kControl);
  const std::vector<std::string> symbols = ByteSymbols();
  for (const std::string& symbol : symbols) add(symbol, kNormal);
  std::unordered_set<std::string> taken(symbols.begin(), symbols.end());
  const std::string space = Utf8(0x120);  // the stand-in of byte 32
  for (const auto& [left, right] :
       MakeMerges(space, size - v.tokens.size() - back.size(), &taken)) {
    add(left + right, kNormal);
    v.merges.push_back(left + " " + right);
  }
  for (const auto& [text, type] : back) add(text, type);
  return v;
}

Vocabulary SmolLm(uint32_t size) {
  Vocabulary v =
      ByteLevel(size, "smollm",
                {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<reponame>",
                 "<file_sep>", "<filename>", "<gh_stars>", "<issue_start>", "<issue_comment>",
                 "<issue_closed>", "<jupyter_start>", "<jupyter_text>", "<jupyter_code>",
                 "<jupyter_output>", "<jupyter_script>", "<empty_output>"},
                {});
  v.bos = v.eos = 0;
  return v;
}

Vocabulary Qwen2(uint32_t size) {
  std::vector<std::pair<std::string, int32_t>> back;
  for (const char* text : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    back.emplace_back(text, kControl);
  }
  // The embedding has more rows than the tokenizer has tokens.
  const uint32_t padding = size > 100000 ? 290 : 5;
  for (uint32_t i = 0; i < padding; ++i) {
    back.emplace_back("[PAD" + std::to_string(size - padding + i) + "]", kUnused);
  }
  Vocabulary v = ByteLevel(size, "qwen2", {}, back);
  v.bos = size - padding - 3;
  v.eos = size - padding - 1;
  return v;
}

Vocabulary Llama3(uint32_t size) {
  std::vector<std::pair<std::string, int32_t>> back;
  const uint32_t specials = size > 100000 ? 256 : 16;
  for (uint32_t i = 0; i < specials; ++i) {
    std::string text = "<|reserved_special_token_" + std::to_string(i) + "|>";
    if (i == 0) text = "<|begin_of_text|>";
    if (i == 1) text = "<|end_of_text|>";
    if (i == 6) text = "<|start_header_id|>";
    if (i == 7) text = "<|end_header_id|>";
    if (i == 9) text = "<|eot_id|>";
    back.emplace_back(std::move(text), kControl);
  }
  Vocabulary v = ByteLevel(size, "llama-bpe", {}, back);
  v.bos = size - specials;
  v.eos = size - specials + 1;
  v.add_bos = true;
  return v;
}

}  // namespace

Vocabulary MakeVocabulary(VocabularyKind kind, uint32_t size) {
  if (size < 700) throw InternalError("a vocabulary needs 700 tokens at least");
  switch (kind) {
    case VocabularyKind::kSentencePiece:
      return SentencePiece(size);
    case VocabularyKind::kSmolLm:
      return SmolLm(size);
    case VocabularyKind::kQwen2:
      return Qwen2(size);
    case VocabularyKind::kLlama3:
      return Llama3(size);
  }
  throw InternalError("unknown vocabulary kind");
}

void AddVocabulary(const Vocabulary& v, GgufWriter* out) {
  out->Add("tokenizer.ggml.model", v.model);
  out->Add("tokenizer.ggml.pre", v.pre);
  out->AddArray("tokenizer.ggml.tokens", std::span<const std::string>(v.tokens));
  if (!v.scores.empty()) {
    out->AddArray("tokenizer.ggml.scores", std::span<const float>(v.scores));
  }
  out->AddArray("tokenizer.ggml.token_type", std::span<const int32_t>(v.types));
  if (!v.merges.empty()) {
    out->AddArray("tokenizer.ggml.merges", std::span<const std::string>(v.merges));
  }
  out->Add("tokenizer.ggml.bos_token_id", v.bos);
  out->Add("tokenizer.ggml.eos_token_id", v.eos);
  if (v.model == "llama") out->Add("tokenizer.ggml.unknown_token_id", uint32_t{0});
  out->Add("tokenizer.ggml.add_bos_token", v.add_bos);
  out->Add("tokenizer.ggml.add_eos_token", false);
  if (v.model == "llama") out->Add("tokenizer.ggml.add_space_prefix", true);
}

}  // namespace smallmind
