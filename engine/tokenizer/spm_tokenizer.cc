// What a merge makes must be a token, so no merge crosses a place where the two neighbouring
// characters stand side by side in no token at all. Cutting the text at such places ("…x" before
// "▁…" in practice: words) changes nothing — merges on either side never see each other, and
// priority only orders what interacts — and leaves short pieces that a cache can replay. (Tokens
// that are no UTF-8 need no exception: such a token is a run of the text's characters, and a byte
// that begins no sequence in the text begins none in the token.) A text that offers no such place
// goes through the heap as a whole. Tested by tokenizer_test.cc (the shared vocabularies' expected
// ids; cut and uncut give the same ids) and against a plain tokenizer by tokenizer_fuzz.cc.
#include "engine/tokenizer/spm_tokenizer.h"

#include <algorithm>
#include <bit>

#include "engine/base/error.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/model_quirks.h"
#include "engine/tokenizer/pair_merge.h"

namespace smallmind {
namespace {

constexpr std::string_view kSpace = "\xe2\x96\x81";  // ▁

// "<0x0A>" -> 10; −1 for any other text.
int ByteOf(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  int value = 0;
  for (const char c : text.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// Highest score first as an ascending integer; −0 equals 0, NaN comes last.
uint32_t PriorityOf(float score) {
  if (!(score == score)) return kNoMerge - 1;
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);
  const uint32_t ascending = bits ^ (bits >> 31 != 0 ? 0xffffffffu : 0x80000000u);
  return std::min(~ascending, kNoMerge - 1);
}

uint8_t LastClass(std::string_view character) {
  return character == kSpace ? 0x20 : static_cast<uint8_t>(character.back());
}
uint8_t FirstClass(std::string_view character) {
  return character == kSpace ? 0x20 : static_cast<uint8_t>(character.front());
}

// A whole UTF-8 sequence, or one byte that begins none: a stray lead byte must not swallow half a
// ▁.
std::string_view CharacterAt(std::string_view text, size_t at) {
  if (static_cast<uint8_t>(text[at]) < 0x80) return text.substr(at, 1);
  return text.substr(at, std::max(Utf8Valid(text.substr(at)), size_t{1}));
}

struct SpmPolicy {
  const Vocab* vocab;
  const TokenTable* tokens;
  std::string_view buffer;

  uint32_t Priority(const MergeSymbol& left, const MergeSymbol& right) const {
    const size_t size = left.size + right.size;
    if (size > vocab->longest_text()) return kNoMerge;
    const TokenId id = tokens->Find(buffer.substr(left.begin, size));
    return id < 0 ? kNoMerge : PriorityOf(vocab->Score(id));
  }
  void Merged(MergeSymbol&) const {}
};

}  // namespace

SpmTokenizer::SpmTokenizer(const GgufFile& file, Vocab vocab) : vocab_(std::move(vocab)) {
  if (!vocab_.has_scores()) throw InputError(vocab_.path() + ": tokenizer.ggml.scores is missing");
  add_bos_ = file.Bool("tokenizer.ggml.add_bos_token", true) && vocab_.bos() >= 0;
  add_eos_ = file.Bool("tokenizer.ggml.add_eos_token", false) && vocab_.eos() >= 0;
  add_space_prefix_ = file.Bool("tokenizer.ggml.add_space_prefix", true);
  rstrip_ = RightStrippedTokens(file, vocab_);
}

void SpmTokenizer::BuildTables() const {
  // Text is never merged into a control token ("<" "s>") nor into a byte's name: as in
  // SentencePiece, those are reached by parse_special and by fallback alone.
  tables_.tokens = TokenTable(vocab_, {TokenType::kControl, TokenType::kUnknown, TokenType::kByte});
  tables_.user_defined = SpecialSplitter(vocab_, false, rstrip_);
  tables_.specials = SpecialSplitter(vocab_, true, rstrip_);
  tables_.bytes.fill(-1);
  for (size_t i = vocab_.size(); i-- > 0;) {
    const auto id = static_cast<TokenId>(i);
    const bool is_byte = vocab_.Type(id) == TokenType::kByte;
    if (const int byte = is_byte ? ByteOf(vocab_.Text(id)) : -1; byte >= 0) {
      tables_.bytes[static_cast<size_t>(byte)] = id;
    }
  }
  constexpr char kHex[] = "0123456789ABCDEF";
  for (size_t b = 0; b < 256; ++b) {
    TokenId& id = tables_.bytes[b];
    const char name[] = {'<', '0', 'x', kHex[b >> 4], kHex[b & 15], '>'};
    const char itself = static_cast<char>(b);
    if (id < 0) id = tables_.tokens.Find({name, 6});  // a vocabulary without types
    if (id < 0) id = tables_.tokens.Find({&itself, 1});
    if (id < 0) id = vocab_.unknown();
  }
  StringWalk walk = vocab_.Texts();
  for (size_t i = 0; i < vocab_.size(); ++i) {
    const std::string_view text = walk.Next();
    if (text.empty()) continue;
    std::string_view left = CharacterAt(text, 0);
    for (size_t at = left.size(); at < text.size();) {
      const std::string_view right = CharacterAt(text, at);
      tables_.joins.set(static_cast<size_t>(LastClass(left)) << 8 | FirstClass(right));
      at += right.size();
      left = right;
    }
  }
}

const SpmTokenizer::Tables& SpmTokenizer::EncodeTables() const {
  std::call_once(once_, [this] { BuildTables(); });
  return tables_;
}

std::string SpmTokenizer::Escape(std::string_view text, bool prefix) const {
  const auto spaces = static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
  std::string out;
  out.reserve(text.size() + 2 * spaces + kSpace.size());
  if (prefix) out += kSpace;
  while (!text.empty()) {
    const size_t at = std::min(text.find(' '), text.size());
    out += text.substr(0, at);
    if (at == text.size()) break;
    out += kSpace;
    text.remove_prefix(at + 1);
  }
  return out;
}

// One call's state: the fragments' escaped texts must outlive it (the cache points into them).
class SpmTokenizer::Encoder {
 public:
  Encoder(const Vocab& vocab, const Tables& tables, std::vector<TokenId>& out)
      : tables_(tables), out_(out), merger_({&vocab, &tables.tokens, {}}) {}

  // Cuts `text` where no token joins the neighbours.
  void EncodeText(std::string_view text) {
    if (text.empty()) return;
    size_t begin = 0;
    std::string_view left = CharacterAt(text, 0);
    for (size_t at = left.size(); at < text.size();) {
      const std::string_view right = CharacterAt(text, at);
      if (!tables_.joins[static_cast<size_t>(LastClass(left)) << 8 | FirstClass(right)]) {
        EncodePiece(text.substr(begin, at - begin));
        begin = at;
      }
      at += right.size();
      left = right;
    }
    EncodePiece(text.substr(begin));
  }

 private:
  void EncodePiece(std::string_view piece) {
    cache_.Encode(piece, out_, [this](std::string_view text) { Merge(text); });
  }

  void Merge(std::string_view piece) {
    std::vector<MergeSymbol>& symbols = merger_.symbols();
    symbols.clear();
    for (size_t at = 0; at < piece.size();) {
      const size_t size = CharacterAt(piece, at).size();
      symbols.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(size), 0});
      at += size;
    }
    merger_.policy().buffer = piece;
    merger_.Run();
    for (const MergeSymbol& symbol : symbols) {
      const std::string_view text = piece.substr(symbol.begin, symbol.size);
      const TokenId id = tables_.tokens.Find(text);
      if (id >= 0) {
        out_.push_back(id);
        continue;
      }
      for (const char c : text) {
        const TokenId byte = tables_.bytes[static_cast<uint8_t>(c)];
        if (byte >= 0) out_.push_back(byte);
      }
    }
  }

  const Tables& tables_;
  std::vector<TokenId>& out_;
  WordCache cache_;
  PairMerger<SpmPolicy> merger_;
};

std::vector<TokenId> SpmTokenizer::Encode(std::string_view text,
                                          const EncodeOptions& options) const {
  CheckTextSize(text);
  const Tables& tables = EncodeTables();
  std::vector<TokenId> out;
  if (options.add_special && add_bos_) out.push_back(vocab_.bos());
  const std::vector<Fragment> fragments =
      (options.parse_special ? tables.specials : tables.user_defined).Split(text);
  std::vector<std::string> escaped(fragments.size());
  Encoder encoder(vocab_, tables, out);
  bool after_special = true;
  for (size_t i = 0; i < fragments.size(); ++i) {
    if (fragments[i].token >= 0) {
      out.push_back(fragments[i].token);
      after_special = true;
      continue;
    }
    escaped[i] = Escape(fragments[i].text, add_space_prefix_ && after_special);
    encoder.EncodeText(escaped[i]);
    after_special = false;
  }
  if (options.add_special && add_eos_) out.push_back(vocab_.eos());
  return out;
}

std::string SpmTokenizer::Decode(TokenId token, bool first, bool render_special) const {
  CheckTokenId(token, vocab_.size());
  const std::string_view text = vocab_.Text(token);
  switch (vocab_.Type(token)) {
    case TokenType::kControl:
    case TokenType::kUnknown:
      return render_special ? std::string(text) : std::string();
    case TokenType::kUserDefined:
      return std::string(text);
    case TokenType::kByte:
      if (const int byte = ByteOf(text); byte >= 0) return std::string(1, static_cast<char>(byte));
      break;
    default:
      break;
  }
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at, kSpace.size()) == kSpace) {
      out += ' ';
      at += kSpace.size();
    } else {
      out += text[at++];
    }
  }
  if (first && add_space_prefix_ && !out.empty() && out.front() == ' ') out.erase(0, 1);
  return out;
}

}  // namespace smallmind
