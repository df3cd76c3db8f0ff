// The command line as main() sets it up, parsed and not run: a flag that a subcommand would ignore
// is refused.
#include "harness/commands/command.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "harness/error.h"

namespace smallmind::harness {
namespace {

// "" or what is wrong with the words after `harness`.
std::string ErrorOf(const std::string& words) {
  CLI::App app;
  CommandLine line;
  AddCommands(app, line);
  try {
    app.parse(words, false);
  } catch (const CLI::ParseError& error) {
    return error.what();
  } catch (const RunError& error) {
    return error.what();
  }
  return line.action ? "" : "nothing to do";
}

TEST(Commands, TakeTheFlagsThatTheyHeed) {
  for (const char* words :
       {"", "run", "--budget 10 --no-plots --export-csv f", "run --save-baseline x --no-report",
        "gate --budget 10 --save-baseline x --baseline y", "gate --resume r --against HEAD",
        "selftest --rounds 9", "selftest --from r --results-dir d --comparisons 200",
        "report r --no-plots", "export r -f csv", "list", "verify"}) {
    EXPECT_EQ(ErrorOf(words), "") << words;
  }
}

TEST(Commands, RefuseFlagsThatTheyWouldIgnore) {
  for (const char* words :
       {"--no-report --export-markdown f", "gate --no-plots", "gate --no-report",
        "gate --export-json f", "gate --export-csv f", "gate --export-markdown f",
        "gate --peer x=y", "gate --variants o2", "selftest --no-plots", "selftest --export-json f",
        "selftest --save-baseline x", "selftest --baseline x", "selftest --peer x=y",
        "selftest --layouts 2", "selftest --training-prompts", "selftest --from r --rounds 9",
        "selftest --from r --variant o3"}) {
    EXPECT_NE(ErrorOf(words), "") << words;
  }
}

TEST(Commands, TakeOneSubcommandAtMost) {
  EXPECT_NE(ErrorOf("list verify"), "");
  EXPECT_NE(ErrorOf("run gate"), "");
}

TEST(Commands, FlagsBeforeASubcommandAreRefused) {
  EXPECT_EQ(ErrorOf("--budget 10 gate"),
            "--budget stands before gate, which would not see it: put it behind");
  EXPECT_NE(ErrorOf("--quick selftest"), "");
  EXPECT_NE(ErrorOf("--results-dir d list"), "");
  EXPECT_NE(ErrorOf("--rounds 3 run"), "");
}

}  // namespace
}  // namespace smallmind::harness
