// Tested with a full device and a file-size limit (files_test.cc, run_directory_test.cc).
#include "harness/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "harness/error.h"

namespace smallmind::harness {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string WriteAll(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 ? "nothing was written" : strerror(errno);
    at += n;
  }
  return "";
}

void WriteFileAtomically(const fs::path& path, const std::string& text) {
  const fs::path temporary = path.string() + ".tmp";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw RunError(path.string() + ": " + strerror(errno));
  std::string reason = WriteAll(fd, text);
  if (close(fd) != 0 && reason.empty()) reason = strerror(errno);
  if (reason.empty() && rename(temporary.c_str(), path.c_str()) != 0) reason = strerror(errno);
  if (reason.empty()) return;
  unlink(temporary.c_str());
  throw RunError(path.string() + ": " + reason);
}

}  // namespace smallmind::harness
