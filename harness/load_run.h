// Run directories read back: run.json and samples.jsonl.
#pragma once

#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

// A run directory in memory. BadInput where run.json is missing or not JSON, the schema is newer,
// or run.json counts samples and samples.jsonl is missing. A torn last line of samples.jsonl (a
// killed run) is ignored; any other bad line is BadInput.
struct Run {
  RunInfo info;
  std::vector<Sample> samples;
};
Run LoadRun(const std::string& directory);
std::vector<Sample> LoadSamples(const std::string& path);
// The same from text; `path` stands for the file in messages.
std::vector<Sample> ParseSamples(const std::string& text, const std::string& path);

}  // namespace smallmind::harness
