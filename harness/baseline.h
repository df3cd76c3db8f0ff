// Named records to compare with later: results/baselines/NAME holds a run's run.json and samples,
// and the binaries that were measured, so that a later gate on the same machine can run them again
// beside the new ones.
#pragma once

#include <filesystem>
#include <string>

#include "harness/load_run.h"

namespace smallmind::harness {

// RunError for a name with characters other than letters, digits, '.', '-' and '_', here and below.
void CheckBaselineName(const std::string& name);

void SaveBaseline(const std::filesystem::path& results_dir, const std::string& name,
                  const std::filesystem::path& run_directory);

// BadInput where there is none, listing those there are.
Run LoadBaseline(const std::filesystem::path& results_dir, const std::string& name);
// The stored binary of a variant; empty where there is none (a record that came without binaries).
std::filesystem::path BaselineBinary(const std::filesystem::path& results_dir,
                                     const std::string& name, const std::string& variant);
bool HasBaseline(const std::filesystem::path& results_dir, const std::string& name);

}  // namespace smallmind::harness
