// launcher [--pin LIST] [--no-aslr] [--report FD] [--] COMMAND [ARG...]
//
// Prints {"event":"exec","t_ns":N} (CLOCK_MONOTONIC just before execve) and becomes COMMAND.
//
// Why it exists: a child's resource record starts with the peak RSS of whatever memory it had
// before execve. Forked or vforked from a harness that holds a gigabyte, every child "peaks" at a
// gigabyte. With --report FD the launcher stays behind as a parent of a few hundred KiB, forks,
// waits, and writes JSON lines on FD: {"event":"spawn","pid":N}, then {"event":"exit",…} with exit
// status, the child's own rusage and perf counters. Only libc calls: no C++ runtime to initialise.
// Tested by process_test.cc (a harness that holds 1 GiB, exit codes, signals, pinning).
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr int kUsageExit = 1;
constexpr int kExecFailed = 127;

struct Counter {
  const char* name;
  uint32_t type;
  uint64_t config;
};

constexpr Counter kCounters[] = {
    {"task_clock_ns", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {"context_switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {"cpu_migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
    {"page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {"branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    {"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
};
constexpr int kCounterCount = sizeof(kCounters) / sizeof(kCounters[0]);

int Fail(const char* what, const char* detail) {
  fprintf(stderr, "launcher: %s: %s\n", what, detail);
  return kUsageExit;
}

// "0,2-3" -> cpu set; false on anything else.
bool ParseCpuList(const char* text, cpu_set_t* set) {
  CPU_ZERO(set);
  while (*text != '\0') {
    char* end = nullptr;
    const long first = strtol(text, &end, 10);
    if (end == text || first < 0) return false;
    long last = first;
    text = end;
    if (*text == '-') {
      last = strtol(text + 1, &end, 10);
      if (end == text + 1 || last < first) return false;
      text = end;
    }
    if (last >= CPU_SETSIZE) return false;
    for (long cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, set);
    if (*text == ',') ++text;
  }
  return CPU_COUNT(set) > 0;
}

void WriteAll(int fd, const char* text, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, text, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    size -= n;
  }
}

[[noreturn]] void StampAndExec(char** command) {
  timespec now;
  char line[64];
  clock_gettime(CLOCK_MONOTONIC, &now);
  // The write itself costs a microsecond or two, inside the startup that it stamps.
  const int size = snprintf(line, sizeof line, "{\"event\":\"exec\",\"t_ns\":%lld}\n",
                            now.tv_sec * 1000000000LL + now.tv_nsec);
  WriteAll(STDOUT_FILENO, line, size);
  execvp(command[0], command);
  fprintf(stderr, "launcher: cannot run %s: %s\n", command[0], strerror(errno));
  _exit(kExecFailed);
}

// Counts the child and its threads from its execve on; -1 where the kernel refuses.
int OpenCounter(const Counter& counter, pid_t child) {
  perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = counter.type;
  attr.config = counter.config;
  attr.disabled = 1;
  attr.inherit = 1;
  attr.enable_on_exec = 1;
  int fd =
      static_cast<int>(syscall(SYS_perf_event_open, &attr, child, -1, -1, PERF_FLAG_FD_CLOEXEC));
  if (fd < 0 && (errno == EACCES || errno == EPERM)) {
    attr.exclude_kernel = 1;  // all that perf_event_paranoid=2 grants
    fd = static_cast<int>(syscall(SYS_perf_event_open, &attr, child, -1, -1, PERF_FLAG_FD_CLOEXEC));
  }
  return fd;
}

int RunAndReport(char** command, int report) {
  int gate[2];
  if (pipe(gate) != 0) return Fail("pipe", strerror(errno));
  const pid_t child = fork();
  if (child < 0) return Fail("fork", strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(report);
    close(gate[1]);
    char go;
    if (read(gate[0], &go, 1) != 1) _exit(kExecFailed);  // the counters are not ready: parent died
    close(gate[0]);
    StampAndExec(command);
  }
  close(gate[0]);
  int counters[kCounterCount];
  for (int i = 0; i < kCounterCount; ++i) counters[i] = OpenCounter(kCounters[i], child);
  char line[1024];
  int size = snprintf(line, sizeof line, "{\"event\":\"spawn\",\"pid\":%d}\n", child);
  WriteAll(report, line, size);
  WriteAll(gate[1], "g", 1);
  close(gate[1]);
  // The pipe to the harness must end when COMMAND ends it, not when the launcher does.
  close(STDOUT_FILENO);

  int status = 0;
  rusage usage;
  memset(&usage, 0, sizeof usage);
  while (wait4(child, &status, 0, &usage) < 0) {
    if (errno != EINTR) return Fail("wait4", strerror(errno));
  }
  size = snprintf(
      line, sizeof line,
      "{\"event\":\"exit\",\"code\":%d,\"signal\":%d,\"max_rss_kib\":%ld,\"user_us\":%lld,"
      "\"system_us\":%lld,\"minor_faults\":%ld,\"major_faults\":%ld,\"voluntary_switches\":%ld,"
      "\"involuntary_switches\":%ld,\"counters\":{",
      WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
      usage.ru_maxrss, usage.ru_utime.tv_sec * 1000000LL + usage.ru_utime.tv_usec,
      usage.ru_stime.tv_sec * 1000000LL + usage.ru_stime.tv_usec, usage.ru_minflt, usage.ru_majflt,
      usage.ru_nvcsw, usage.ru_nivcsw);
  const char* separator = "";
  for (int i = 0; i < kCounterCount; ++i) {
    uint64_t value = 0;
    if (counters[i] < 0 || read(counters[i], &value, sizeof value) != sizeof value) continue;
    size += snprintf(line + size, sizeof line - size, "%s\"%s\":%llu", separator, kCounters[i].name,
                     static_cast<unsigned long long>(value));
    separator = ",";
  }
  size += snprintf(line + size, sizeof line - size, "}}\n");
  WriteAll(report, line, size);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  int report = -1;
  int next = 1;
  for (; next < argc && argv[next][0] == '-'; ++next) {
    const char* flag = argv[next];
    if (strcmp(flag, "--") == 0) {
      ++next;
      break;
    }
    if (strcmp(flag, "--no-aslr") == 0) {
      personality(ADDR_NO_RANDOMIZE);
    } else if (strcmp(flag, "--pin") == 0 && next + 1 < argc) {
      cpu_set_t set;
      if (!ParseCpuList(argv[++next], &set)) return Fail("bad CPU list", argv[next]);
      if (sched_setaffinity(0, sizeof set, &set) != 0) return Fail("--pin", strerror(errno));
    } else if (strcmp(flag, "--report") == 0 && next + 1 < argc) {
      report = atoi(argv[++next]);
    } else {
      return Fail("unknown flag", flag);
    }
  }
  if (next >= argc)
    return Fail("usage", "launcher [--pin LIST] [--no-aslr] [--report FD] COMMAND…");
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);  // writing a core would outlast the crash that is measured
  if (report < 0) StampAndExec(argv + next);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed harness leaves no orphan to disturb the next run
  return RunAndReport(argv + next, report);
}
