// A word is first written in the byte alphabet, because that is how the vocabulary's texts are
// stored; symbols carry the hash of their text, so one merge costs one text hash and two look-ups.
// Words repeat: a cache that lives for one call replays them. Tested by tokenizer_test.cc (expected
// ids, round trips).
#include "engine/tokenizer/bpe_tokenizer.h"

#include "engine/base/byte_alphabet.h"
#include "engine/base/error.h"
#include "engine/base/quote.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/model_quirks.h"
#include "engine/tokenizer/pair_merge.h"
#include "engine/tokenizer/word_cache.h"

namespace smallmind {
namespace {

// Models bring new pre-tokenisers all the time. One that is not known here gets the default, which
// cuts most text at the same places, and the user is told.
const PreTokenizerRow* RowFor(const GgufFile& file, std::string* warning) {
  const bool named = file.Has("tokenizer.ggml.pre");
  if (named) {
    const PreTokenizerRow* row = FindPreTokenizer(file.String("tokenizer.ggml.pre"));
    if (row != nullptr) return row;
  }
  *warning =
      file.path() + ": tokenizer.ggml.pre is " +
      (named ? Quote(file.String("tokenizer.ggml.pre")) + ", which is not known" : "missing") +
      "; 'default' stands in, some text may get other tokens than in training";
  return FindPreTokenizer("default");
}

// A text with each byte that is not UTF-8 replaced by U+FFFD (3 bytes), and where that happened.
struct Repaired {
  std::string text;
  std::vector<uint32_t> replaced;  // offsets in `text`, ascending
};

Repaired Repair(std::string_view text) {
  Repaired out;
  while (!text.empty()) {
    const size_t valid = Utf8ValidPrefix(text);
    out.text += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    out.replaced.push_back(static_cast<uint32_t>(out.text.size()));
    out.text += "\xef\xbf\xbd";
    text.remove_prefix(1);
  }
  return out;
}

struct BpePolicy {
  const MergeTable* merges;
  const std::string* buffer;

  std::string_view TextOf(const MergeSymbol& symbol) const {
    return std::string_view(*buffer).substr(symbol.begin, symbol.size);
  }
  uint32_t Priority(const MergeSymbol& left, const MergeSymbol& right) const {
    static_assert(MergeTable::kNone == kNoMerge);
    return merges->Find(TextOf(left), TextOf(right), HashPair(left.hash, right.hash));
  }
  void Merged(MergeSymbol& symbol) const { symbol.hash = HashText(TextOf(symbol)); }
};

}  // namespace

BpeTokenizer::BpeTokenizer(const GgufFile& file, Vocab vocab)
    : vocab_(std::move(vocab)), row_(RowFor(file, &warning_)), pretokenizer_(row_->expressions) {
  const GgufArray* merges = file.Array("tokenizer.ggml.merges");
  if (merges == nullptr) throw InputError(vocab_.path() + ": tokenizer.ggml.merges is missing");
  merges_ = *merges;
  add_bos_ = file.Bool("tokenizer.ggml.add_bos_token", row_->add_bos) && vocab_.bos() >= 0;
  add_eos_ = file.Bool("tokenizer.ggml.add_eos_token", false) && vocab_.eos() >= 0;
  rstrip_ = RightStrippedTokens(file, vocab_);
}

const BpeTokenizer::Tables& BpeTokenizer::EncodeTables() const {
  std::call_once(once_, [this] {
    tables_.merges = MergeTable(merges_, vocab_.path());
    // Text never spells a control token, whatever merges say: that needs parse_special.
    tables_.tokens = TokenTable(vocab_, {TokenType::kControl, TokenType::kUnknown});
    for (size_t b = 0; b < 256; ++b) {
      std::string character;
      kByteAlphabet.Append(static_cast<uint8_t>(b), character);
      tables_.byte_hashes[b] = HashText(character);
    }
    tables_.user_defined = SpecialSplitter(vocab_, false, rstrip_);
    tables_.specials = SpecialSplitter(vocab_, true, rstrip_);
  });
  return tables_;
}

class BpeTokenizer::Encoder {
 public:
  Encoder(const BpeTokenizer& owner, const Tables& tables, std::vector<TokenId>& out)
      : owner_(owner), tables_(tables), out_(out), merger_({&tables.merges, &buffer_}) {}
  Encoder(const Encoder&) = delete;

  void EncodeText(std::string_view text) {
    if (Utf8ValidPrefix(text) == text.size()) {
      size_t begin = 0;
      for (const size_t end : owner_.pretokenizer_.Split(text)) {
        EncodeWord(text.substr(begin, end - begin));
        begin = end;
      }
      return;
    }
    // Words are cut in the repaired text; each replacement before a cut is two bytes that are not
    // there.
    const Repaired repaired = Repair(text);
    size_t begin = 0, replaced = 0;
    for (const size_t cut : owner_.pretokenizer_.Split(repaired.text)) {
      while (replaced < repaired.replaced.size() && repaired.replaced[replaced] < cut) ++replaced;
      const size_t end = cut - 2 * replaced;
      EncodeWord(text.substr(begin, end - begin));
      begin = end;
    }
  }

 private:
  void EncodeWord(std::string_view word) {
    cache_.Encode(word, out_, [this](std::string_view text) { Merge(text); });
  }

  void Merge(std::string_view word) {
    buffer_.clear();
    std::vector<MergeSymbol>& symbols = merger_.symbols();
    symbols.clear();
    for (const char c : word) {
      const auto byte = static_cast<uint8_t>(c);
      const auto begin = static_cast<uint32_t>(buffer_.size());
      kByteAlphabet.Append(byte, buffer_);
      symbols.push_back(
          {begin, static_cast<uint32_t>(buffer_.size()) - begin, tables_.byte_hashes[byte]});
    }
    if (owner_.row_->ignore_merges) {
      if (const TokenId id = tables_.tokens.Find(buffer_); id >= 0) {
        out_.push_back(id);
        return;
      }
    }
    merger_.Run();
    for (const MergeSymbol& symbol : symbols) {
      const std::string_view text = merger_.policy().TextOf(symbol);
      const TokenId id = tables_.tokens.Find(text, symbol.hash);
      id >= 0 ? out_.push_back(id) : EncodeBytes(text);
    }
  }

  // Of a merge that makes no token: its characters; one that is no token either has no id and is
  // left out.
  void EncodeBytes(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      const size_t size = Utf8Announced(text[at]);
      const TokenId id = tables_.tokens.Find(text.substr(at, size));
      if (id >= 0) out_.push_back(id);
      at += size;
    }
  }

  const BpeTokenizer& owner_;
  const Tables& tables_;
  std::vector<TokenId>& out_;
  std::string buffer_;  // the word in the byte alphabet
  WordCache cache_;
  PairMerger<BpePolicy> merger_;
};

std::vector<TokenId> BpeTokenizer::Encode(std::string_view text,
                                          const EncodeOptions& options) const {
  CheckTextSize(text);
  const Tables& tables = EncodeTables();
  std::vector<TokenId> out;
  if (options.add_special && add_bos_) out.push_back(vocab_.bos());
  Encoder encoder(*this, tables, out);
  const SpecialSplitter& splitter = options.parse_special ? tables.specials : tables.user_defined;
  for (const Fragment& fragment : splitter.Split(text)) {
    fragment.token >= 0 ? out.push_back(fragment.token) : encoder.EncodeText(fragment.text);
  }
  if (options.add_special && add_eos_) out.push_back(vocab_.eos());
  return out;
}

std::string BpeTokenizer::Decode(TokenId token, bool /*first*/, bool render_special) const {
  CheckTokenId(token, vocab_.size());
  const std::string_view text = vocab_.Text(token);
  switch (vocab_.Type(token)) {
    case TokenType::kControl:
    case TokenType::kUnknown:
      return render_special ? std::string(text) : std::string();
    case TokenType::kUserDefined:
      return std::string(text);
    default:
      break;
  }
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const ByteAlphabet::Parsed parsed = kByteAlphabet.Parse(text.substr(at));
    out += parsed.size != 0 ? parsed.byte : text[at];
    at += parsed.size != 0 ? parsed.size : 1;
  }
  return out;
}

}  // namespace smallmind
