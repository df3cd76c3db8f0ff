// What disturbed a run: failures, and contaminated samples by the rule that marked them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

struct Ledger {
  size_t samples = 0;  // without warm-ups
  size_t usable = 0;
  size_t contaminated = 0;  // of the usable
  size_t warmups = 0;
  std::map<std::string, size_t> by_cause;  // "steal", "involuntary switches", …
  std::map<std::string, size_t> failed_by_variant;
  std::map<int, size_t> contaminated_by_round;
  std::vector<int64_t> contaminated_ids;
  std::vector<std::string> failures;  // "production, round 3, sample 41: signal 9 (SIGKILL)"
  // Rounds that hold most of the contamination, where it is not spread evenly: "rounds 6-11".
  std::string concentrated_in;
};

Ledger KeepLedger(const std::vector<Sample>& samples);

void to_json(Json& json, const Ledger& ledger);

}  // namespace smallmind::harness
