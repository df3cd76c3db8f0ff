// The process seam: what the runner asks of the operating system, and nothing else.
//
// ProcessRunner is an interface so that every rule about time (timeouts, retries, budgets, order)
// is tested against a fake that needs no time. RealProcessRunner starts the launcher
// (launcher_main.cc), sleeps while the child runs, and kills the child's whole process group when
// its time is up.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace smallmind::harness {

struct ProcessRequest {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;  // set in addition to the harness's own
  int environment_padding = 0;                     // bytes of a variable nobody reads
  double timeout_s = 60;
  size_t max_output_bytes = 64u << 20;
  std::string pin;  // "0,2-3" or ""
  bool aslr_off = false;
  bool read_smaps = false;  // poll the child's smaps_rollup; costs it a little time
};

struct ProcessResult {
  bool started = false;  // false: error says why nothing ran
  std::string error;
  int exit_code = 0;
  int signal = 0;  // 0, or what ended the child
  bool timed_out = false;
  bool interrupted = false;  // the user's Ctrl-C, not a fault of the child
  bool too_much_output = false;
  std::string out;
  std::string err_tail;  // the last 4 KiB of stderr
  int64_t start_ns = 0;  // CLOCK_MONOTONIC
  int64_t wall_ns = 0;
  double start_unix = 0;
  int64_t max_rss_kib = 0;  // the child's own, see launcher_main.cc
  int64_t cpu_ns = 0;       // user + system
  int64_t minor_faults = 0;
  int64_t major_faults = 0;
  int64_t voluntary_switches = 0;
  int64_t involuntary_switches = 0;
  std::map<std::string, double> counters;  // perf events by name
  std::map<std::string, double> smaps;     // Pss, Rss, … in KiB, when Anonymous was seen largest

  bool Succeeded() const {
    return started && exit_code == 0 && signal == 0 && !timed_out && !interrupted &&
           !too_much_output;
  }
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  virtual ProcessResult Run(const ProcessRequest& request) = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowNs() = 0;  // monotonic
  virtual double UnixSeconds() = 0;
};

class RealClock : public Clock {
 public:
  int64_t NowNs() override;
  double UnixSeconds() override;
};

class RealProcessRunner : public ProcessRunner {
 public:
  // interrupt: when it becomes true, a running child is killed and Run returns interrupted.
  RealProcessRunner(std::string launcher, const std::atomic<bool>* interrupt);
  ProcessResult Run(const ProcessRequest& request) override;

 private:
  std::string launcher_;
  const std::atomic<bool>* interrupt_;
};

// "SIGSEGV" for 11; "signal 99" where the number has no name.
std::string SignalName(int signal);

}  // namespace smallmind::harness
