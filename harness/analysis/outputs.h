// Do the variants compute the same thing? Proved by hashes before any speed is compared.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis/series.h"
#include "harness/record.h"

namespace smallmind::harness {

enum class OutputStatus {
  kReference,   // the one the others are compared with
  kSame,        // tokens and logits
  kTokensOnly,  // same tokens, different logits
  kDifferent,   // different tokens
  kUnstable,    // does not agree with itself between samples
  kUnchecked,   // a peer, or no hash to compare
};

struct OutputCheck {
  std::string variant;
  Regime regime;
  OutputStatus status = OutputStatus::kUnchecked;
  std::string token_hash, logits_hash;
  std::string detail;  // one sentence where it is not the same
};

std::vector<OutputCheck> CheckOutputs(const Series& series, const std::string& reference);

std::string ToString(OutputStatus status);
// Different, unstable or differing logits: flagged in the table and not ranked.
bool Disqualifies(OutputStatus status);
// The first check that keeps the variant out of the ranking; null where none does.
const OutputCheck* Disqualifying(const std::vector<OutputCheck>& outputs,
                                 const std::string& variant);

void to_json(Json& json, const OutputCheck& check);

}  // namespace smallmind::harness
