// Names from hostile files, made fit for a one-line message or a terminal: shortened between
// characters; control characters (C0, C1, DEL) and bytes that are not UTF-8 as \xNN.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/utf8.h"

namespace smallmind {

inline std::string Printable(std::string_view text, size_t max_bytes = 200) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const size_t valid = Utf8Valid(text), size = valid == 0 ? 1 : valid;
    if (size > max_bytes) return out + "…";
    const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
    const bool control =
        byte(0) < 0x20 || byte(0) == 0x7f || (valid == 2 && byte(0) == 0xc2 && byte(1) < 0xa0);
    if (valid != 0 && !control) {
      out += text.substr(0, size);
    } else {
      for (size_t i = 0; i < size; ++i) {
        out += "\\x";
        out += kHex[byte(i) >> 4];
        out += kHex[byte(i) & 15];
      }
    }
    text.remove_prefix(size);
    max_bytes -= size;
  }
  return out;
}

inline std::string Quote(std::string_view text, size_t max_bytes = 200) {
  return "'" + Printable(text, max_bytes) + "'";
}

}  // namespace smallmind
