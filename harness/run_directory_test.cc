#include "harness/run_directory.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <fstream>

#include "harness/error.h"
#include "harness/load_run.h"
#include "harness/testing/paths.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

fs::path Fresh(const std::string& name) {
  const fs::path path = TestTempDir() / name;
  fs::remove_all(path);
  return path;
}

Sample Numbered(int id) {
  Sample sample;
  sample.id = id;
  sample.reason = std::string(200, 'r');
  return sample;
}

TEST(RunDirectory, KeepsSamplesAndInfo) {
  const fs::path results = Fresh("keeps");
  RunDirectory directory = RunDirectory::Create(results, 1.7e9);
  const RunDirectory second = RunDirectory::Create(results, 1.7e9);
  EXPECT_NE(directory.id(), second.id());
  directory.Append(Numbered(0));
  directory.Append(Numbered(1));
  RunInfo info;
  info.id = directory.id();
  directory.WriteInfo(info);
  const auto run = LoadRun(directory.path());
  EXPECT_EQ(run.info.id, "20231114-221320");
  EXPECT_EQ(run.samples.size(), 2u);
}

TEST(RunDirectory, AppendsAfterATornLine) {
  const fs::path results = Fresh("torn");
  RunDirectory directory = RunDirectory::Create(results, 1.7e9);
  directory.Append(Numbered(0));
  directory.WriteInfo({});
  std::ofstream(directory.path() / "samples.jsonl", std::ios::app) << R"({"schema":1,"id":1,"ro)";
  RunDirectory again = RunDirectory::Open(directory.path());
  again.Append(Numbered(1));
  const auto samples = LoadSamples(directory.path() / "samples.jsonl");
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].id, 1);
}

// A full disk, without needing one: the process's file size limit ends a write the same way.
TEST(RunDirectory, AFullDiskKeepsWholeLines) {
  RunDirectory directory = RunDirectory::Create(Fresh("full"), 1.7e9);
  const fs::path samples = directory.path() / "samples.jsonl";
  directory.Append(Numbered(0));
  const uintmax_t one = fs::file_size(samples);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {static_cast<rlim_t>(one * 5 / 2), before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  directory.Append(Numbered(1));
  std::string message;
  try {
    directory.Append(Numbered(2));
  } catch (const RunError& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_NE(message.find("samples.jsonl: "), std::string::npos) << message;
  EXPECT_NE(message.find("kept"), std::string::npos) << message;
  EXPECT_EQ(fs::file_size(samples), 2 * one);
  directory.Append(Numbered(2));
  EXPECT_EQ(LoadSamples(samples.string()).size(), 3u);
}

TEST(RunDirectory, UnwritableAndMissingAreErrors) {
  EXPECT_THROW(RunDirectory::Create("/proc/nosuch", 1.7e9), RunError);
  EXPECT_THROW(RunDirectory::Open("/nonexistent"), BadInput);
}

}  // namespace
}  // namespace smallmind::harness
