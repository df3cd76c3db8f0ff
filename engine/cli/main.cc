// smallmind: one program, one subcommand a file (command.h lists them).
//
// Exit codes: 0 done, 1 bad usage, 2 bad input or model, 3 internal error. Errors are one line on
// stderr.

#include <cstdio>
#include <new>

#include "engine/base/error.h"
#include "engine/cli/command.h"
#include "engine/cli/instant.h"

namespace {

// The one thing that runs before everything else of the program and has nobody to hand its result
// to.
constinit smallmind::Instant loaded;
__attribute__((constructor(101))) void StampLoaded() { loaded = smallmind::Instant::Now(); }

int Fail(smallmind::ExitCode code, const char* message) {
  std::fprintf(stderr, "smallmind: %s\n", message);
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  using smallmind::ExitCode;
  const smallmind::StartInstants start{loaded, smallmind::Instant::Now()};
  smallmind::Program program(
      "LLM inference on the CPU, built many ways to be measured",
      "Exit codes: 0 done, 1 bad usage, 2 bad input or model, 3 internal error.");
  smallmind::AddGenerate(program);
  smallmind::AddBench(program, start);
  smallmind::AddProfile(program);
  smallmind::AddLogits(program);
  smallmind::AddTokenize(program);
  smallmind::AddPerplexity(program);
  smallmind::AddVerify(program);
  smallmind::AddMakeModel(program);
  smallmind::AddQuantize(program);
  smallmind::AddInfo(program);
  // `--profile-mode -m M` is another spelling of `profile -m M`.
  if (argc > 1 && std::string_view(argv[1]) == "--profile-mode") {
    static char profile[] = "profile";
    argv[1] = profile;
  }
  try {
    return program.Parse(argc, argv)();
  } catch (const smallmind::Error& e) {
    return Fail(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return Fail(ExitCode::kInput, "out of memory; a smaller --ctx or --batch needs less");
  } catch (const std::exception& e) {
    return Fail(ExitCode::kInternal, e.what());
  }
}
