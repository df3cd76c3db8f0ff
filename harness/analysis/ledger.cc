#include "harness/analysis/ledger.h"

#include <algorithm>
#include <sstream>

namespace smallmind::harness {
namespace {

// "steal 3.1 %" -> "steal", "10605 involuntary switches per CPU second" -> the same without its
// figure.
std::string Cause(const std::string& reason) {
  std::istringstream in(reason);
  std::string words;
  for (std::string word; in >> word;) {
    const bool figure = word.find_first_not_of("0123456789.,:%+-x×") == std::string::npos;
    if (!figure) words += (words.empty() ? "" : " ") + word;
  }
  return words.empty() ? reason : words;
}

}  // namespace

Ledger KeepLedger(const std::vector<Sample>& samples) {
  Ledger ledger;
  std::map<int, size_t> per_round;
  for (const Sample& s : samples) {
    if (s.warmup) {
      ++ledger.warmups;
      continue;
    }
    ++ledger.samples;
    if (s.status != SampleStatus::kOk) {
      ++ledger.failed_by_variant[s.variant];
      ledger.failures.push_back(s.variant + ", round " + std::to_string(s.round) + ", sample " +
                                std::to_string(s.id) + ": " + s.reason);
      continue;
    }
    ++ledger.usable;
    ++per_round[s.round];
    if (!s.contaminated) continue;
    ++ledger.contaminated;
    ++ledger.contaminated_by_round[s.round];
    ledger.contaminated_ids.push_back(s.id);
    for (const std::string& reason : s.contamination) ++ledger.by_cause[Cause(reason)];
  }
  // The longest stretch of rounds with at least half of their samples contaminated.
  int best_begin = 0, best_end = -1, begin = 0;
  bool inside = false;
  for (const auto& [round, count] : per_round) {
    const auto found = ledger.contaminated_by_round.find(round);
    const bool bad = found != ledger.contaminated_by_round.end() && 2 * found->second >= count;
    if (bad && !inside) begin = round;
    inside = bad;
    if (bad && round - begin > best_end - best_begin) {
      best_begin = begin;
      best_end = round;
    }
  }
  const int rounds = static_cast<int>(per_round.size());
  size_t within = 0;
  for (const auto& [round, count] : ledger.contaminated_by_round) {
    if (round >= best_begin && round <= best_end) within += count;
  }
  if (2 * within > ledger.contaminated && best_end - best_begin + 1 < rounds) {
    ledger.concentrated_in = best_begin == best_end ? "round " + std::to_string(best_begin)
                                                    : "rounds " + std::to_string(best_begin) + "-" +
                                                          std::to_string(best_end);
  }
  return ledger;
}

void to_json(Json& json, const Ledger& ledger) {
  Json rounds = Json::object();
  for (const auto& [round, count] : ledger.contaminated_by_round)
    rounds[std::to_string(round)] = count;
  json = {{"samples", ledger.samples},           {"usable", ledger.usable},
          {"contaminated", ledger.contaminated}, {"warmups", ledger.warmups},
          {"by_cause", ledger.by_cause},         {"failed_by_variant", ledger.failed_by_variant},
          {"contaminated_by_round", rounds},     {"contaminated_ids", ledger.contaminated_ids},
          {"failures", ledger.failures},         {"concentrated_in", ledger.concentrated_in}};
}

}  // namespace smallmind::harness
