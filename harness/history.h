// Runs over time: results/history.jsonl, one line a recorded run, and where its series changed
// level.
#pragma once

#include <string>
#include <vector>

#include "harness/analysis.h"
#include "harness/load_run.h"

namespace smallmind::harness {

struct HistoryPoint {
  std::string variant, model, workload, metric;
  double value = 0.0, low = 0.0, high = 0.0;
};

struct HistoryChange {
  std::string variant, model, workload, metric;
  size_t index = 0;  // of the first entry of the new level, among those comparable
  double p_value = 1.0;
  double before = 0.0, after = 0.0;
};

struct HistoryEntry {
  std::string run, created, git, machine;
  std::string conditions;              // toolchain, and what was unusual: "gcc, cold"
  std::vector<HistoryPoint> points;    // headline metrics
  std::vector<HistoryChange> changes;  // of all comparable entries up to this one

  // Absolute values compare on one machine, under the same conditions.
  bool ComparesWith(const HistoryEntry& other) const {
    return machine == other.machine && conditions == other.conditions;
  }
};

// Lines that are no entries are ignored: a torn line must not cost the history. Missing file: none.
std::vector<HistoryEntry> LoadHistory(const std::string& path);

HistoryEntry MakeHistoryEntry(const Run& run, const Analysis& analysis);

// Change points of every series over the entries that compare with `last`, by E-divisive. The
// chance of a false one in any of the series is 0.01: a history is looked at after every run, so
// the usual 0.05 would cry wolf once in twenty looks. The price: with hundreds of series a step
// shows from about 18 entries on.
std::vector<HistoryChange> FindHistoryChanges(const std::vector<HistoryEntry>& entries,
                                              const HistoryEntry& last);

// Appends the run with the changes found so far and returns its entry. A run that is not newer than
// the last entry that it compares with (a report made again) is not appended; that entry is
// returned.
// RunError where the file cannot be written.
HistoryEntry AppendHistory(const std::string& path, const Run& run, const Analysis& analysis);

void to_json(Json& json, const HistoryEntry& entry);
void from_json(const Json& json, HistoryEntry& entry);

}  // namespace smallmind::harness
