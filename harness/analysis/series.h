// The samples of a run, arranged for comparing: cells (variant x model x workload) and pairs by
// round.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/record.h"
#include "harness/stats/hierarchy.h"

namespace smallmind::harness {

// One model under one workload: what a table is about.
struct Regime {
  std::string model;
  std::string workload;
  auto operator<=>(const Regime&) const = default;
};

// Which samples a result rests on.
enum class Cleanliness { kAll, kCleanOnly };

// Evaluation prompts are what results are about; training prompts answer for PGO's honesty alone.
enum class Prompts { kEvaluation, kTraining };

// Points into `samples`, which must outlive it. Warm-ups and samples that are not ok never enter; a
// later attempt of the same cell and round replaces an earlier one.
class Series {
 public:
  explicit Series(const std::vector<Sample>& samples, Prompts prompts = Prompts::kEvaluation);
  // The same with variants and regimes in the run's order instead of that of the first samples.
  Series(const RunInfo& run, const std::vector<Sample>& samples,
         Prompts prompts = Prompts::kEvaluation);

  // Variants and regimes that have usable samples.
  const std::vector<std::string>& variants() const { return variants_; }
  const std::vector<Regime>& regimes() const { return regimes_; }

  // By round, then layout.
  std::vector<const Sample*> Cell(const std::string& variant, const Regime& regime) const;

  // Values of a metric in a cell, all layouts; samples without the metric are left out.
  std::vector<double> Values(const std::string& variant, const Regime& regime,
                             const std::string& metric, Cleanliness clean) const;

  // log(metric) by round, the mean over layouts where there are several.
  std::map<int, double> RoundLogs(const std::string& variant, const Regime& regime,
                                  const std::string& metric, Cleanliness clean) const;

  // Rounds that both variants finished, a build for each layout; a layout that the reference lacks
  // is paired with the reference's own binary. kCleanOnly drops a pair if either side is
  // contaminated.
  std::vector<stats::PairedBuild> Pairs(const std::string& variant, const std::string& reference,
                                        const Regime& regime, const std::string& metric,
                                        Cleanliness clean) const;

 private:
  struct Key {
    std::string variant;
    Regime regime;
    auto operator<=>(const Key&) const = default;
  };
  struct Slot {
    int round = 0;
    int layout = 0;
    auto operator<=>(const Slot&) const = default;
  };
  std::map<Key, std::map<Slot, const Sample*>> cells_;
  std::vector<std::string> variants_;
  std::vector<Regime> regimes_;
};

}  // namespace smallmind::harness
