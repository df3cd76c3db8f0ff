// UTF-8 as bytes: lengths and validity (RFC 3629: no overlong forms, no surrogates, nothing past
// U+10FFFF). Tested in tokenizer/utf8_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace smallmind {

// Length that a lead byte announces; 1 for bytes that cannot lead.
inline size_t Utf8Announced(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// Length of the valid sequence at the start of `text`; 0 where there is none.
inline size_t Utf8Valid(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t size = Utf8Announced(text[0]);
  if (text.size() < size) return 0;
  const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

// Bytes of `text` before its first invalid sequence.
inline size_t Utf8ValidPrefix(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8) {
      uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      if ((word & 0x8080808080808080u) == 0) {
        i += 8;
        continue;
      }
    }
    const size_t size = Utf8Valid(text.substr(i));
    if (size == 0) return i;
    i += size;
  }
  return i;
}

}  // namespace smallmind
