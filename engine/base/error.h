// Errors of the engine: one line of text and the process exit code it maps to.
//
// Thrown at boundaries only (files, metadata, command lines); kernels never throw. `what()` is one
// line that names the file or flag, what was found and what is allowed; the CLI prefixes
// "smallmind: ".
#pragma once

#include <stdexcept>
#include <string>

namespace smallmind {

// kInterrupted: by Ctrl-C, with what was done so far kept; the shell's own code for it.
enum class ExitCode { kOk = 0, kUsage = 1, kInput = 2, kInternal = 3, kInterrupted = 130 };

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// A wrong command line: exit code 1.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::kUsage, message) {}
};

// A model, vocabulary or text file that cannot be used: exit code 2.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ExitCode::kInput, message) {}
};

// A broken promise of our own: exit code 3.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};

}  // namespace smallmind
