// Declares every subcommand (command.h lists them), runs the one given, turns errors into lines and
// codes. Tested by run_program_test.cc.
#include "engine/cli/run_program.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/quote.h"
#include "engine/cli/command.h"

namespace smallmind {
namespace {

constexpr size_t kLongestError = 4096;  // a path, a name from a file and what is wrong with them

// One line, whatever characters the names in it have.
int Fail(ExitCode code, const char* message) {
  std::fprintf(stderr, "smallmind: %s\n", Printable(message, kLongestError).c_str());
  return static_cast<int>(code);
}

// Output that a full disk or a closed descriptor swallowed is an error. Bytes that could not be
// written stay in the buffer, so that this flush meets the reason of an earlier one, too.
void CheckOutput() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if (flushed && std::ferror(stdout) == 0) return;
  throw InputError(std::string("cannot write to standard output: ") +
                   (error != 0 ? std::strerror(error) : "an earlier write failed"));
}

}  // namespace

int RunProgram(int argc, const char* const* argv, const StartInstants& start) {
  try {
    Program program("LLM inference on the CPU, built many ways to be measured",
                    "Exit codes: 0 done, 1 bad usage, 2 bad input or model, 3 internal error, "
                    "130 interrupted.");
    AddGenerate(program);
    AddBench(program, start);
    AddProfile(program);
    AddLogits(program);
    AddTokenize(program);
    AddPerplexity(program);
    AddVerify(program);
    AddMakeModel(program);
    AddQuantize(program);
    AddInfo(program);
    std::vector<const char*> words(argv, argv + argc);
    // `--profile-mode -m M` is another spelling of `profile -m M`.
    if (argc > 1 && std::string_view(words[1]) == "--profile-mode") words[1] = "profile";
    const int code = program.Parse(argc, words.data())();
    CheckOutput();
    return code;
  } catch (const Error& e) {
    return Fail(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return Fail(ExitCode::kInput, "out of memory; a smaller --ctx or --batch needs less");
  } catch (const std::exception& e) {
    return Fail(ExitCode::kInternal, e.what());
  }
}

}  // namespace smallmind
