// For tests: memory between two pages that nobody may touch, so that a read or write outside of it
// ends the test on every machine, with or without a sanitizer.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace smallmind {

// kStart: the first byte follows a forbidden page; kEnd: the last is followed by one.
enum class Against { kStart, kEnd };

class GuardedBytes {
 public:
  GuardedBytes(size_t size, Against against) : size_(size) {
    const size_t room = (size + page_ - 1) / page_ * page_;
    mapped_ = room + 2 * page_;
    void* const at = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<uint8_t*>(at);
    if (mprotect(base_ + page_, room, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = base_ + page_ + (against == Against::kStart ? 0 : room - size);
  }
  ~GuardedBytes() { munmap(base_, mapped_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  uint8_t* data() { return data_; }
  std::span<uint8_t> span() { return {data_, size_}; }

 private:
  size_t page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t size_, mapped_ = 0;
  uint8_t* base_ = nullptr;
  uint8_t* data_ = nullptr;
};

}  // namespace smallmind
