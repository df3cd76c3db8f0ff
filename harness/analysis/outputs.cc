#include "harness/analysis/outputs.h"

#include <algorithm>
#include <set>

namespace smallmind::harness {
namespace {

std::set<std::string> Hashes(const std::vector<const Sample*>& cell, const std::string& kind) {
  std::set<std::string> seen;
  for (const Sample* sample : cell) {
    const auto found = sample->hashes.find(kind);
    if (found != sample->hashes.end() && !found->second.empty()) seen.insert(found->second);
  }
  return seen;
}

std::string Only(const std::set<std::string>& seen) {
  return seen.size() == 1 ? *seen.begin() : "";
}

}  // namespace

std::string ToString(OutputStatus status) {
  switch (status) {
    case OutputStatus::kReference:
      return "reference";
    case OutputStatus::kSame:
      return "same";
    case OutputStatus::kTokensOnly:
      return "tokens only";
    case OutputStatus::kDifferent:
      return "different";
    case OutputStatus::kUnstable:
      return "unstable";
    case OutputStatus::kUnchecked:
      return "unchecked";
  }
  return "unchecked";
}

bool Disqualifies(OutputStatus status) {
  return status == OutputStatus::kTokensOnly || status == OutputStatus::kDifferent ||
         status == OutputStatus::kUnstable;
}

const OutputCheck* Disqualifying(const std::vector<OutputCheck>& outputs,
                                 const std::string& variant) {
  const auto found = std::ranges::find_if(outputs, [&](const OutputCheck& check) {
    return check.variant == variant && Disqualifies(check.status);
  });
  return found == outputs.end() ? nullptr : &*found;
}

std::vector<OutputCheck> CheckOutputs(const Series& series, const std::string& reference) {
  std::vector<OutputCheck> checks;
  for (const Regime& regime : series.regimes()) {
    const auto base = series.Cell(reference, regime);
    const std::string base_token = Only(Hashes(base, "token"));
    const std::string base_logits = Only(Hashes(base, "logits"));
    for (const std::string& variant : series.variants()) {
      const auto cell = series.Cell(variant, regime);
      if (cell.empty()) continue;
      OutputCheck check;
      check.variant = variant;
      check.regime = regime;
      const std::set<std::string> tokens = Hashes(cell, "token"), logits = Hashes(cell, "logits");
      check.token_hash = Only(tokens);
      check.logits_hash = Only(logits);
      if (tokens.size() > 1 || logits.size() > 1) {
        check.status = OutputStatus::kUnstable;
        check.detail = std::to_string(std::max(tokens.size(), logits.size())) +
                       " different outputs in " + std::to_string(cell.size()) + " samples";
      } else if (variant == reference) {
        check.status = tokens.empty() ? OutputStatus::kUnchecked : OutputStatus::kReference;
      } else if (tokens.empty() || base_token.empty()) {
        check.detail =
            tokens.empty() ? "prints no token hash" : "the reference has no single output";
      } else if (check.token_hash != base_token) {
        check.status = OutputStatus::kDifferent;
        check.detail = "tokens " + check.token_hash + ", reference " + base_token;
      } else if (check.logits_hash != base_logits) {
        check.status = OutputStatus::kTokensOnly;
        check.detail = "same tokens, logits " + check.logits_hash + ", reference " + base_logits;
      } else {
        check.status = OutputStatus::kSame;
      }
      checks.push_back(check);
    }
  }
  return checks;
}

void to_json(Json& json, const OutputCheck& check) {
  json = {{"variant", check.variant},
          {"model", check.regime.model},
          {"workload", check.regime.workload},
          {"status", ToString(check.status)},
          {"token_hash", check.token_hash},
          {"logits_hash", check.logits_hash},
          {"detail", check.detail}};
}

}  // namespace smallmind::harness
