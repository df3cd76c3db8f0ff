// JSON values into plain types, numbers checked: a count that its type cannot hold is refused,
// where the library's own conversion would be undefined (1e300 to an int) or wrap.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace smallmind::harness {

// Counts and times are far below; differences of two of them cannot overflow.
inline constexpr int64_t kMostCount = int64_t{1} << 61;

template <typename T>
concept Count = std::integral<T> && !std::same_as<T, bool>;

// Throws nlohmann's type_error, or std::range_error where a number does not fit.
template <typename T>
void FromJson(const nlohmann::ordered_json& json, T& value) {
  value = json.get<T>();
}

template <Count T>
void FromJson(const nlohmann::ordered_json& json, T& value) {
  if (json.is_number_float()) {
    const double number = json.get<double>();
    // Negated: NaN fails too.
    if (!(std::fabs(number) <= static_cast<double>(kMostCount))) {
      throw std::range_error("a number is too large");
    }
    const auto whole = static_cast<int64_t>(number);
    if (!std::in_range<T>(whole)) throw std::range_error("a number is too large");
    value = static_cast<T>(whole);
    return;
  }
  const auto whole = json.get<int64_t>();
  const bool wrapped = json.is_number_unsigned() && json.get<uint64_t>() > uint64_t{kMostCount};
  if (wrapped || whole > kMostCount || whole < -kMostCount || !std::in_range<T>(whole)) {
    throw std::range_error("a number is too large");
  }
  value = static_cast<T>(whole);
}

template <typename T>
void FromJson(const nlohmann::ordered_json& json, std::vector<T>& values) {
  values.clear();
  for (const auto& item : json.get_ref<const nlohmann::ordered_json::array_t&>()) {
    FromJson(item, values.emplace_back());
  }
}

template <typename T>
void FromJson(const nlohmann::ordered_json& json, std::map<std::string, T>& values) {
  values.clear();
  for (const auto& [name, item] : json.get_ref<const nlohmann::ordered_json::object_t&>()) {
    FromJson(item, values[name]);
  }
}

// A field of an object: `fallback` where it is absent.
template <typename T>
T Field(const nlohmann::ordered_json& json, const char* name, T fallback) {
  const auto it = json.find(name);
  if (it == json.end()) return fallback;
  T value{};
  FromJson(*it, value);
  return value;
}

template <typename T>
T Field(const nlohmann::ordered_json& json, const char* name) {
  T value{};
  FromJson(json.at(name), value);
  return value;
}

}  // namespace smallmind::harness
