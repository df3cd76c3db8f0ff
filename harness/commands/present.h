// What follows a measured run: the table on stdout, report and plots in its folder, exports.
#pragma once

#include "harness/run_session.h"

namespace smallmind::harness {

void Present(const RunOutcome& outcome, const RunOptions& options);

// --save-baseline, where it was asked for. A run that failed or was interrupted, or a regression,
// replaces no baseline: one line on stderr says why. True where it was saved.
bool KeepBaseline(const RunOutcome& outcome, const RunOptions& options, bool regression);

// Calls plots/ through python3; a warning that says what to install where that fails.
void MakePlots(const std::filesystem::path& run_directory);

}  // namespace smallmind::harness
