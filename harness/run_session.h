// One run from options to record: prepare, measure, analyse. The run command, the gate and the
// selftest are callers.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/record.h"
#include "harness/run_options.h"

namespace smallmind::harness {

struct RunOutcome {
  std::filesystem::path directory;
  RunInfo info;
  std::vector<Sample> samples;
  std::string failure;  // "" or why the results could not be written, or are of two programs

  // Variants of ours without one usable sample in some cell; peers do not count.
  std::vector<std::string> FailedVariants() const;
  int ExitCode() const;
};

// Everything up to the first sample is an exception (HarnessError); from then on what was measured
// comes back, whatever happened.
RunOutcome ExecuteRun(const RunOptions& options, const std::vector<std::string>& command_line,
                      const std::atomic<bool>& interrupt);

// Of `competitors`, whose sizes are read here: for callers that bring binaries of their own (the
// gate's other commit).
RunOutcome ExecuteRunWith(const RunOptions& options, const std::vector<std::string>& command_line,
                          std::vector<VariantInfo> competitors, const std::atomic<bool>& interrupt);

std::filesystem::path BuildDirOf(const RunOptions& options);
std::filesystem::path ResultsDirOf(const RunOptions& options);

// Manifest selection and peers.
std::vector<VariantInfo> CompetitorsOf(const RunOptions& options);

}  // namespace smallmind::harness
