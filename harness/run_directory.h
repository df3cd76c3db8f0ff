// results/<run>: samples.jsonl, to which a sample is appended the moment it exists, and run.json,
// which is replaced as a whole after every round. Whatever kills the harness, the folder is
// readable.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/record.h"

namespace smallmind::harness {

class RunDirectory {
 public:
  // Makes results_dir/<id>; the id is the UTC time, with a suffix where two runs start in one
  // second.
  static RunDirectory Create(const std::filesystem::path& results_dir, double unix_seconds);
  // An existing run; cuts a torn last line off samples.jsonl. BadInput where it is no run.
  static RunDirectory Open(const std::filesystem::path& directory);

  RunDirectory(RunDirectory&& other) noexcept;
  ~RunDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::string id() const { return path_.filename().string(); }

  // One write of one line. RunError where the disk is full or broken: the partial line is taken
  // back, what was there stays.
  void Append(const Sample& sample);
  // Temporary file + rename. Also asks the disk to keep the samples. RunError as above.
  void WriteInfo(const RunInfo& run);

 private:
  RunDirectory(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::filesystem::path path_;
  int fd_;
};

// "2026-11-22T06:41:12Z"
std::string UtcTime(double unix_seconds);

}  // namespace smallmind::harness
