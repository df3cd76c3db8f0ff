// An anonymous mapping with room to align it, and advice. Tested in base_test.cc.
#include "engine/base/huge_pages.h"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace smallmind {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;  // of x86, and of arm64 with pages of 4 KiB

}  // namespace

HugeRange::HugeRange(size_t bytes) {
  if (bytes == 0) return;
  const size_t room = bytes + kHugePage;
  void* const mapped =
      mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return;
  mapped_ = mapped;
  mapped_bytes_ = room;
  const size_t beyond = reinterpret_cast<uintptr_t>(mapped) % kHugePage;
  at_ = static_cast<uint8_t*>(mapped) + (kHugePage - beyond) % kHugePage;
}

HugeRange::HugeRange(HugeRange&& other) noexcept { *this = std::move(other); }

HugeRange& HugeRange::operator=(HugeRange&& other) noexcept {
  std::swap(mapped_, other.mapped_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(at_, other.at_);
  return *this;
}

HugeRange::~HugeRange() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

HugePages::HugePages(size_t bytes) : range_(bytes), size_(bytes) {
  if (bytes == 0) return;
  if (range_.at() == nullptr || mprotect(range_.at(), bytes, PROT_READ | PROT_WRITE) != 0) {
    throw std::bad_alloc();
  }
  madvise(range_.at(), bytes, MADV_HUGEPAGE);  // refused: small pages do too
}

HugePages::HugePages(HugePages&& other) noexcept { *this = std::move(other); }

HugePages& HugePages::operator=(HugePages&& other) noexcept {
  std::swap(range_, other.range_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace smallmind
