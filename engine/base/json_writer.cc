// JSON string escaping, with UTF-8 checked byte by byte. Tested in base_test.cc.
#include "engine/base/json_writer.h"

#include "engine/base/utf8.h"

namespace smallmind {

std::string JsonQuote(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else if (const size_t length = Utf8Valid(text.substr(i)); length == 0) {
      out += "\xef\xbf\xbd";
    } else {
      out += text.substr(i, length);
      i += length;
      continue;
    }
    ++i;
  }
  out += '"';
  return out;
}

}  // namespace smallmind
