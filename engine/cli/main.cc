// smallmind: one program, one subcommand a file (command.h lists them).
//
// Exit codes: 0 done, 1 bad usage, 2 bad input or model, 3 internal error. Errors are one line on
// stderr.

#include <cstdio>
#include <new>

#include "engine/base/error.h"
#include "engine/cli/command.h"
#include "engine/runtime/clock.h"

namespace {

int Fail(smallmind::ExitCode code, const char* message) {
  std::fprintf(stderr, "smallmind: %s\n", message);
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  using smallmind::ExitCode;
  const int64_t main_ns = smallmind::NowNs();  // first thing: the protocol's phase "main"
  CLI::App app("LLM inference on the CPU, built many ways to be measured");
  smallmind::Action action;
  smallmind::AddGenerate(app, &action);
  smallmind::AddBench(app, main_ns, &action);
  smallmind::AddProfile(app, &action);
  smallmind::AddLogits(app, &action);
  smallmind::AddTokenize(app, &action);
  smallmind::AddPerplexity(app, &action);
  smallmind::AddVerify(app, &action);
  smallmind::AddMakeModel(app, &action);
  smallmind::AddQuantize(app, &action);
  smallmind::AddInfo(app, &action);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 bad usage, 2 bad input or model, 3 internal error.");
  // `--profile-mode -m M` is another spelling of `profile -m M`.
  if (argc > 1 && std::string_view(argv[1]) == "--profile-mode") {
    static char profile[] = "profile";
    argv[1] = profile;
  }
  try {
    app.parse(argc, argv);
    return action();
  } catch (const CLI::Success& e) {
    return app.exit(e);  // --help
  } catch (const CLI::ParseError& e) {
    return Fail(ExitCode::kUsage, e.what());
  } catch (const smallmind::Error& e) {
    return Fail(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return Fail(ExitCode::kInput, "out of memory; a smaller --ctx or --batch needs less");
  } catch (const std::exception& e) {
    return Fail(ExitCode::kInternal, e.what());
  }
}
