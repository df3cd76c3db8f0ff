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
  const std::filesystem::path& opened = direct ? target_ : temporary_;
  const int flags = O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_TRUNC);
  fd_ = open(opened.c_str(), flags, 0666);
  if (fd_ < 0) {
    const int error = errno;
    temporary_.clear();
    Fail("write", error);
  }
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
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
  const int fd = fd_;
  fd_ = -1;
  if (close(fd) != 0) Fail("write", errno);  // some file systems report a full disk only here
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) Fail("rename into", errno);
  temporary_.clear();
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
