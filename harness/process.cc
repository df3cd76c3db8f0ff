// One child at a time: posix_spawn (vfork inside: no copy of the harness's page tables) of the
// launcher in a process group of its own, three pipes, and a poll loop that wakes only every 50 ms.
// The child's lines carry their own time stamps, so nobody needs to read them as they come, and a
// harness that sleeps takes no CPU from the sample. A pipe of 1 MiB holds what a sample prints.
// Tested with real processes in process_test.cc.
#include "harness/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/error.h"

extern char** environ;

namespace smallmind::harness {
namespace {

constexpr int kTickMs = 50;
constexpr int kSmapsTickMs = 20;  // to read smaps_rollup takes 5 ms of a process of 1 GiB
constexpr size_t kErrTail = 4096;
constexpr int kReportFd = 3;  // in the launcher
constexpr int kPipeBytes = 1 << 20;

int64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Fd read_end, write_end;
  Pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
      throw RunError(std::string("cannot make a pipe: ") + strerror(errno));
    }
    read_end = Fd(fds[0]);
    write_end = Fd(fds[1]);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fcntl(fds[0], F_SETPIPE_SZ, kPipeBytes);  // may be refused; then the child waits for a tick
  }
};

// Reads all there is. False at end of file.
bool Drain(const Fd& fd, std::string& into, size_t limit, bool* over) {
  char buffer[65536];
  while (true) {
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return false;
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN;
    }
    if (into.size() + n > limit) {
      *over = true;
      into.append(buffer, limit - into.size());
      return true;
    }
    into.append(buffer, n);
  }
}

void DrainTail(const Fd& fd, std::string& tail) {
  bool over = false;
  std::string text;
  Drain(fd, text, 16u << 20, &over);
  tail += text;
  if (tail.size() > kErrTail) tail.erase(0, tail.size() - kErrTail);
}

std::vector<std::string> BuildEnvironment(const ProcessRequest& request) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    if (!request.environment.contains(name)) result.push_back(text);
  }
  for (const auto& [name, value] : request.environment) result.push_back(name + "=" + value);
  if (request.environment_padding > 0) {
    result.push_back("SMALLMIND_PADDING=" + std::string(request.environment_padding, 'x'));
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void ReadReport(const std::string& text, ProcessResult& result, bool* has_exit) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_discarded() || json.value("event", "") != "exit") continue;
    *has_exit = true;
    result.exit_code = json.value("code", 0);
    result.signal = json.value("signal", 0);
    result.max_rss_kib = json.value("max_rss_kib", int64_t{0});
    result.cpu_ns =
        1000 * (json.value("user_us", int64_t{0}) + json.value("system_us", int64_t{0}));
    result.minor_faults = json.value("minor_faults", int64_t{0});
    result.major_faults = json.value("major_faults", int64_t{0});
    result.voluntary_switches = json.value("voluntary_switches", int64_t{0});
    result.involuntary_switches = json.value("involuntary_switches", int64_t{0});
    result.counters = json.value("counters", std::map<std::string, double>{});
  }
}

int ChildPid(const std::string& report) {
  const auto json = nlohmann::json::parse(report.substr(0, report.find('\n')), nullptr, false);
  return json.is_object() ? json.value("pid", 0) : 0;
}

// Keeps what is there now where it has more anonymous memory than what was kept.
void ReadSmaps(int pid, std::map<std::string, double>& smaps) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::map<std::string, double> seen;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    double kib = 0;
    if (words >> name >> kib && name.ends_with(":")) seen[name.substr(0, name.size() - 1)] = kib;
  }
  if (seen["Pss"] > 0 && seen["Anonymous"] >= smaps["Anonymous"]) smaps = std::move(seen);
}

}  // namespace

int64_t RealClock::NowNs() { return MonotonicNs(); }

double RealClock::UnixSeconds() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + now.tv_nsec * 1e-9;
}

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

RealProcessRunner::RealProcessRunner(std::string launcher, const std::atomic<bool>* interrupt)
    : launcher_(std::move(launcher)), interrupt_(interrupt) {}

ProcessResult RealProcessRunner::Run(const ProcessRequest& request) {
  ProcessResult result;
  Pipe out, err, report;
  Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));

  std::vector<std::string> argv = {launcher_, "--report", std::to_string(kReportFd)};
  if (!request.pin.empty()) argv.insert(argv.end(), {"--pin", request.pin});
  if (request.aslr_off) argv.push_back("--no-aslr");
  argv.push_back("--");
  argv.insert(argv.end(), request.argv.begin(), request.argv.end());
  std::vector<std::string> environment = BuildEnvironment(request);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, null.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, report.write_end.get(), kReportFd);
  // A group of its own: Ctrl-C reaches the harness alone, and one kill reaches all descendants.
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) sigaddset(&defaults, number);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);

  result.start_unix = RealClock().UnixSeconds();
  result.start_ns = MonotonicNs();
  pid_t pid = -1;
  const int error = posix_spawn(&pid, launcher_.c_str(), &actions, &attributes,
                                Pointers(argv).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    result.error = "cannot start " + launcher_ + ": " + strerror(error);
    return result;
  }
  result.started = true;
  out.write_end.Close();
  err.write_end.Close();
  report.write_end.Close();

  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int64_t deadline = result.start_ns + static_cast<int64_t>(request.timeout_s * 1e9);
  const int64_t tick_ms = request.read_smaps ? kSmapsTickMs : kTickMs;
  std::string report_text;
  int status = 0;
  bool over = false;
  while (true) {
    pollfd end = {pidfd.get(), POLLIN, 0};
    const int64_t left_ms = std::max<int64_t>(0, (deadline - MonotonicNs()) / 1000000 + 1);
    poll(&end, pidfd.get() >= 0 ? 1 : 0, static_cast<int>(std::min(tick_ms, left_ms)));
    const int64_t now = MonotonicNs();
    Drain(out.read_end, result.out, request.max_output_bytes, &over);
    DrainTail(err.read_end, result.err_tail);
    Drain(report.read_end, report_text, 1u << 16, &over);
    if (waitpid(pid, &status, WNOHANG) == pid) {
      result.wall_ns = now - result.start_ns;
      break;
    }
    if (request.read_smaps) ReadSmaps(ChildPid(report_text), result.smaps);
    result.timed_out = now >= deadline;
    result.too_much_output = over;
    result.interrupted = interrupt_ != nullptr && interrupt_->load();
    if (result.timed_out || result.too_much_output || result.interrupted) {
      kill(-pid, SIGKILL);
      waitpid(pid, &status, 0);
      result.wall_ns = MonotonicNs() - result.start_ns;
      break;
    }
  }
  kill(-pid, SIGKILL);  // whatever the child left behind in its group
  Drain(out.read_end, result.out, request.max_output_bytes, &over);
  DrainTail(err.read_end, result.err_tail);
  Drain(report.read_end, report_text, 1u << 16, &over);
  bool has_exit = false;
  ReadReport(report_text, result, &has_exit);
  if (!has_exit && !result.timed_out && !result.interrupted && !result.too_much_output) {
    // The launcher itself ended early: bad flags, or somebody killed the group.
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  return result;
}

}  // namespace smallmind::harness
