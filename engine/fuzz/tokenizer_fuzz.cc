// Any text through any small vocabulary: ids in range, bytes back as they came, and the same ids as
// a tokenizer written as plainly as its definition. Vocabularies are drawn from the input too:
// tokens, types, scores, merges, flags, pre-tokenisers, right and wrong ones; those may be refused
// with InputError.
//
//   cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DSMALLMIND_FUZZ=ON
//   ninja -C build-fuzz tokenizer_fuzz
//   build-fuzz/fuzz/tokenizer_fuzz NEW_FINDS engine/fuzz/corpus/tokenizer
//
// First byte: what to do. Then the vocabulary's recipe (where it is drawn), the rest is the text.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/pretokenizer.h"
#include "engine/tokenizer/pretokenizer_table.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/vocab_testing.h"

namespace smallmind {
namespace {

constexpr std::string_view kSpace = "\xe2\x96\x81";

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "tokenizer_fuzz: %s\n", what);
  std::abort();
}

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::string Text(size_t most) {
    const size_t size = std::min<size_t>(Byte() % (most + 1), rest_.size());
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

using Ids = std::vector<TokenId>;

// Again and again the best adjacent pair of `symbols`, leftmost among equals, until none may merge.
// rank(left, right): lower is better, NaN is "no".
template <typename Rank>
void MergePlainly(std::vector<std::string>& symbols, const Rank& rank) {
  while (true) {
    double best = NAN;
    size_t at = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const double r = rank(symbols[i], symbols[i + 1]);
      if (!std::isnan(r) && (std::isnan(best) || r < best)) {
        best = r;
        at = i;
      }
    }
    if (std::isnan(best)) return;
    symbols[at] += symbols[at + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

std::map<std::string, TokenId> IdsByText(const VocabSpec& spec) {
  std::map<std::string, TokenId> out;
  for (size_t i = 0; i < spec.tokens->size(); ++i) {
    const int32_t type = spec.types ? (*spec.types)[i] : 1;
    const bool spelled = type != 2 && type != 3 && (type != 6 || spec.model != "llama");
    const std::string& text = (*spec.tokens)[i];
    if (spelled && !text.empty()) out.emplace(text, static_cast<TokenId>(i));
  }
  return out;
}

Ids PlainSpm(const VocabSpec& spec, std::string_view text) {
  const std::map<std::string, TokenId> ids = IdsByText(spec);
  std::string escaped;
  for (const char c : text) c == ' ' ? escaped += kSpace : escaped += c;
  std::vector<std::string> symbols;
  for (size_t at = 0; at < escaped.size(); at += symbols.back().size()) {
    const std::string_view rest = std::string_view(escaped).substr(at);
    symbols.emplace_back(rest.substr(0, std::max<size_t>(Utf8Valid(rest), 1)));
  }
  MergePlainly(symbols, [&](const std::string& left, const std::string& right) -> double {
    const auto found = ids.find(left + right);
    if (found == ids.end()) return NAN;
    const auto score = static_cast<double>((*spec.scores)[static_cast<size_t>(found->second)]);
    return std::isnan(score) ? INFINITY : -score;
  });
  Ids out;
  for (const std::string& symbol : symbols) {
    if (const auto found = ids.find(symbol); found != ids.end()) {
      out.push_back(found->second);
      continue;
    }
    for (const char c : symbol) out.push_back(3 + static_cast<uint8_t>(c));  // SpmSpec's bytes
  }
  return out;
}

Ids PlainBpe(const VocabSpec& spec, std::string_view text) {
  const std::map<std::string, TokenId> ids = IdsByText(spec);
  std::map<std::pair<std::string, std::string>, double> ranks;
  for (size_t i = 0; i < spec.merges->size(); ++i) {
    const std::string& merge = (*spec.merges)[i];
    const size_t space = merge.find(' ', 1);
    ranks.emplace(std::pair(merge.substr(0, space), merge.substr(space + 1)),
                  static_cast<double>(i));
  }
  const PreTokenizer words(FindPreTokenizer(*spec.pre)->expressions);
  Ids out;
  size_t begin = 0;
  for (const size_t end : words.Split(text)) {
    std::vector<std::string> symbols;
    for (; begin < end; ++begin) {
      symbols.push_back((*spec.tokens)[static_cast<uint8_t>(text[begin])]);  // BpeSpec's bytes
    }
    MergePlainly(symbols, [&](const std::string& left, const std::string& right) -> double {
      const auto found = ranks.find({left, right});
      return found == ranks.end() ? NAN : found->second;
    });
    for (const std::string& symbol : symbols) out.push_back(ids.at(symbol));
  }
  return out;
}

void CheckRange(const Tokenizer& tokenizer, const Ids& ids) {
  for (const TokenId id : ids) {
    Check(id >= 0 && static_cast<size_t>(id) < tokenizer.vocab_size(), "id out of range");
  }
}

void CheckJoiner(const Tokenizer& tokenizer, const Ids& ids, const std::string& text) {
  Utf8Joiner joiner;
  std::string joined;
  bool first = true;
  for (const TokenId id : ids) {
    const std::string part = joiner.Push(tokenizer.Decode(id, first, true));
    first = tokenizer.IsSpecial(id);
    joined += part;
    if (Utf8ValidPrefix(text) == text.size()) {
      Check(Utf8ValidPrefix(part) == part.size(), "a broken sequence left the joiner");
    }
  }
  Check(joined + joiner.Flush() == text, "the joiner lost bytes");
}

// Fixed vocabularies: everything must come back.
void RoundTrip(Input& in) {
  static const std::vector<VocabSpec> specs = [] {
    VocabSpec spm =
        SpmSpec({"\xe2\x96\x81", "a", "b", "ab",
                 "\xe2\x96\x81"
                 "a",
                 "\xe2\x96\x81\xe2\x96\x81", "the", "th", "he", "\xe4\xb8\xad", "<", "s>", "é"});
    spm.Add("<tool>", 4);
    VocabSpec bare = spm;
    bare.flags = {{"add_space_prefix", false}, {"add_eos_token", true}};
    VocabSpec bpe = BpeSpec({"a a", "aa aa", "t h", "th e", "Ġ the", "Ã ©", "Ġ Ġ", "' s", "1 2"});
    bpe.Add("<|im_end|>", 3);
    bpe.Add("<tool>", 4);
    bpe.Add("\n\n", 4);
    bpe.Add("\n", 4);
    bpe.scores.reset();
    return std::vector<VocabSpec>{spm, bare, bpe};
  }();
  static const std::vector<GgufFile> files = [] {
    std::vector<GgufFile> out;
    for (const VocabSpec& spec : specs) out.push_back(OpenGgufBytes(spec.Bytes()));
    for (const PreTokenizerRow& row : PreTokenizerTable()) {
      VocabSpec spec = specs[2];
      spec.pre = std::string(row.names[0]);
      out.push_back(OpenGgufBytes(spec.Bytes()));
    }
    return out;
  }();
  static const std::vector<std::unique_ptr<Tokenizer>> tokenizers = [] {
    std::vector<std::unique_ptr<Tokenizer>> out;
    for (const GgufFile& file : files) out.push_back(Tokenizer::Create(file));
    return out;
  }();
  const size_t which = in.Byte() % tokenizers.size();
  const EncodeOptions options = {.add_special = false, .parse_special = in.Byte() % 2 != 0};
  const std::string text(in.rest());
  // To SentencePiece a ▁ is a space.
  if (which < 2 && text.find(kSpace) != std::string::npos) return;
  const Ids ids = tokenizers[which]->Encode(text, options);
  CheckRange(*tokenizers[which], ids);
  Check(tokenizers[which]->DecodeAll(ids, true) == text, "text does not come back");
  CheckJoiner(*tokenizers[which], ids, text);
  if (which == 2 && !options.parse_special && Utf8ValidPrefix(text) == text.size() &&
      text.find_first_of("<\n") == std::string::npos) {
    Check(ids == PlainBpe(specs[2], text), "ids differ from the plain tokenizer's");
  }
}

// Sound vocabularies drawn from the input: ids as the plain tokenizer's.
void Differential(Input& in) {
  const bool spm = in.Byte() % 2 == 0;
  VocabSpec spec = spm ? SpmSpec({}) : BpeSpec({});
  const size_t count = in.Byte() % 24;
  for (size_t i = 0; i < count; ++i) {
    if (spm) {
      // Scores tie often.
      spec.Add(in.Text(6), 1, static_cast<float>(in.Byte() % 8) - 4.0f);
    } else {
      // A byte, or one of the last tokens made.
      const auto pick = [&] {
        const size_t back =
            in.Byte() % 2 != 0 ? spec.tokens->size() - in.Byte() % 32 : in.Byte() + 1u;
        return (*spec.tokens)[back - 1];
      };
      const std::string left = pick(), right = pick();
      spec.merges->push_back(left + " " + right);
      spec.Add(left + right);
    }
  }
  if (spm) spec.flags = {{"add_space_prefix", false}};
  if (!spm) spec.scores.reset();
  const std::string text(in.rest().substr(0, 400));
  if (!spm && Utf8ValidPrefix(text) != text.size()) return;
  const GgufFile file = OpenGgufBytes(spec.Bytes());
  const Ids ids = Tokenizer::Create(file)->Encode(text, {.add_special = false});
  Check(ids == (spm ? PlainSpm(spec, text) : PlainBpe(spec, text)),
        "ids differ from the plain tokenizer's");
}

// Unsound ones: anything but a crash.
void Hostile(Input& in) {
  VocabSpec spec;
  const uint8_t shape = in.Byte();
  spec.model = shape & 1 ? "llama" : "gpt2";
  if (shape & 2) {
    const auto table = PreTokenizerTable();
    spec.pre = std::string(table[in.Byte() % table.size()].names[0]);
  }
  const size_t count = in.Byte() % 40;
  for (size_t i = 0; i < count; ++i) {
    std::string text = in.Text(12);
    const auto type = static_cast<int8_t>(in.Byte());
    const uint32_t bits = static_cast<uint32_t>(in.Byte()) << 24 | in.Byte();
    spec.Add(std::move(text), type % 8, std::bit_cast<float>(bits));
  }
  if (shape & 4) spec.types.reset();
  if (shape & 8 && spec.types && !spec.types->empty()) spec.types->pop_back();
  if (!(shape & 1)) spec.scores.reset();
  if (shape & 16) {
    spec.merges.emplace();
    for (size_t i = in.Byte() % 16; i > 0; --i) spec.merges->push_back(in.Text(8));
  }
  constexpr const char* kIds[] = {"bos_token_id", "eos_token_id", "unknown_token_id",
                                  "eot_token_id"};
  constexpr const char* kFlags[] = {"add_bos_token", "add_eos_token", "add_space_prefix",
                                    "remove_extra_whitespaces"};
  const uint8_t keys = in.Byte();
  for (size_t i = 0; i < 4; ++i) {
    if (keys >> i & 1) spec.ids.push_back({kIds[i], in.Byte() % 48});
    if (keys >> (i + 4) & 1) spec.flags.push_back({kFlags[i], in.Byte() % 2 != 0});
  }
  const std::string text(in.rest().substr(0, 2000));
  try {
    const GgufFile file = OpenGgufBytes(spec.Bytes());
    const auto tokenizer = Tokenizer::Create(file);
    for (const bool parse : {false, true}) {
      const Ids ids = tokenizer->Encode(text, {.add_special = parse, .parse_special = parse});
      CheckRange(*tokenizer, ids);
      tokenizer->DecodeAll(ids, parse);
    }
    for (size_t id = 0; id < tokenizer->vocab_size(); ++id) {
      tokenizer->Decode(static_cast<TokenId>(id), true, true);
      tokenizer->IsEndOfGeneration(static_cast<TokenId>(id));
    }
  } catch (const InputError&) {
    // Refused, as it should be.
  }
}

}  // namespace
}  // namespace smallmind

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  smallmind::Input in(data, size);
  switch (in.Byte() % 4) {
    case 0:
      smallmind::Hostile(in);
      break;
    case 1:
      smallmind::Differential(in);
      break;
    default:
      smallmind::RoundTrip(in);
  }
  return 0;
}
