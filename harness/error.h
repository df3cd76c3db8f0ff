// Errors of the harness: one line of text and the process exit code it maps to.
//
// Exit codes (also in `harness --help`): 0 ok, 1 usage or error, 2 bad input (model, manifest,
// run), 3 regression or different output, 4 inconclusive, 130 interrupted.
#pragma once

#include <stdexcept>
#include <string>

namespace smallmind::harness {

inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitInput = 2;
inline constexpr int kExitRegression = 3;
inline constexpr int kExitInconclusive = 4;
inline constexpr int kExitInterrupted = 130;

class HarnessError : public std::runtime_error {
 public:
  HarnessError(int exit_code, const std::string& message)
      : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// A wrong command line, or something of ours that failed (a full disk, a missing launcher): exit 1.
class RunError : public HarnessError {
 public:
  explicit RunError(const std::string& message) : HarnessError(kExitError, message) {}
};

// A model, manifest, baseline or run directory that cannot be used: exit 2.
class BadInput : public HarnessError {
 public:
  explicit BadInput(const std::string& message) : HarnessError(kExitInput, message) {}
};

}  // namespace smallmind::harness
