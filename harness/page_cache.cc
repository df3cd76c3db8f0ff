// mincore(2) tells residency to the owner of a file; posix_fadvise(2) drops clean pages that nobody
// maps. Tested on a file of a few pages (page_cache_test.cc).
#include "harness/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace smallmind::harness {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status;
    if (fd_ >= 0 && fstat(fd_, &status) == 0) size_ = status.st_size;
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  size_t size() const { return size_; }

 private:
  int fd_;
  size_t size_ = 0;
};

}  // namespace

double ResidentPct(const std::string& path) {
  const OpenFile file(path);
  if (file.fd() < 0 || file.size() == 0) return -1;
  void* map = mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, file.fd(), 0);
  if (map == MAP_FAILED) return -1;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((file.size() + page - 1) / page);
  const int error = mincore(map, file.size(), resident.data());
  munmap(map, file.size());
  if (error != 0) return -1;
  const auto count = std::count_if(resident.begin(), resident.end(),
                                   [](unsigned char state) { return (state & 1) != 0; });
  return 100.0 * static_cast<double>(count) / static_cast<double>(resident.size());
}

void WarmFile(const std::string& path) {
  if (ResidentPct(path) == 100) return;
  const OpenFile file(path);
  std::vector<char> buffer(1 << 20);
  while (file.fd() >= 0 && read(file.fd(), buffer.data(), buffer.size()) > 0) {
  }
}

std::string EvictFile(const std::string& path) {
  const OpenFile file(path);
  if (file.fd() < 0) return path + ": cannot be opened";
  fdatasync(file.fd());
  posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
  const double left = ResidentPct(path);
  if (left <= 5) return "";  // -1, not known, included
  return path + ": " + std::to_string(static_cast<int>(left)) +
         " % stayed in the page cache (mapped by another process, or a file system without a disk)";
}

void RereadFile(const std::string& path) {
  EvictFile(path);
  WarmFile(path);
}

}  // namespace smallmind::harness
