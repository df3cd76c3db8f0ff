// A special token that overlaps no other is simply taken. Where they overlap — runs of newlines in
// a vocabulary that has tokens for 1 to 31 of them — the overlapping stretch alone is cut again:
// for each token length, descending, the pieces that are still text are searched from the left.
// That is the order in which a token-by-token search over the whole text would have found them,
// without searching it once a token. Tested by tokenizer_test.cc against that plain search.
#include "engine/tokenizer/special_split.h"

#include <algorithm>
#include <functional>

namespace smallmind {
namespace {

void InsertLength(std::vector<uint32_t>& lengths, uint32_t length) {
  const auto at = std::lower_bound(lengths.begin(), lengths.end(), length, std::greater<>());
  if (at == lengths.end() || *at != length) lengths.insert(at, length);
}

bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

SpecialSplitter::SpecialSplitter(const Vocab& vocab, bool with_control, std::vector<TokenId> rstrip)
    : vocab_(&vocab), rstrip_(std::move(rstrip)) {
  std::vector<TokenId> ids;
  for (const TokenId id : vocab.specials()) {
    if (!with_control && vocab.Type(id) != TokenType::kUserDefined) continue;
    const std::string_view text = vocab.Text(id);
    if (text.empty()) continue;
    ids.push_back(id);
    const auto length = static_cast<uint32_t>(text.size());
    InsertLength(lengths_[static_cast<uint8_t>(text[0])], length);
    InsertLength(all_lengths_, length);
  }
  table_ = TokenTable(vocab, ids);
}

TokenId SpecialSplitter::LongestAt(std::string_view text, size_t at) const {
  for (const uint32_t length : lengths_[static_cast<uint8_t>(text[at])]) {
    if (length > text.size() - at) continue;
    const TokenId id = table_.Find(text.substr(at, length));
    if (id >= 0) return id;
  }
  return -1;
}

std::vector<Fragment> SpecialSplitter::Split(std::string_view text) const {
  std::vector<Fragment> out;
  if (text.empty()) return out;
  if (table_.empty()) return {{text, -1}};
  size_t pending = 0;  // text[0, pending) is in `out`
  const auto take = [&](size_t begin, size_t end, TokenId id) {
    if (begin > pending) out.push_back({text.substr(pending, begin - pending), -1});
    out.push_back({text.substr(begin, end - begin), id});
    pending = end;
  };
  for (size_t at = 0; at < text.size();) {
    const TokenId id = LongestAt(text, at);
    if (id < 0) {
      ++at;
      continue;
    }
    size_t end = at + vocab_->Text(id).size();
    bool overlap = false;
    for (size_t inner = at + 1; inner < end; ++inner) {
      const TokenId other = LongestAt(text, inner);
      if (other < 0) continue;
      const size_t other_end = inner + vocab_->Text(other).size();
      if (other_end > end) {
        overlap = true;
        end = other_end;
      }
    }
    if (overlap) {
      // What stays text at the cluster's edges joins the text around it.
      size_t begin = at;
      for (const Fragment& piece : SplitCluster(text.substr(at, end - at))) {
        const size_t piece_end = begin + piece.text.size();
        if (piece.token >= 0) take(begin, piece_end, piece.token);
        begin = piece_end;
      }
    } else {
      take(at, end, id);
    }
    at = end;
  }
  if (pending < text.size()) out.push_back({text.substr(pending), -1});
  if (!rstrip_.empty()) Strip(out);
  return out;
}

std::vector<Fragment> SpecialSplitter::SplitCluster(std::string_view cluster) const {
  std::vector<Fragment> pieces = {{cluster, -1}};
  std::vector<Fragment> next;
  for (const uint32_t length : all_lengths_) {
    next.clear();
    for (const Fragment& piece : pieces) {
      if (piece.token >= 0 || piece.text.size() < length) {
        next.push_back(piece);
        continue;
      }
      size_t pending = 0;
      for (size_t at = 0; at + length <= piece.text.size();) {
        const TokenId id = table_.Find(piece.text.substr(at, length));
        if (id < 0) {
          ++at;
          continue;
        }
        if (at > pending) next.push_back({piece.text.substr(pending, at - pending), -1});
        next.push_back({piece.text.substr(at, length), id});
        at = pending = at + length;
      }
      if (pending < piece.text.size()) next.push_back({piece.text.substr(pending), -1});
    }
    pieces.swap(next);
  }
  return pieces;
}

void SpecialSplitter::Strip(std::vector<Fragment>& fragments) const {
  for (size_t i = 1; i < fragments.size(); ++i) {
    if (fragments[i].token >= 0 || fragments[i - 1].token < 0) continue;
    if (!std::binary_search(rstrip_.begin(), rstrip_.end(), fragments[i - 1].token)) continue;
    std::string_view& text = fragments[i].text;
    while (!text.empty() && IsAsciiSpace(text.front())) text.remove_prefix(1);
  }
  std::erase_if(fragments, [](const Fragment& f) { return f.token < 0 && f.text.empty(); });
}

}  // namespace smallmind
