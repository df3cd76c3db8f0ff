// A special token that overlaps no other is simply taken. Where they overlap — runs of newlines in
// a vocabulary that has tokens for 1 to 31 of them — the overlapping stretch alone is cut again:
// for each token length, descending, what is still text takes tokens from the left. That is the
// order in which a token-by-token search over the whole text would have found them, without
// searching it once a token. Tested by special_split_test.cc against that plain search.
#include "engine/tokenizer/special_split.h"

#include <algorithm>
#include <bitset>
#include <numeric>
#include <string>
#include <utility>

#include "engine/base/error.h"

namespace smallmind {
namespace {

bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

SpecialSplitter::SpecialSplitter(const Vocab& vocab, bool with_control, std::vector<TokenId> rstrip)
    : rstrip_(std::move(rstrip)) {
  constexpr size_t kLongest = 512;
  for (const TokenId id : vocab.specials()) {
    if (!with_control && vocab.Type(id) != TokenType::kUserDefined) continue;
    const std::string_view text = vocab.Text(id);
    if (text.size() > kLongest) {
      throw InputError(vocab.path() + ": special token " + std::to_string(id) + " has " +
                       std::to_string(text.size()) + " bytes; at most " + std::to_string(kLongest) +
                       " are allowed");
    }
    if (!text.empty()) specials_.push_back({text, id, -1});
  }
  const auto same = [](const Special& a, const Special& b) { return a.text == b.text; };
  std::stable_sort(specials_.begin(), specials_.end(),
                   [](const Special& a, const Special& b) { return a.text < b.text; });
  specials_.erase(std::unique(specials_.begin(), specials_.end(), same), specials_.end());
  std::bitset<kLongest + 1> lengths;
  int32_t prefix = -1;
  for (size_t i = 0; i < specials_.size(); ++i) {
    Special& special = specials_[i];
    while (prefix >= 0 && !special.text.starts_with(specials_[static_cast<size_t>(prefix)].text)) {
      prefix = specials_[static_cast<size_t>(prefix)].prefix;
    }
    special.prefix = prefix;
    prefix = static_cast<int32_t>(i);
    ++first_[static_cast<uint8_t>(special.text[0]) + size_t{1}];
    lengths.set(special.text.size());
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  for (uint32_t length = kLongest; length > 0; --length) {
    if (lengths[length]) lengths_.push_back(length);
  }
}

int32_t SpecialSplitter::LongestAt(std::string_view text, size_t at) const {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const Special* low = specials_.data() + first_[byte(0)];
  const Special* high = specials_.data() + first_[byte(0) + size_t{1}];
  int32_t longest = -1;
  // All of [low, high) begin with the `agreed` bytes at `at`; one that ends there comes first.
  for (size_t agreed = 1; low != high; ++agreed) {
    if (low->text.size() == agreed) {
      longest = static_cast<int32_t>(low - specials_.data());
      ++low;
    }
    if (low == high || at + agreed == text.size()) break;
    const auto next = [agreed](const Special& s) { return static_cast<uint8_t>(s.text[agreed]); };
    const uint8_t wanted = byte(agreed);
    if (next(*low) != wanted) {
      low = std::partition_point(low, high, [&](const Special& s) { return next(s) < wanted; });
    }
    if (low != high && next(high[-1]) != wanted) {
      high = std::partition_point(low, high, [&](const Special& s) { return next(s) == wanted; });
    }
  }
  return longest;
}

std::vector<Fragment> SpecialSplitter::Split(std::string_view text) const {
  std::vector<Fragment> out;
  if (text.empty()) return out;
  if (specials_.empty()) return {{text, -1}};
  const auto end_of = [this](size_t at, int32_t special) {
    return at + specials_[static_cast<size_t>(special)].text.size();
  };
  size_t pending = 0;  // text[0, pending) is in `out`
  const auto take = [&](size_t begin, size_t end, TokenId id) {
    if (begin > pending) out.push_back({text.substr(pending, begin - pending), -1});
    out.push_back({text.substr(begin, end - begin), id});
    pending = end;
  };
  for (size_t at = 0; at < text.size();) {
    const int32_t special = LongestAt(text, at);
    if (special < 0) {
      ++at;
      continue;
    }
    size_t end = end_of(at, special);
    bool overlap = false;
    for (size_t inner = at + 1; inner < end; ++inner) {
      const int32_t other = LongestAt(text, inner);
      if (other < 0 || end_of(inner, other) <= end) continue;
      overlap = true;
      end = end_of(inner, other);
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
      take(at, end, specials_[static_cast<size_t>(special)].id);
    }
    at = end;
  }
  if (pending < text.size()) out.push_back({text.substr(pending), -1});
  if (!rstrip_.empty()) Strip(out);
  return out;
}

std::vector<Fragment> SpecialSplitter::SplitCluster(std::string_view cluster) const {
  constexpr int32_t kTaken = -2;
  // The longest token that each place may still take. What was taken is at least as long as what is
  // tried: a token fits where neither its first nor its last byte is taken.
  std::vector<int32_t> longest(cluster.size());
  for (size_t at = 0; at < cluster.size(); ++at) longest[at] = LongestAt(cluster, at);
  std::vector<std::pair<size_t, int32_t>> taken;
  for (const uint32_t length : lengths_) {
    for (size_t at = 0; at + length <= cluster.size(); ++at) {
      if (longest[at] < 0) continue;
      const Special& special = specials_[static_cast<size_t>(longest[at])];
      if (special.text.size() != length) continue;
      if (longest[at + length - 1] == kTaken) {
        longest[at] = special.prefix;
        continue;
      }
      taken.emplace_back(at, longest[at]);
      std::fill_n(longest.begin() + static_cast<std::ptrdiff_t>(at), length, kTaken);
    }
  }
  std::sort(taken.begin(), taken.end());
  std::vector<Fragment> pieces;
  size_t pending = 0;
  for (const auto& [at, place] : taken) {
    const Special& special = specials_[static_cast<size_t>(place)];
    if (at > pending) pieces.push_back({cluster.substr(pending, at - pending), -1});
    pending = at + special.text.size();
    pieces.push_back({cluster.substr(at, special.text.size()), special.id});
  }
  if (pending < cluster.size()) pieces.push_back({cluster.substr(pending), -1});
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
