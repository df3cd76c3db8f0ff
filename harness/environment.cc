// Tested on a made-up /proc and /sys, on an empty one, and on this machine (environment_test.cc).
#include "harness/environment.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnknown = "unknown";

// The first line, or "" where the file is missing.
std::string FirstLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string Trim(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "key : value" lines of /proc/cpuinfo and /proc/meminfo; the first of each key.
std::map<std::string, std::string> ReadPairs(const fs::path& path) {
  std::map<std::string, std::string> pairs;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    pairs.emplace(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  }
  return pairs;
}

std::vector<fs::path> Subfolders(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix) && name.size() > prefix.size() && isdigit(name[prefix.size()])) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

void ReadTopology(const fs::path& root, Environment& environment) {
  std::set<std::string> cores;
  std::map<std::string, std::set<std::string>> caches;  // "L1d 32K" -> sharing sets
  for (const fs::path& cpu : Subfolders(root / "sys/devices/system/cpu", "cpu")) {
    ++environment.logical_cpus;
    const std::string core = FirstLine(cpu / "topology/core_id");
    if (!core.empty()) cores.insert(FirstLine(cpu / "topology/physical_package_id") + ":" + core);
    for (const fs::path& index : Subfolders(cpu / "cache", "index")) {
      const std::string type = FirstLine(index / "type");
      std::string name = "L" + FirstLine(index / "level");
      if (type == "Data") name += "d";
      if (type == "Instruction") name += "i";
      caches[name + " " + FirstLine(index / "size")].insert(FirstLine(index / "shared_cpu_list"));
    }
  }
  environment.physical_cores = static_cast<int>(cores.size());
  for (const auto& [name, sharing] : caches) {
    const size_t space = name.find(' ');
    environment.caches[name.substr(0, space)] =
        name.substr(space + 1) + " x " + std::to_string(sharing.size());
  }
  const std::string active = FirstLine(root / "sys/devices/system/cpu/smt/active");
  environment.smt = active == "1" ? "on" : active == "0" ? "off" : kUnknown;
}

// Flags that decide which kernels can run; the whole list is long and says little.
std::vector<std::string> KernelFlags(const std::string& flags) {
  static constexpr std::array kInteresting = {
      "sse2",        "ssse3",       "sse4_1",       "sse4_2",        "avx",      "f16c",
      "fma",         "avx2",        "bmi2",         "avx512f",       "avx512bw", "avx512vl",
      "avx512_vnni", "avx512_bf16", "avx512_vbmi2", "avx512_bitalg", "avx_vnni", "amx_int8",
      "amx_bf16",    "aes",         "pclmulqdq",    "asimd",         "asimddp",  "i8mm",
      "bf16",        "sve",         "sve2",         "hypervisor"};
  std::vector<std::string> found;
  std::istringstream words(flags);
  for (std::string word; words >> word;) {
    if (std::ranges::find(kInteresting, word) != kInteresting.end()) found.push_back(word);
  }
  return found;
}

std::string Virtualisation(const fs::path& root, const std::vector<std::string>& flags) {
  const std::string product = FirstLine(root / "sys/class/dmi/id/product_name");
  const std::string hypervisor = FirstLine(root / "sys/hypervisor/type");
  if (!hypervisor.empty()) return hypervisor;
  if (std::ranges::find(flags, "hypervisor") != flags.end()) {
    return product.empty() ? "virtual machine" : "virtual machine (" + product + ")";
  }
  if (fs::exists(root / ".dockerenv")) return "container";
  return flags.empty() ? kUnknown : "none";
}

// "always [madvise] never" -> "madvise"
std::string Bracketed(const std::string& text) {
  const size_t open = text.find('['), close = text.find(']');
  if (open == std::string::npos || close == std::string::npos) return kUnknown;
  return text.substr(open + 1, close - open - 1);
}

std::string OsName(const fs::path& root) {
  std::ifstream file(root / "etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    std::string name = line.substr(strlen("PRETTY_NAME="));
    std::erase(name, '"');
    return name;
  }
  return kUnknown;
}

std::string OrUnknown(const std::string& text) { return text.empty() ? kUnknown : text; }

std::string HardwareCounters() {
  perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_HARDWARE;
  attr.config = PERF_COUNT_HW_INSTRUCTIONS;
  attr.exclude_kernel = 1;
  const long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd >= 0) {
    close(static_cast<int>(fd));
    return "available";
  }
  switch (errno) {
    case ENOENT:
    case EOPNOTSUPP:
      return "not available: this (virtual) CPU exposes no performance counters; software events "
             "are recorded instead";
    case EACCES:
    case EPERM:
      return "not permitted: lower /proc/sys/kernel/perf_event_paranoid to 2 or less, or leave the "
             "container's seccomp filter";
    default:
      return std::string("not available: ") + strerror(errno);
  }
}

std::string HashOf(const std::string& text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  char hex[17];
  snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return std::string(hex).substr(0, 8);
}

int64_t KibField(const std::map<std::string, std::string>& pairs, const char* name) {
  const auto it = pairs.find(name);
  return it == pairs.end() ? 0 : std::atoll(it->second.c_str()) * 1024;
}

// The process's group under /sys/fs/cgroup; empty for the outermost and where it is not told.
fs::path CgroupOf(const fs::path& root) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("0::/")) continue;
    const fs::path group = fs::path(line.substr(4)).lexically_normal();
    return group.empty() || *group.begin() == ".." ? fs::path() : group;  // "..": not mounted here
  }
  return {};
}

}  // namespace

int UsableCpus(const fs::path& root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  // The quotas of the process's group and of all around it (cgroup v2).
  for (fs::path group = CgroupOf(root);; group = group.parent_path()) {
    std::istringstream quota(FirstLine(root / "sys/fs/cgroup" / group / "cpu.max"));
    double max = 0, period = 0;  // "max 100000" does not parse as a number: no quota
    if (quota >> max >> period && period > 0) {
      cpus = std::min(cpus, std::max(1, static_cast<int>(std::ceil(max / period))));
    }
    if (group.empty()) break;
  }
  return std::max(1, cpus);
}

Environment ReadEnvironment(const fs::path& root) {
  Environment environment;
  auto cpu = ReadPairs(root / "proc/cpuinfo");
  environment.cpu_model = cpu["model name"];
  if (environment.cpu_model.empty()) environment.cpu_model = cpu["CPU part"];  // arm64
  environment.cpu_model = OrUnknown(environment.cpu_model);
  environment.cpu_flags = KernelFlags(cpu["flags"] + " " + cpu["Features"]);
  ReadTopology(root, environment);
  environment.usable_cpus = UsableCpus(root);

  utsname names;
  if (uname(&names) == 0) {
    environment.kernel = std::string(names.sysname) + " " + names.release + " " + names.machine;
    // A host name alone tells no machines apart where every image has the same one.
    environment.hostname_hash = HashOf(std::string(names.nodename) + "\n" + environment.cpu_model +
                                       "\n" + std::to_string(environment.logical_cpus));
  }
  environment.os = OsName(root);
  const fs::path cpufreq = root / "sys/devices/system/cpu/cpu0/cpufreq";
  environment.governor = OrUnknown(FirstLine(cpufreq / "scaling_governor"));
  const std::string khz = FirstLine(cpufreq / "scaling_cur_freq");
  environment.frequency =
      khz.empty() ? kUnknown : std::to_string(std::atoll(khz.c_str()) / 1000) + " MHz";
  const std::string boost = FirstLine(root / "sys/devices/system/cpu/cpufreq/boost");
  const std::string no_turbo = FirstLine(root / "sys/devices/system/cpu/intel_pstate/no_turbo");
  if (boost == "1" || no_turbo == "0") environment.turbo = "on";
  if (boost == "0" || no_turbo == "1") environment.turbo = "off";
  environment.turbo = OrUnknown(environment.turbo);

  const auto memory = ReadPairs(root / "proc/meminfo");
  environment.memory_bytes = KibField(memory, "MemTotal");
  environment.memory_available_bytes = KibField(memory, "MemAvailable");
  environment.virtualisation = Virtualisation(root, environment.cpu_flags);
  environment.transparent_huge_pages =
      Bracketed(FirstLine(root / "sys/kernel/mm/transparent_hugepage/enabled"));
  environment.aslr = OrUnknown(FirstLine(root / "proc/sys/kernel/randomize_va_space"));
  std::istringstream load(FirstLine(root / "proc/loadavg"));
  for (const char* span : {"1m", "5m", "15m"}) {
    double value = 0;
    if (load >> value) environment.load[span] = value;
  }
  environment.hardware_counters = HardwareCounters();
  return environment;
}

std::vector<std::string> EnvironmentWarnings(const Environment& environment, int threads) {
  std::vector<std::string> warnings;
  if (threads > environment.usable_cpus) {
    warnings.push_back("-t " + std::to_string(threads) + " is more than the " +
                       std::to_string(environment.usable_cpus) +
                       " CPUs this process may use: threads will wait for each other");
  }
  if (environment.governor != kUnknown && environment.governor != "performance") {
    warnings.push_back("CPU governor is " + environment.governor +
                       ": frequency follows load; set it to performance (cpupower frequency-set -g "
                       "performance)");
  }
  if (environment.governor == kUnknown) {
    warnings.push_back(
        "CPU governor is unknown (no cpufreq here): frequency may drift; only ratios within this "
        "run count");
  }
  if (environment.smt == "on" && threads > environment.physical_cores &&
      environment.physical_cores > 0) {
    warnings.push_back("SMT is on and -t " + std::to_string(threads) + " exceeds " +
                       std::to_string(environment.physical_cores) +
                       " physical cores: siblings share execution units");
  }
  return warnings;
}

}  // namespace smallmind::harness
