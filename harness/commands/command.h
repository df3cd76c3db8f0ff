// What a subcommand is: flags on a CLI11 app, and an action that returns the exit code.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace smallmind::harness {

struct CommandLine {
  std::vector<std::string> arguments;  // argv, for the record
  std::function<int()> action;         // set by the subcommand that was named
};

// The default: flags on the program itself too, which takes one subcommand at most. RunError where
// they stand before a subcommand.
void AddRun(CLI::App& app, CommandLine& line);
void AddReport(CLI::App& app, CommandLine& line);
void AddGate(CLI::App& app, CommandLine& line);
void AddSelftest(CLI::App& app, CommandLine& line);
void AddVerify(CLI::App& app, CommandLine& line);
void AddList(CLI::App& app, CommandLine& line);
void AddExport(CLI::App& app, CommandLine& line);

inline void AddCommands(CLI::App& app, CommandLine& line) {
  AddRun(app, line);
  AddReport(app, line);
  AddGate(app, line);
  AddSelftest(app, line);
  AddVerify(app, line);
  AddList(app, line);
  AddExport(app, line);
}

}  // namespace smallmind::harness
