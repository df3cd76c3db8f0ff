// One JSON object on one line, fields in the order they are added (RFC 8259).
//
//   JsonLine().Add("event", "token").Add("index", 3).str()   ->   {"event":"token","index":3}
//
// Text that is not UTF-8 becomes U+FFFD; doubles print the shortest digits that read back the same;
// NaN and infinities, which JSON cannot say, become null. Tested in base_test.cc.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace smallmind {

std::string JsonQuote(std::string_view text);

class JsonLine {
 public:
  JsonLine& Add(std::string_view key, std::string_view value) {
    Key(key);
    out_ += JsonQuote(value);
    return *this;
  }
  JsonLine& Add(std::string_view key, const char* value) {
    return Add(key, std::string_view(value));
  }
  JsonLine& Add(std::string_view key, bool value) {
    Key(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  template <std::integral T>
  JsonLine& Add(std::string_view key, T value) {
    Key(key);
    Number(value);
    return *this;
  }
  JsonLine& Add(std::string_view key, double value) {
    Key(key);
    Double(value);
    return *this;
  }
  // Any range of numbers or strings.
  template <typename T>
  JsonLine& AddArray(std::string_view key, std::span<const T> values) {
    Key(key);
    out_ += '[';
    for (size_t i = 0; i < values.size(); ++i) {
      if (i != 0) out_ += ',';
      if constexpr (std::floating_point<T>) {
        Double(static_cast<double>(values[i]));
      } else if constexpr (std::integral<T>) {
        Number(values[i]);
      } else {
        out_ += JsonQuote(values[i]);
      }
    }
    out_ += ']';
    return *this;
  }
  // `json` is already valid JSON: a nested object or array.
  JsonLine& AddRaw(std::string_view key, std::string_view json) {
    Key(key);
    out_ += json;
    return *this;
  }

  std::string str() const { return out_ + "}"; }

 private:
  void Key(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    out_ += JsonQuote(key);
    out_ += ':';
  }
  template <typename T>
  void Number(T value) {
    char buffer[32];
    out_.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
  }
  void Double(double value) {
    if (std::isfinite(value)) {
      Number(value);
    } else {
      out_ += "null";
    }
  }

  std::string out_ = "{";
};

}  // namespace smallmind
