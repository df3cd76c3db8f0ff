// The one place that knows CLI11. Tested by arguments_test.cc.
#include "engine/cli/arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <sstream>
#include <type_traits>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

// Numbers are read here and not by CLI11, to whom "010" is 8, "-1" is 2^64 − 1 and "" is nothing
// given. The end of the one that begins at `at`; null where none from low to high does.
template <class T>
const char* ReadNumber(const char* at, const char* end, T low, T high, T* value) {
  const auto [rest, error] = std::from_chars(at, end, *value);
  return error == std::errc() && low <= *value && *value <= high ? rest : nullptr;
}

template <class T>
bool ReadWhole(const std::string& word, T low, T high, T* value) {
  const char* const end = word.data() + word.size();
  return ReadNumber(word.data(), end, low, high, value) == end;
}

bool ReadList(const std::string& word, std::vector<int32_t>* values) {
  using Limits = std::numeric_limits<int32_t>;
  values->clear();
  const char* const end = word.data() + word.size();
  for (const char* at = word.data();; ++at) {
    at = ReadNumber(at, end, Limits::min(), Limits::max(), &values->emplace_back());
    if (at == end) return true;
    if (at == nullptr || *at != ',') return false;
  }
}

template <class T>
std::string Text(T value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

template <class T>
CLI::Validator Within(T low, T high, const std::string& description) {
  const std::string allowed =
      (std::is_integral_v<T> ? " is not a whole number from " : " is not a number from ") +
      Text(low) + " to " + Text(high);
  return CLI::Validator(
      [=](std::string& word) {
        T value{};
        return ReadWhole(word, low, high, &value) ? std::string() : Quote(word) + allowed;
      },
      description);
}

template <class T>
CLI::Option* AddNumber(CLI::App* app, const std::string& names, T* value, const std::string& help) {
  using Limits = std::numeric_limits<T>;
  const CLI::callback_t take = [value](const CLI::results_t& words) {
    return ReadWhole(words.back(), Limits::lowest(), Limits::max(), value);
  };
  CLI::Option* option = app->add_option(names, take, help, false, [value] { return Text(*value); });
  return option->type_name(CLI::detail::type_name<T>())
      ->check(Within(Limits::lowest(), Limits::max(), ""));
}

}  // namespace

OptionRules& OptionRules::Required() {
  option_->required();
  return *this;
}
OptionRules& OptionRules::ShowDefault() {
  option_->capture_default_str();
  return *this;
}
// transform, unlike check, puts a rule before that of the number's type: its error is the clearer.
OptionRules& OptionRules::Range(int64_t low, int64_t high) {
  option_->transform(Within(low, high, "INT in [" + Text(low) + " - " + Text(high) + "]"));
  return *this;
}
OptionRules& OptionRules::RealRange(double low, double high) {
  option_->transform(Within(low, high, "FLOAT in [" + Text(low) + " - " + Text(high) + "]"));
  return *this;
}
OptionRules& OptionRules::Positive() {
  const auto wrong = [](std::string& word) {
    constexpr double kMost = std::numeric_limits<double>::max();
    double value = 0;
    const bool good = ReadWhole(word, 0.0, kMost, &value) && value > 0;
    return good ? std::string() : Quote(word) + " is not a number > 0";
  };
  option_->transform(CLI::Validator(wrong, "POSITIVE"));
  return *this;
}
OptionRules& OptionRules::NotEmpty() {
  const auto wrong = [](std::string& word) { return word.empty() ? "the name is empty" : ""; };
  option_->check(CLI::Validator(wrong, ""));
  return *this;
}
OptionRules& OptionRules::OneOf(std::initializer_list<const char*> names) {
  option_->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())));
  return *this;
}

OptionRules Command::Option(const std::string& names, uint64_t* value, const std::string& help) {
  return OptionRules(AddNumber(app_, names, value, help));
}
OptionRules Command::Option(const std::string& names, int* value, const std::string& help) {
  return OptionRules(AddNumber(app_, names, value, help));
}
OptionRules Command::Option(const std::string& names, float* value, const std::string& help) {
  return OptionRules(AddNumber(app_, names, value, help));
}
OptionRules Command::Option(const std::string& names, double* value, const std::string& help) {
  return OptionRules(AddNumber(app_, names, value, help));
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
  const CLI::callback_t take = [value](const CLI::results_t& words) {
    return ReadList(words.back(), value);
  };
  CLI::Option* option = app_->add_option(names, take, help);
  const auto wrong = [](std::string& word) {
    std::vector<int32_t> values;
    if (ReadList(word, &values)) return std::string();
    return Quote(word) + " is not whole numbers below 2^31 with commas between";
  };
  option->type_name("INT,...")->check(CLI::Validator(wrong, ""));
  return OptionRules(option);
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

void Program::Add(const std::string& name, const std::string& help,
                  std::function<void(Command&)> declare) {
  CLI::App* const app = app_->add_subcommand(name, help);
  app->preparse_callback([this, app, declare = std::move(declare)](size_t) {
    Command command(app, &action_);
    declare(command);
  });
}

Action Program::Parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& help) {
    const int code = app_->exit(help);
    return [code] { return code; };
  } catch (const CLI::RequiredError& e) {
    if (argc < 2 || !app_->get_subcommands().empty()) throw UsageError(e.what());
    std::string names;
    for (const CLI::App* one : app_->get_subcommands([](CLI::App*) { return true; })) {
      names += (names.empty() ? "" : ", ") + one->get_name();
    }
    throw UsageError(Quote(argv[1]) + " is no subcommand; there are " + names);
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  return action_;
}

}  // namespace smallmind
