// The machine's ceilings in the minutes of the run, measured by the reference variant itself
// (`smallmind bench --ceilings`): what the gate normalises by and the roofline is drawn from.
#pragma once

#include <map>
#include <string>

#include "harness/process.h"
#include "harness/record.h"

namespace smallmind::harness {

// Appends to run.ceilings for each thread count of the workloads, in about two seconds each; a
// variant that knows no ceilings leaves one warning. `round`: the one that just ended.
void MeasureCeilings(RunInfo& run, ProcessRunner& processes, int round);

// Median over the run's measurements of one ceiling; 0 where there is none.
double MedianCeiling(const RunInfo& run, const std::string& name, int threads);

// log of one ceiling by the round that it was measured in.
std::map<int, double> CeilingLogs(const RunInfo& run, const std::string& name, int threads);

}  // namespace smallmind::harness
