// Zeroed memory in huge pages where the system lends them, else in small ones: for what is large
// and read again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace smallmind {

class HugePages {
 public:
  HugePages() = default;
  // std::bad_alloc where the system does not lend so much.
  explicit HugePages(size_t bytes);
  HugePages(HugePages&& other) noexcept;
  HugePages& operator=(HugePages&& other) noexcept;
  ~HugePages();

  // From a multiple of 2 MiB on.
  std::span<uint8_t> bytes() { return {data_, size_}; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace smallmind
