// /proc/self/cgroup names the group in its line "0::/path"; the limits are files of that folder and
// of those above it under /sys/fs/cgroup. The root of the hierarchy itself has none. Tested in
// cgroup_test.cc.
#include "engine/runtime/cgroup.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace smallmind {
namespace {

namespace fs = std::filesystem;

// The group's path without its leading slash; empty for the root, v1 and where it is not seen.
fs::path GroupOf(const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("0::/")) continue;
    const fs::path group = fs::path(line.substr(4)).lexically_normal();
    return group.empty() || *group.begin() == ".." ? fs::path() : group;  // "..": not mounted here
  }
  return {};
}

// The limit's file in the process's group and in each around it, where there is one.
std::vector<std::ifstream> Limits(const fs::path& root, const char* name) {
  std::vector<std::ifstream> files;
  for (fs::path group = GroupOf(root);; group = group.parent_path()) {
    if (std::ifstream file(root / "sys/fs/cgroup" / group / name); file) {
      files.push_back(std::move(file));
    }
    if (group.empty()) return files;
  }
}

}  // namespace

size_t CgroupCpus(const fs::path& root) {
  size_t least = 0;
  for (std::ifstream& file : Limits(root, "cpu.max")) {
    uint64_t quota = 0, period = 0;  // "max 100000" is no limit
    if (!(file >> quota >> period) || quota == 0 || period == 0) continue;
    const size_t cpus = (quota - 1) / period + 1;
    least = least == 0 ? cpus : std::min(least, cpus);
  }
  return least;
}

size_t CgroupMemory(const fs::path& root) {
  size_t least = SIZE_MAX;
  for (std::ifstream& file : Limits(root, "memory.max")) {
    size_t limit = 0;  // "max" is no limit
    if (file >> limit) least = std::min(least, limit);
  }
  return least;
}

}  // namespace smallmind
