// Puts one claim after another to a run: a row a model and workload, each with its verdict.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "harness/claims.h"

namespace smallmind::harness {

// What it is given must outlive it. A claim about what the run did not measure becomes one
// row.
class ClaimBench {
 public:
  ClaimBench(const RunInfo& run, const Series& series, const std::vector<OutputCheck>& outputs,
             const AnalysisOptions& options)
      : run_(run), series_(series), outputs_(outputs), options_(options) {}

  // `gain`: the claim speaks of "times faster", so a lower-is-better ratio is inverted.
  void Ratio(const Claim& claim, bool gain);
  void Absolute(const Claim& claim);
  void Size(Claim claim);
  void IdenticalOutputs(Claim claim);

  std::vector<Claim> claims;

 private:
  bool Present(const Claim& claim, std::initializer_list<std::string> needed);
  void Missing(Claim claim);
  void Settle(Claim& claim) const;
  void CheckAgainst(const stats::Interval& all, Claim& claim) const;

  const RunInfo& run_;
  const Series& series_;
  const std::vector<OutputCheck>& outputs_;
  const AnalysisOptions& options_;
};

}  // namespace smallmind::harness
