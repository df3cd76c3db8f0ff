// Names from hostile files, made fit for a one-line message or a terminal: shortened, control bytes
// as \xNN.
#pragma once

#include <string>
#include <string_view>

namespace smallmind {

inline std::string Printable(std::string_view text, size_t max_bytes = 200) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text.substr(0, max_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  if (text.size() > max_bytes) out += "…";
  return out;
}

inline std::string Quote(std::string_view text, size_t max_bytes = 200) {
  return "'" + Printable(text, max_bytes) + "'";
}

}  // namespace smallmind
