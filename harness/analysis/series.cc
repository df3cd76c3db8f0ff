// Tested through comparison_test.cc on synthetic runs with lost, repeated and contaminated samples.
#include "harness/analysis/series.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/stats/summary.h"

namespace smallmind::harness {
namespace {

template <typename T>
void AddOnce(std::vector<T>& list, const T& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

const double* FindMetricValue(const Sample& sample, const std::string& metric) {
  const auto found = sample.metrics.find(metric);
  return found == sample.metrics.end() ? nullptr : &found->second;
}

}  // namespace

Series::Series(const std::vector<Sample>& samples, Prompts prompts) {
  for (const Sample& sample : samples) {
    if (!sample.Usable() || IsTraining(sample.workload) != (prompts == Prompts::kTraining))
      continue;
    const Regime regime{sample.model, sample.workload};
    AddOnce(variants_, sample.variant);
    AddOnce(regimes_, regime);
    const Sample*& slot = cells_[{sample.variant, regime}][{sample.round, sample.layout}];
    if (slot == nullptr || sample.attempt >= slot->attempt) slot = &sample;
  }
}

Series::Series(const RunInfo& run, const std::vector<Sample>& samples, Prompts prompts)
    : Series(samples, prompts) {
  std::vector<std::string> variants;
  for (const VariantInfo& v : run.variants) {
    if (std::ranges::find(variants_, v.name) != variants_.end()) AddOnce(variants, v.name);
  }
  std::vector<Regime> regimes;
  for (const ModelInfo& model : run.models) {
    for (const Workload& workload : run.workloads) {
      const Regime regime{model.name, workload.name};
      if (std::ranges::find(regimes_, regime) != regimes_.end()) AddOnce(regimes, regime);
    }
  }
  // What the run's head does not name (a record made by hand) comes after what it names.
  for (const std::string& name : variants_) AddOnce(variants, name);
  for (const Regime& regime : regimes_) AddOnce(regimes, regime);
  variants_ = std::move(variants);
  regimes_ = std::move(regimes);
}

std::vector<const Sample*> Series::Cell(const std::string& variant, const Regime& regime) const {
  std::vector<const Sample*> cell;
  const auto found = cells_.find({variant, regime});
  if (found == cells_.end()) return cell;
  for (const auto& [slot, sample] : found->second) cell.push_back(sample);
  return cell;
}

std::vector<double> Series::Values(const std::string& variant, const Regime& regime,
                                   const std::string& metric, Cleanliness clean) const {
  std::vector<double> values;
  for (const Sample* sample : Cell(variant, regime)) {
    if (clean == Cleanliness::kCleanOnly && sample->contaminated) continue;
    if (const double* value = FindMetricValue(*sample, metric)) values.push_back(*value);
  }
  return values;
}

std::map<int, double> Series::RoundLogs(const std::string& variant, const Regime& regime,
                                        const std::string& metric, Cleanliness clean) const {
  std::map<int, std::vector<double>> logs;
  std::set<int> dirty;
  for (const Sample* sample : Cell(variant, regime)) {
    if (clean == Cleanliness::kCleanOnly && sample->contaminated) dirty.insert(sample->round);
    const double* value = FindMetricValue(*sample, metric);
    if (value != nullptr && *value > 0.0) logs[sample->round].push_back(std::log(*value));
  }
  std::map<int, double> means;
  for (const auto& [round, values] : logs) {
    if (dirty.count(round) == 0) means[round] = stats::Mean(values);
  }
  return means;
}

std::vector<stats::PairedBuild> Series::Pairs(const std::string& variant,
                                              const std::string& reference, const Regime& regime,
                                              const std::string& metric, Cleanliness clean) const {
  const auto ours = cells_.find({variant, regime});
  const auto theirs = cells_.find({reference, regime});
  std::vector<stats::PairedBuild> builds;
  if (ours == cells_.end() || theirs == cells_.end()) return builds;
  std::map<int, stats::PairedBuild> by_layout;
  for (const auto& [slot, sample] : ours->second) {
    auto partner = theirs->second.find(slot);
    if (partner == theirs->second.end()) partner = theirs->second.find({slot.round, 0});
    if (partner == theirs->second.end()) continue;
    const Sample& other = *partner->second;
    if (clean == Cleanliness::kCleanOnly && (sample->contaminated || other.contaminated)) continue;
    const double* value = FindMetricValue(*sample, metric);
    const double* base = FindMetricValue(other, metric);
    if (value == nullptr || base == nullptr) continue;
    by_layout[slot.layout].push_back({{*value}, {*base}});
  }
  for (auto& [layout, build] : by_layout) builds.push_back(std::move(build));
  return builds;
}

}  // namespace smallmind::harness
