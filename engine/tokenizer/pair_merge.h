// Greedy pair merging, the step both tokenizers share: again and again the adjacent pair of lowest
// priority value (leftmost among equals) becomes one symbol, until no pair may merge.
//
// Short words scan an array (n <= 24: cheaper than any queue). Long ones use a heap of 16-byte
// entries over a linked list, O(n log n). An entry is stale where its left symbol is gone or left
// and right no longer have the size they had: symbols only grow, so an equal size means the same
// two symbols.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace smallmind {

struct MergeSymbol {
  uint32_t begin = 0;  // bytes [begin, begin + size) of the buffer being merged
  uint32_t size = 0;   // 0: merged into its left neighbour
  uint64_t hash = 0;   // free for the policy
  // Neighbours in the long path's list; one record a symbol, so that a merge somewhere in a
  // megabyte touches one or two cache lines.
  uint32_t previous = 0, next = 0;
};

inline constexpr uint32_t kNoMerge = 0xffffffffu;

// Policy: uint32_t Priority(const MergeSymbol& left, const MergeSymbol& right), kNoMerge where the
// pair may not merge; void Merged(MergeSymbol& symbol) after a symbol has grown.
template <class Policy>
class PairMerger {
 public:
  explicit PairMerger(Policy policy) : policy_(policy) {}

  Policy& policy() { return policy_; }
  // Filled by the caller; after Run the symbols that are left, in order.
  std::vector<MergeSymbol>& symbols() { return symbols_; }

  void Run() {
    if (symbols_.size() < 2) return;
    symbols_.size() <= kShort ? RunShort() : RunLong();
  }

 private:
  static constexpr size_t kShort = 24;
  struct Entry {
    uint64_t key;   // priority << 32 | left: one comparison orders by both
    uint32_t size;  // of left and right together when pushed
    bool operator>(const Entry& other) const { return key > other.key; }
  };

  void RunShort() {
    uint32_t priorities[kShort];
    size_t n = symbols_.size();
    MergeSymbol* const s = symbols_.data();
    for (size_t i = 0; i + 1 < n; ++i) priorities[i] = policy_.Priority(s[i], s[i + 1]);
    while (n > 1) {
      size_t best = 0;
      for (size_t i = 1; i + 1 < n; ++i) {
        if (priorities[i] < priorities[best]) best = i;
      }
      if (priorities[best] == kNoMerge) break;
      s[best].size += s[best + 1].size;
      policy_.Merged(s[best]);
      --n;
      for (size_t i = best + 1; i < n; ++i) s[i] = s[i + 1];
      for (size_t i = best; i + 1 < n; ++i) priorities[i] = priorities[i + 1];
      if (best > 0) priorities[best - 1] = policy_.Priority(s[best - 1], s[best]);
      if (best + 1 < n) priorities[best] = policy_.Priority(s[best], s[best + 1]);
    }
    symbols_.resize(n);
  }

  void RunLong() {
    const auto n = static_cast<uint32_t>(symbols_.size());
    heap_.clear();
    for (uint32_t i = 0; i < n; ++i) {
      symbols_[i].next = i + 1;
      symbols_[i].previous = i - 1;
      if (i + 1 < n) AddPair(i, i + 1);
    }
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const Entry entry = heap_.back();
      heap_.pop_back();
      const auto left = static_cast<uint32_t>(entry.key);
      MergeSymbol& symbol = symbols_[left];
      const uint32_t right = symbol.next;
      if (symbol.size == 0 || right == n || symbol.size + symbols_[right].size != entry.size) {
        continue;
      }
      symbol.size = entry.size;
      symbols_[right].size = 0;
      policy_.Merged(symbol);
      symbol.next = symbols_[right].next;
      if (symbol.next != n) symbols_[symbol.next].previous = left;
      if (left != 0 && AddPair(symbol.previous, left)) Sift();
      if (symbol.next != n && AddPair(left, symbol.next)) Sift();
    }
    std::erase_if(symbols_, [](const MergeSymbol& symbol) { return symbol.size == 0; });
  }

  bool AddPair(uint32_t left, uint32_t right) {
    const uint32_t priority = policy_.Priority(symbols_[left], symbols_[right]);
    if (priority == kNoMerge) return false;
    heap_.push_back(
        {static_cast<uint64_t>(priority) << 32 | left, symbols_[left].size + symbols_[right].size});
    return true;
  }
  void Sift() { std::push_heap(heap_.begin(), heap_.end(), std::greater<>()); }

  Policy policy_;
  std::vector<MergeSymbol> symbols_;
  std::vector<Entry> heap_;
};

}  // namespace smallmind
