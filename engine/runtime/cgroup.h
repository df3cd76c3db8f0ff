// Limits that control groups (cgroup v2) put on this process: its own and those of all groups
// around it. Inside a container the outermost visible group is the container's.
#pragma once

#include <cstddef>
#include <filesystem>

namespace smallmind {

// `root`: where /proc and /sys are found, for tests.

// CPUs by the least cpu.max, rounded up; 0 where there is no limit.
size_t CgroupCpus(const std::filesystem::path& root = "/");

// Bytes by the least memory.max; SIZE_MAX where there is no limit.
size_t CgroupMemory(const std::filesystem::path& root = "/");

}  // namespace smallmind
