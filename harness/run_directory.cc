// Tested with torn files, a full device and a file-size limit (run_directory_test.cc).
#include "harness/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "harness/error.h"
#include "harness/files.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSamples = "samples.jsonl";

int OpenSamples(const fs::path& path, int flags) {
  const int fd = open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | flags, 0644);
  if (fd < 0) throw RunError(path.string() + ": " + strerror(errno));
  return fd;
}

// Position after the last newline.
off_t EndOfWholeLines(int fd) {
  off_t end = lseek(fd, 0, SEEK_END);
  char c = '\n';
  while (end > 0 && pread(fd, &c, 1, end - 1) == 1 && c != '\n') --end;
  return end;
}

}  // namespace

RunDirectory RunDirectory::Create(const fs::path& results_dir, double unix_seconds) {
  std::error_code error;
  fs::create_directories(results_dir, error);
  if (error) throw RunError(results_dir.string() + ": " + error.message());
  const time_t seconds = static_cast<time_t>(unix_seconds);
  tm utc;
  gmtime_r(&seconds, &utc);
  char name[32];
  strftime(name, sizeof name, "%Y%m%d-%H%M%S", &utc);
  fs::path path = results_dir / name;
  for (int i = 2; mkdir(path.c_str(), 0755) != 0; ++i) {
    if (errno != EEXIST) throw RunError(path.string() + ": " + strerror(errno));
    path = results_dir / (std::string(name) + "-" + std::to_string(i));
  }
  const int fd = OpenSamples(path / kSamples, O_CREAT | O_EXCL);
  return RunDirectory(fs::absolute(path), fd);
}

RunDirectory RunDirectory::Open(const fs::path& directory) {
  if (!fs::exists(directory / "run.json")) {
    throw BadInput(directory.string() + ": no run.json; is this a run directory?");
  }
  const int fd = OpenSamples(directory / kSamples, O_CREAT);
  if (ftruncate(fd, EndOfWholeLines(fd)) != 0) {
    const std::string reason = strerror(errno);
    close(fd);
    throw RunError((directory / kSamples).string() + ": " + reason);
  }
  return RunDirectory(fs::canonical(directory), fd);
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

RunDirectory::~RunDirectory() {
  if (fd_ >= 0) close(fd_);
}

void RunDirectory::Append(const Sample& sample) {
  const off_t before = lseek(fd_, 0, SEEK_END);
  const std::string reason =
      WriteAll(fd_, Json(sample).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  if (reason.empty()) return;
  const bool undone = before >= 0 && ftruncate(fd_, before) == 0;
  throw RunError((path_ / kSamples).string() + ": " + reason +
                 (undone ? "; all earlier samples are kept" : ""));
}

void RunDirectory::WriteInfo(const RunInfo& run) {
  fdatasync(fd_);
  WriteFileAtomically(path_ / "run.json",
                      Json(run).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string UtcTime(double unix_seconds) {
  const time_t seconds = static_cast<time_t>(unix_seconds);
  tm utc;
  gmtime_r(&seconds, &utc);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace smallmind::harness
