// One mmap of the whole file. The descriptor is closed at once: the mapping keeps the file alive.
// Tested in base_test.cc.
#include "engine/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

// Closes on every path out of Open.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void Fail(const std::string& path, const std::string& why) {
  throw InputError("cannot open " + Quote(path) + ": " + why);
}

}  // namespace

MappedFile MappedFile::Open(const std::filesystem::path& path) {
  MappedFile file;
  file.path_ = path.string();
  // O_NONBLOCK: a named pipe without a writer is refused below, not waited for.
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) Fail(file.path_, std::strerror(errno));
  struct stat st = {};
  if (fstat(fd.get(), &st) != 0) Fail(file.path_, std::strerror(errno));
  if (S_ISDIR(st.st_mode)) Fail(file.path_, "it is a directory");
  if (!S_ISREG(st.st_mode)) Fail(file.path_, "not a regular file");
  if (st.st_size == 0) Fail(file.path_, "the file is empty");
  const size_t size = static_cast<size_t>(st.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) Fail(file.path_, std::strerror(errno));
  file.data_ = static_cast<const uint8_t*>(data);
  file.size_ = size;
  return file;
}

void MappedFile::Forget(std::span<const uint8_t> range) const {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto base = reinterpret_cast<uintptr_t>(data_);
  const auto at = reinterpret_cast<uintptr_t>(range.data());
  if (data_ == nullptr || at < base || at + range.size() > base + size_) return;  // another's
  const uintptr_t begin = (at + page - 1) / page * page, end = (at + range.size()) / page * page;
  if (begin < end)
    madvise(const_cast<uint8_t*>(data_) + (begin - base), end - begin, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

}  // namespace smallmind
