// harness: measures build variants against each other and says what the difference is worth.
// Every subcommand lives in a file of its own under commands/; command.h lists them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "harness/commands/command.h"
#include "harness/error.h"

namespace {

using namespace smallmind::harness;

constexpr const char* kFooter =
    "Exit codes: 0 ok; 1 usage, or something failed (a variant without a usable sample, a full\n"
    "disk); 2 bad input (model, manifest, run); 3 regression or different output; 4 inconclusive;\n"
    "130 interrupted, with what was measured kept and reported.";

int Fail(int code, std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "harness: %s\n", message.c_str());
  return code;
}

// What was printed may still lie in the buffer: a full disk shows here.
int Finish(int code) {
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return code;
  return Fail(code == kExitOk ? kExitError : code, "standard output cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Compares build variants of smallmind: interleaved rounds of fresh processes, "
      "intervals, a report.");
  CommandLine line;
  line.arguments.assign(argv, argv + argc);
  app.footer(kFooter);
  AddCommands(app, line);
  try {
    app.parse(argc, argv);
    return Finish(line.action());
  } catch (const CLI::Success& help) {
    return Finish(app.exit(help));
  } catch (const CLI::ParseError& error) {
    return Fail(kExitError, error.what());
  } catch (const HarnessError& error) {
    return Fail(error.exit_code(), error.what());
  } catch (const std::exception& error) {
    return Fail(kExitError, error.what());
  }
}
