// What follows a measured run: the table on stdout, report and plots in its folder, exports.
#pragma once

#include <optional>

#include "harness/gate.h"
#include "harness/run_session.h"

namespace smallmind::harness {

void Present(const RunOutcome& outcome, const RunOptions& options);

// --save-baseline, where it was asked for. A run that failed or was interrupted replaces no
// baseline, nor does one whose judgement is neither a pass nor an improvement: one line on stderr
// says why. Nothing was judged where `verdict` is empty. True where it was saved.
bool KeepBaseline(const RunOutcome& outcome, const RunOptions& options,
                  std::optional<GateVerdict> verdict);

// Calls plots/ through python3; a warning that says what to install where that fails.
void MakePlots(const std::filesystem::path& run_directory);

}  // namespace smallmind::harness
