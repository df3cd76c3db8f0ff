// What follows a measured run: the table on stdout, report and plots in its folder, exports.
#pragma once

#include "harness/run_session.h"

namespace smallmind::harness {

void Present(const RunOutcome& outcome, const RunOptions& options);

// Calls plots/ through python3; a warning that says what to install where that fails.
void MakePlots(const std::filesystem::path& run_directory);

}  // namespace smallmind::harness
