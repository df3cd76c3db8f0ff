// One mmap of the whole file, or of as much anonymous memory. The descriptor is closed at once: a
// mapping keeps the file alive. Tested in base_test.cc.
#include "engine/base/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;  // of x86 and of arm64 with pages of 4 KiB

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

// All of a file of `size` bytes. A file that was cut meanwhile is an error, not zeros.
void ReadAll(int fd, const std::string& path, uint8_t* to, size_t size) {
  constexpr size_t kPiece = size_t{64} << 20;  // read(2) takes less than 2 GiB at a time
  for (size_t done = 0; done < size;) {
    const ssize_t n = pread(fd, to + done, std::min(kPiece, size - done), static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail(path, std::strerror(errno));
    if (n == 0) Fail(path, "it became shorter while it was read");
    done += static_cast<size_t>(n);
  }
}

}  // namespace

FileBytes FileBytes::Open(const std::filesystem::path& path, FileAccess access) {
  FileBytes file;
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
  const bool copied = access == FileAccess::kCopied;
  if (copied && size / static_cast<size_t>(sysconf(_SC_PAGESIZE)) >=
                    static_cast<size_t>(sysconf(_SC_PHYS_PAGES))) {
    // A system that lends more than it has would end the process halfway.
    Fail(file.path_,
         "this machine's memory is too small for a copy; without --no-mmap it needs none");
  }
  const size_t room = copied ? size + kHugePage : size;
  void* pages =
      copied ? mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
             : mmap(nullptr, room, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (pages == MAP_FAILED) Fail(file.path_, std::strerror(errno));
  file.pages_ = pages;
  file.pages_bytes_ = room;
  file.size_ = size;
  if (!copied) {
    file.data_ = static_cast<const uint8_t*>(pages);
    return file;
  }
  const auto at = reinterpret_cast<uintptr_t>(pages);
  uint8_t* const data = static_cast<uint8_t*>(pages) + (kHugePage - at % kHugePage) % kHugePage;
  madvise(data, size, MADV_HUGEPAGE);  // refused: small pages do too
  ReadAll(fd.get(), file.path_, data, size);
  mprotect(pages, room, PROT_READ);
  file.data_ = data;
  file.access_ = access;
  return file;
}

FileBytes::FileBytes(FileBytes&& other) noexcept { *this = std::move(other); }

FileBytes& FileBytes::operator=(FileBytes&& other) noexcept {
  std::swap(pages_, other.pages_);
  std::swap(pages_bytes_, other.pages_bytes_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  std::swap(access_, other.access_);
  return *this;
}

FileBytes::~FileBytes() {
  if (pages_ != nullptr) munmap(pages_, pages_bytes_);
}

}  // namespace smallmind
