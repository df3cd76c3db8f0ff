// The machine: facts for the record, read from /proc and /sys.
//
// A fact that the kernel does not tell is "unknown", never "ok". `root` lets tests read a made-up
// machine. Nothing here fails: a missing file is a missing fact.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

Environment ReadEnvironment(const std::filesystem::path& root = "/");

// CPUs this process may use: affinity, then the cgroup's quota rounded up.
int UsableCpus(const std::filesystem::path& root = "/");

// What in `environment` makes results worse, each with what to do about it.
std::vector<std::string> EnvironmentWarnings(const Environment& environment, int threads);

}  // namespace smallmind::harness
