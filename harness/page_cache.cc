// mincore(2) tells residency to the owner of a file, smaps_rollup how it is mapped;
// posix_fadvise(2) drops clean pages that nobody maps. Tested on a small file (page_cache_test.cc).
#include "harness/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
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

// A file's whole mapping, while it lives, as the engine maps: from a multiple of a huge page on,
// and what comes from disk comes by huge pages.
class Mapping {
 public:
  explicit Mapping(const OpenFile& file) : size_(file.size()) {
    if (file.fd() < 0 || size_ == 0) return;
    room_ = mmap(nullptr, size_ + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (room_ == MAP_FAILED) return;
    const size_t beyond = reinterpret_cast<uintptr_t>(room_) % kHugePage;
    void* const at = static_cast<char*>(room_) + (kHugePage - beyond) % kHugePage;
    data_ = mmap(at, size_, PROT_READ, MAP_SHARED | MAP_FIXED, file.fd(), 0);
    if (*this) madvise(data_, size_, MADV_HUGEPAGE);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (room_ != MAP_FAILED) munmap(room_, size_ + kHugePage);
  }
  explicit operator bool() const { return data_ != MAP_FAILED; }
  void* data() const { return data_; }
  size_t size() const { return size_; }
  // Touches all of it; false where the kernel does not do that.
  bool Populate() const {
#ifdef MADV_POPULATE_READ
    return madvise(data_, size_, MADV_POPULATE_READ) == 0;
#else
    return false;
#endif
  }

 private:
  static constexpr size_t kHugePage = size_t{2} << 20;
  void* room_ = MAP_FAILED;
  void* data_ = MAP_FAILED;
  size_t size_;
};

// Of this process's files, in KiB; -1 where the kernel does not tell.
double HugeMappedKib() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  double kib = -1;
  for (std::string line; std::getline(rollup, line);) {
    if (std::sscanf(line.c_str(), "FilePmdMapped: %lf", &kib) == 1) break;
  }
  return kib;
}

}  // namespace

double ResidentPct(const std::string& path) {
  const OpenFile file(path);
  const Mapping map(file);
  if (!map) return -1;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((file.size() + page - 1) / page);
  if (mincore(map.data(), map.size(), resident.data()) != 0) return -1;
  const auto count = std::count_if(resident.begin(), resident.end(),
                                   [](unsigned char state) { return (state & 1) != 0; });
  return 100.0 * static_cast<double>(count) / static_cast<double>(resident.size());
}

double HugeMappedPct(const std::string& path) {
  const OpenFile file(path);
  const double before = HugeMappedKib();
  const Mapping map(file);
  if (!map || before < 0 || !map.Populate()) return -1;
  return 100.0 * (HugeMappedKib() - before) * 1024 / static_cast<double>(map.size());
}

void WarmFile(const std::string& path) {
  if (ResidentPct(path) == 100) return;
  const OpenFile file(path);
  if (const Mapping map(file); map && map.Populate()) return;
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

double SettleFile(const std::string& path) {
  // What is on disk alone is read once, not by faults first.
  const double huge = ResidentPct(path) < 50 ? -1 : HugeMappedPct(path);
  if (huge >= 90) return huge;
  RereadFile(path);
  return HugeMappedPct(path);
}

}  // namespace smallmind::harness
