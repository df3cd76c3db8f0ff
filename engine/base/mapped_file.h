// A file mapped read-only. Pages are shared with the page cache: RssFile, not RssAnon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "engine/base/huge_pages.h"

namespace smallmind {

class MappedFile {
 public:
  // InputError where the path is missing, a directory, empty or unreadable.
  static MappedFile Open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return {range_.at(), size_}; }
  const std::string& path() const { return path_; }
  // Copies up to to.size() bytes from `offset` on and says how many (fewer at the file's end and
  // where it cannot be read): for a ForwardWindow.
  size_t Read(uint64_t offset, std::span<uint8_t> to) const;
  // These bytes are not needed soon: their pages leave the process, and come back when touched.
  void Forget(std::span<const uint8_t> range) const;

 private:
  int descriptor_ = -1;
  HugeRange range_;  // where it is mapped
  size_t size_ = 0;
  std::string path_;
};

}  // namespace smallmind
