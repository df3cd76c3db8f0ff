// Small writes are gathered in a buffer; large ones go straight through. Tested in
// output_file_test.cc with /dev/full and a file size limit.
#include "engine/base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

constexpr size_t kBuffer = size_t{1} << 20;
constexpr char kOwnDescriptors[] = "/proc/self/fd";

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path) : target_(path) {
  std::error_code ignored;
  // Through a symbolic link, so that the link survives the rename.
  if (std::filesystem::is_symlink(path, ignored)) {
    const auto resolved = std::filesystem::weakly_canonical(path, ignored);
    if (!ignored) target_ = resolved;
  }
  if (std::filesystem::is_directory(target_, ignored)) Fail("write", EISDIR);
  const bool direct = std::filesystem::exists(target_, ignored) &&
                      !std::filesystem::is_regular_file(target_, ignored);
  if (!direct) {
    temporary_ = target_;
    temporary_ += ".partial-" + std::to_string(getpid());
  }
  if (direct) {
    fd_ = open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    OpenTemporary();
  }
  if (fd_ < 0) Fail("write", errno);
}

void OutputFile::OpenTemporary() {
  struct stat old;
  const bool replaces = stat(target_.c_str(), &old) == 0;
  const mode_t mode = replaces ? old.st_mode & 0777 : 0666;
  const auto folder = target_.has_parent_path() ? target_.parent_path() : ".";
  if (access(kOwnDescriptors, X_OK) == 0) {
    fd_ = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  }
  if (fd_ < 0) {
    fd_ = open(temporary_.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | O_TRUNC, mode);
    named_ = fd_ >= 0;
  }
  if (fd_ < 0 || !replaces) return;
  // Of another owner's file a writer without privileges makes one of its own.
  if (fchown(fd_, old.st_uid, old.st_gid) != 0) errno = 0;
  fchmod(fd_, mode);  // once more: opening took the process's mask off
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  std::error_code ignored;
  if (named_) std::filesystem::remove(temporary_, ignored);
}

void OutputFile::Write(std::span<const uint8_t> bytes) {
  size_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBuffer) Flush();
  if (bytes.size() > kBuffer) {
    WriteAll(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void OutputFile::Commit() {
  Flush();
  if (!temporary_.empty() && !named_) {
    unlink(temporary_.c_str());  // of a process that was killed between naming and renaming
    const std::string self = std::string(kOwnDescriptors) + "/" + std::to_string(fd_);
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      Fail("write", errno);
    }
    named_ = true;
  }
  const int fd = fd_;
  fd_ = -1;
  if (close(fd) != 0) Fail("write", errno);  // some file systems report a full disk only here
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) Fail("rename into", errno);
  named_ = false;
}

void OutputFile::Flush() {
  WriteAll(buffer_);
  buffer_.clear();
}

void OutputFile::WriteAll(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail("write", errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void OutputFile::Fail(const char* what, int error) const {
  throw InputError(std::string("cannot ") + what + " " + Quote(target_.string()) + ": " +
                   std::strerror(error));
}

}  // namespace smallmind
