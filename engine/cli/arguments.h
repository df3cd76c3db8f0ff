// Declaring a program's subcommands and their options. A thin face of CLI11, whose header only
// arguments.cc includes: it costs each file that includes it some five CPU-seconds, times
// subcommands, times build variants.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace smallmind {

using Action = std::function<int()>;

// An option just declared; each call narrows what it takes. A value outside is a usage error.
class OptionRules {
 public:
  explicit OptionRules(CLI::Option* option) : option_(option) {}
  OptionRules& Required();
  OptionRules& ShowDefault();  // in --help; the variable's value when this is called
  OptionRules& Range(int64_t low, int64_t high);
  OptionRules& RealRange(double low, double high);
  OptionRules& Positive();
  OptionRules& NotEmpty();
  OptionRules& OneOf(std::initializer_list<const char*> names);

 private:
  CLI::Option* option_;
};

// One subcommand. Names are CLI11's: "-p,--prompt", or "input" for a positional argument. The
// variables must outlive parsing; an action that captures their owner by shared_ptr sees to it.
class Command {
 public:
  Command(CLI::App* app, Action* action) : app_(app), action_(action) {}

  // Numbers: the whole word, base 10, finite, in the variable's range.
  OptionRules Option(const std::string& names, uint64_t* value, const std::string& help);
  OptionRules Option(const std::string& names, int* value, const std::string& help);
  OptionRules Option(const std::string& names, float* value, const std::string& help);
  OptionRules Option(const std::string& names, double* value, const std::string& help);
  OptionRules Option(const std::string& names, std::string* value, const std::string& help);
  OptionRules Option(const std::string& names, std::filesystem::path* value,
                     const std::string& help);
  // May be given again; each time takes one word, as it is.
  OptionRules Option(const std::string& names, std::vector<std::string>* value,
                     const std::string& help);
  // Comma separated.
  OptionRules Option(const std::string& names, std::vector<int32_t>* value,
                     const std::string& help);
  void Flag(const std::string& names, bool* value, const std::string& help);
  // What the program does when this subcommand is the one given: returns an exit code or throws an
  // Error.
  void Runs(Action action);

 private:
  CLI::App* app_;
  Action* action_;
};

class Program {
 public:
  Program(const std::string& description, const std::string& footer);
  ~Program();

  // `declare` is called where this subcommand is the one given: the options of all ten cost a start
  // 0.5 ms under shadow paging.
  void Add(const std::string& name, const std::string& help, std::function<void(Command&)> declare);
  // The chosen subcommand's action; for --help one that prints it. Throws UsageError.
  Action Parse(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
  Action action_;
};

}  // namespace smallmind
