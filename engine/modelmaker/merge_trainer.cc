// Symbols are interned as integers; pair counts are kept up to date by revisiting only the words
// that contain the merged pair. Tested in vocabulary_test.cc.
#include "engine/modelmaker/merge_trainer.h"

#include <algorithm>
#include <unordered_map>

namespace smallmind {
namespace {

using Pair = std::pair<uint32_t, uint32_t>;

struct PairHash {
  size_t operator()(const Pair& p) const {
    return (uint64_t{p.first} << 32 | p.second) * 0x9e3779b97f4a7c15u;
  }
};

class Trainer {
 public:
  explicit Trainer(const std::vector<WeightedWord>& words) {
    for (const WeightedWord& word : words) {
      std::vector<uint32_t> ids;
      for (const std::string& symbol : word.symbols) ids.push_back(Intern(symbol));
      words_.push_back(std::move(ids));
      counts_.push_back(word.count);
    }
    for (size_t w = 0; w < words_.size(); ++w) Account(w, +1);
  }

  // The pair to merge next; false where none is left.
  bool Best(Pair* best) const {
    int64_t best_count = 0;
    for (size_t i = 0; i < pairs_.size(); ++i) {  // first seen wins ties
      if (pairs_[i].count > best_count) {
        best_count = pairs_[i].count;
        *best = pairs_[i].pair;
      }
    }
    return best_count > 0;
  }

  std::pair<std::string, std::string> Merge(Pair pair) {
    const std::pair<std::string, std::string> texts = {texts_[pair.first], texts_[pair.second]};
    const uint32_t joined = Intern(texts.first + texts.second);
    std::vector<uint32_t> places = std::move(pairs_[pair_index_.at(pair)].words);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (const uint32_t w : places) {
      Account(w, -1);
      std::vector<uint32_t>& ids = words_[w];
      size_t to = 0;
      for (size_t from = 0; from < ids.size(); ++to) {
        const bool hit =
            from + 1 < ids.size() && ids[from] == pair.first && ids[from + 1] == pair.second;
        ids[to] = hit ? joined : ids[from];
        from += hit ? 2 : 1;
      }
      ids.resize(to);
      Account(w, +1);
    }
    return texts;
  }

 private:
  struct PairState {
    Pair pair;
    int64_t count = 0;
    std::vector<uint32_t> words;  // that contained it at some time
  };

  uint32_t Intern(const std::string& text) {
    const auto [at, added] = ids_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (added) texts_.push_back(text);
    return at->second;
  }

  void Account(size_t w, int sign) {
    const std::vector<uint32_t>& ids = words_[w];
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const Pair pair = {ids[i], ids[i + 1]};
      const auto [at, added] = pair_index_.try_emplace(pair, pairs_.size());
      if (added) pairs_.push_back({pair, 0, {}});
      PairState& state = pairs_[at->second];
      state.count += sign * static_cast<int64_t>(counts_[w]);
      if (sign > 0) state.words.push_back(static_cast<uint32_t>(w));
    }
  }

  std::vector<std::vector<uint32_t>> words_;
  std::vector<uint64_t> counts_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<PairState> pairs_;  // in order of first appearance
  std::unordered_map<Pair, size_t, PairHash> pair_index_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> LearnMerges(const std::vector<WeightedWord>& words,
                                                             size_t limit) {
  Trainer trainer(words);
  std::vector<std::pair<std::string, std::string>> merges;
  for (Pair pair; merges.size() < limit && trainer.Best(&pair);)
    merges.push_back(trainer.Merge(pair));
  return merges;
}

}  // namespace smallmind
