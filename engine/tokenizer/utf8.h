// UTF-8 as bytes: lengths and validity (RFC 3629: no overlong forms, no surrogates, nothing past
// U+10FFFF).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace smallmind {

// Length that a lead byte announces; 1 for bytes that cannot lead.
inline size_t Utf8Announced(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// Length of the valid sequence at the start of `text`; 0 where there is none.
size_t Utf8Valid(std::string_view text);

// Bytes of `text` before its first invalid sequence.
size_t Utf8ValidPrefix(std::string_view text);

}  // namespace smallmind
