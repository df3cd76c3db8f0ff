// The bytes of a whole file, read-only: mapped, or copied into memory of this process.
//
// A mapping shares its pages with the page cache (RssFile) and reads what is touched when it is
// touched. A copy (RssAnon) reads everything at once, into huge pages where the system has them: no
// TLB miss every 4 KiB, no page cache under it. It costs the time to read, and pays where much is
// read often; on virtual machines whose hypervisor shadows page tables it is up to 1.3 times as
// fast (README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace smallmind {

enum class FileAccess { kMapped, kCopied };

class FileBytes {
 public:
  // InputError where the path is missing, a directory, empty or unreadable, and where memory does
  // not suffice for a copy.
  static FileBytes Open(const std::filesystem::path& path, FileAccess access = FileAccess::kMapped);
  FileBytes() = default;
  FileBytes(FileBytes&& other) noexcept;
  FileBytes& operator=(FileBytes&& other) noexcept;
  ~FileBytes();

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }
  FileAccess access() const { return access_; }

 private:
  void* pages_ = nullptr;  // what munmap takes
  size_t pages_bytes_ = 0;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  std::string path_;
  FileAccess access_ = FileAccess::kMapped;
};

}  // namespace smallmind
