// An anonymous mapping with room to align it, and advice. Tested in base_test.cc.
#include "engine/base/huge_pages.h"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace smallmind {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;  // of x86, and of arm64 with pages of 4 KiB

}  // namespace

HugePages::HugePages(size_t bytes) {
  if (bytes == 0) return;
  const size_t room = bytes + kHugePage;
  void* const mapped =
      mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  const auto at = reinterpret_cast<uintptr_t>(mapped);
  mapped_ = mapped;
  mapped_bytes_ = room;
  data_ = static_cast<uint8_t*>(mapped) + (kHugePage - at % kHugePage) % kHugePage;
  size_ = bytes;
  madvise(data_, bytes, MADV_HUGEPAGE);  // refused: small pages do too
}

HugePages::HugePages(HugePages&& other) noexcept { *this = std::move(other); }

HugePages& HugePages::operator=(HugePages&& other) noexcept {
  std::swap(mapped_, other.mapped_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

HugePages::~HugePages() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

}  // namespace smallmind
