// Memory in huge pages where the system lends them, else in small ones: for what is large and read
// again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace smallmind {

// Address space with nothing in it, from a multiple of 2 MiB on: where huge pages can begin.
class HugeRange {
 public:
  HugeRange() = default;
  // Without address (at() is null) where there is no room.
  explicit HugeRange(size_t bytes);
  HugeRange(HugeRange&& other) noexcept;
  HugeRange& operator=(HugeRange&& other) noexcept;
  ~HugeRange();  // with whatever was mapped there meanwhile

  uint8_t* at() const { return at_; }

 private:
  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
  uint8_t* at_ = nullptr;
};

// Zeroed memory of this process.
class HugePages {
 public:
  HugePages() = default;
  // std::bad_alloc where the system does not lend so much.
  explicit HugePages(size_t bytes);
  HugePages(HugePages&& other) noexcept;
  HugePages& operator=(HugePages&& other) noexcept;

  // From a multiple of 2 MiB on.
  std::span<uint8_t> bytes() { return {range_.at(), size_}; }
  std::span<const uint8_t> bytes() const { return {range_.at(), size_}; }

 private:
  HugeRange range_;
  size_t size_ = 0;
};

}  // namespace smallmind
