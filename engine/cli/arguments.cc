// The one place that knows CLI11. Tested by arguments_test.cc.
#include "engine/cli/arguments.h"

#include <CLI/CLI.hpp>

#include "engine/base/error.h"

namespace smallmind {

OptionRules& OptionRules::Required() {
  option_->required();
  return *this;
}
OptionRules& OptionRules::ShowDefault() {
  option_->capture_default_str();
  return *this;
}
OptionRules& OptionRules::Range(int64_t low, int64_t high) {
  option_->check(CLI::Range(low, high));
  return *this;
}
OptionRules& OptionRules::RealRange(double low, double high) {
  option_->check(CLI::Range(low, high));
  return *this;
}
OptionRules& OptionRules::Positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}
OptionRules& OptionRules::OneOf(std::initializer_list<const char*> names) {
  option_->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())));
  return *this;
}
OptionRules& OptionRules::Delimiter(char c) {
  option_->delimiter(c);
  return *this;
}

OptionRules Command::Option(const std::string& names, uint64_t* value, const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
OptionRules Command::Option(const std::string& names, int* value, const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
OptionRules Command::Option(const std::string& names, float* value, const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
OptionRules Command::Option(const std::string& names, double* value, const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
OptionRules Command::Option(const std::string& names, std::string* value, const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
OptionRules Command::Option(const std::string& names, std::filesystem::path* value,
                            const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
OptionRules Command::Option(const std::string& names, std::vector<std::string>* value,
                            const std::string& help) {
  // Bound to the vector itself, CLI11 would take "[a,b]" for a list and swallow the words after it.
  const CLI::callback_t take = [value](const CLI::results_t& words) {
    *value = words;
    return true;
  };
  CLI::Option* option = app_->add_option(names, take, help);
  option->type_name("TEXT")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return OptionRules(option);
}
OptionRules Command::Option(const std::string& names, std::vector<int32_t>* value,
                            const std::string& help) {
  return OptionRules(app_->add_option(names, *value, help));
}
void Command::Flag(const std::string& names, bool* value, const std::string& help) {
  app_->add_flag(names, *value, help);
}
void Command::Runs(Action action) {
  app_->callback([to = action_, action = std::move(action)] { *to = action; });
}

Program::Program(const std::string& description, const std::string& footer)
    : app_(std::make_unique<CLI::App>(description)) {
  app_->require_subcommand(1);
  app_->footer(footer);
}
Program::~Program() = default;

Command Program::Add(const std::string& name, const std::string& help) {
  return Command(app_->add_subcommand(name, help), &action_);
}

Action Program::Parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& help) {
    const int code = app_->exit(help);
    return [code] { return code; };
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  return action_;
}

}  // namespace smallmind
