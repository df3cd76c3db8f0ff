// Validity by the table of well-formed sequences in RFC 3629. Tested by utf8_test.cc against every
// lead byte.
#include "engine/tokenizer/utf8.h"

#include <cstring>
#include <string>

#include "engine/tokenizer/tokenizer.h"

namespace smallmind {

size_t Utf8Valid(std::string_view text) {
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

size_t Utf8ValidPrefix(std::string_view text) {
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

// Held back is only a tail that a later byte could still complete: at most three bytes.
std::string Utf8Joiner::Push(std::string_view bytes) {
  pending_ += bytes;
  size_t keep = 0;
  const size_t n = pending_.size();
  for (size_t back = 1; back <= 3 && back <= n; ++back) {
    const char c = pending_[n - back];
    if ((static_cast<uint8_t>(c) & 0xc0) == 0x80) continue;
    if (Utf8Announced(c) > back) {
      // Complete it with continuation bytes: does anything valid begin like this?
      std::string whole = pending_.substr(n - back);
      const auto first = static_cast<uint8_t>(c);
      while (whole.size() < Utf8Announced(c)) {
        const bool second = whole.size() == 1;
        whole += static_cast<char>(second && (first == 0xe0 || first == 0xf0) ? 0xbf
                                   : second && first == 0xf4                  ? 0x8f
                                                                              : 0x80);
      }
      if (Utf8Valid(whole) != 0) keep = back;
    }
    break;
  }
  std::string out = pending_.substr(0, n - keep);
  pending_.erase(0, n - keep);
  return out;
}

std::string Utf8Joiner::Flush() {
  std::string out;
  out.swap(pending_);
  return out;
}

}  // namespace smallmind
