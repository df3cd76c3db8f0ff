// A file that appears whole or not at all: bytes go to a temporary in the target's folder, Commit
// renames it into place.
//
// The temporary has no name until Commit where the file system can do that, so that whatever ends
// the process leaves nothing behind; elsewhere the destructor removes it. An error on the way (a
// full disk) leaves what was there before. A file that is replaced passes its permissions on, and
// its owner where that is allowed; other hard links to it keep the old bytes. A target that is no
// regular file (/dev/stdout, /dev/null) is written directly. Errors: InputError naming the path and
// the system's reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace smallmind {

class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  void Write(std::span<const uint8_t> bytes);
  void Commit();                           // once, at the end
  uint64_t size() const { return size_; }  // bytes given to Write so far

 private:
  void OpenTemporary();
  void Flush();
  void WriteAll(std::span<const uint8_t> bytes);
  [[noreturn]] void Fail(const char* what, int error) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;  // empty: the target is written directly
  bool named_ = false;               // the temporary is in its folder
  int fd_ = -1;
  uint64_t size_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace smallmind
