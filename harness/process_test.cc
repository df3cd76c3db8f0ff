#include "harness/process.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

ProcessResult RunShell(const std::string& script, double timeout_s = 30) {
  ProcessRequest request;
  request.argv = {"/bin/sh", "-c", script};
  request.timeout_s = timeout_s;
  return RealProcessRunner(LauncherPath(), nullptr).Run(request);
}

TEST(Process, OutputExitCodeAndExecStamp) {
  const ProcessResult result = RunShell("echo out; echo err >&2; exit 7");
  ASSERT_TRUE(result.started) << result.error;
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.signal, 0);
  EXPECT_TRUE(result.out.starts_with("{\"event\":\"exec\",\"t_ns\":")) << result.out;
  EXPECT_TRUE(result.out.ends_with("}\nout\n")) << result.out;
  EXPECT_EQ(result.err_tail, "err\n");
  EXPECT_GT(result.wall_ns, 0);
  EXPECT_TRUE(result.counters.contains("page_faults") || result.counters.empty());
}

TEST(Process, CrashIsNamedBySignal) {
  const ProcessResult result = RunShell("kill -SEGV $$");
  EXPECT_EQ(result.signal, 11);
  EXPECT_EQ(SignalName(result.signal), "SIGSEGV");
}

TEST(Process, MissingProgramSaysSo) {
  ProcessRequest request;
  request.argv = {"/nonexistent/program"};
  const ProcessResult result = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_NE(result.err_tail.find("/nonexistent/program"), std::string::npos);
  const ProcessResult none = RealProcessRunner("/nonexistent/launcher", nullptr).Run(request);
  EXPECT_FALSE(none.started);
  EXPECT_NE(none.error.find("/nonexistent/launcher"), std::string::npos);
}

// 30 MB in a shell's variable, gone before the process ends.
TEST(Process, MemoryIsThatOfTheLargestMoment) {
  ProcessRequest request;
  request.argv = {"/bin/sh", "-c",
                  "x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 0.5; exec sleep 0.5"};
  EXPECT_TRUE(RealProcessRunner(LauncherPath(), nullptr).Run(request).smaps.empty());
  request.read_smaps = true;
  const ProcessResult result = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  ASSERT_TRUE(result.smaps.contains("Anonymous")) << result.err_tail;
  EXPECT_GT(result.smaps.at("Anonymous"), 29000);
}

TEST(Process, TimeoutKillsTheWholeGroup) {
  // The grandchild would hold the pipe open for ten minutes.
  const ProcessResult result = RunShell("sleep 600 & echo started; sleep 600", 0.3);
  EXPECT_TRUE(result.timed_out);
  EXPECT_NE(result.out.find("started"), std::string::npos);
  EXPECT_LT(result.wall_ns, int64_t{60} * 1000000000);
}

TEST(Process, LeftoverGrandchildDoesNotHoldTheHarness) {
  const ProcessResult result = RunShell("sleep 600 & exit 3");
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_code, 3);
}

TEST(Process, InterruptEndsTheChild) {
  std::atomic<bool> interrupt = false;
  std::thread timer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    interrupt = true;
  });
  ProcessRequest request;
  request.argv = {"/bin/sleep", "600"};
  const ProcessResult result = RealProcessRunner(LauncherPath(), &interrupt).Run(request);
  timer.join();
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.Succeeded());
  EXPECT_FALSE(result.timed_out);
}

TEST(Process, EndlessOutputIsCutOff) {
  ProcessRequest request;
  request.argv = {"/bin/sh", "-c", "yes"};
  request.max_output_bytes = 1 << 20;
  const ProcessResult result = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  EXPECT_TRUE(result.too_much_output);
  EXPECT_FALSE(result.Succeeded());
  EXPECT_EQ(result.out.size(), size_t{1} << 20);
}

TEST(Process, EnvironmentIsAddedAndPadded) {
  ProcessRequest request;
  request.argv = {"/bin/sh", "-c", "echo $FOO ${#SMALLMIND_PADDING}"};
  request.environment = {{"FOO", "bar"}};
  request.environment_padding = 321;
  const ProcessResult result = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  EXPECT_NE(result.out.find("bar 321\n"), std::string::npos) << result.out;
}

TEST(Process, PinsToTheListAndRejectsABadOne) {
  ProcessRequest request;
  request.argv = {"/bin/grep", "Cpus_allowed_list", "/proc/self/status"};
  request.pin = "0";
  const ProcessResult pinned = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  EXPECT_NE(pinned.out.find("Cpus_allowed_list:\t0\n"), std::string::npos) << pinned.out;
  request.pin = "zero";
  const ProcessResult bad = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_NE(bad.err_tail.find("bad CPU list"), std::string::npos);
}

TEST(Process, AslrCanBeSwitchedOff) {
  ProcessRequest request;
  request.argv = {"/bin/cat", "/proc/self/personality"};
  request.aslr_off = true;
  const ProcessResult result = RealProcessRunner(LauncherPath(), nullptr).Run(request);
  EXPECT_NE(result.out.find("00040000"), std::string::npos) << result.out;
}

// The reason for the launcher: a child's peak RSS is its own, however big the harness is.
TEST(Process, PeakRssOfATinyChildIsItsOwn) {
  constexpr size_t kGiB = size_t{1} << 30;
  const auto big = std::make_unique<char[]>(kGiB);
  std::memset(big.get(), 1, kGiB);
  rusage own;
  getrusage(RUSAGE_SELF, &own);
  ASSERT_GT(own.ru_maxrss, 1 << 20) << "this test must hold 1 GiB";
  const ProcessResult result = RunShell("grep VmHWM /proc/self/status");
  EXPECT_GT(result.max_rss_kib, 0);
  EXPECT_LT(result.max_rss_kib, 64 << 10) << "the harness's memory shows in the child's peak";
  const size_t at = result.out.find("VmHWM:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stol(result.out.substr(at + 6)), 64 << 10);
  EXPECT_EQ(big[kGiB - 1], 1);
}

}  // namespace
}  // namespace smallmind::harness
