// Joining streamed bytes to whole sequences. Tested in utf8_test.cc.
#include "engine/base/utf8.h"

#include <string>

#include "engine/tokenizer/tokenizer.h"

namespace smallmind {

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
