// A fast 64-bit hash of short byte strings, for tables that live in one process.
//
// Multiply and shift, eight bytes a step; the tail is read as overlapping words, so a token of up
// to 16 bytes costs three multiplications. Not stable across byte orders. Whoever chooses the texts
// chooses their hashes, too (every step can be undone): tables must bound how far they probe.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace smallmind {

inline uint64_t MixHash(uint64_t x) {
  x *= 0x9e3779b97f4a7c15u;
  return x ^ (x >> 32);
}

// `tail` is the text's last size % 8 bytes as a little-endian number.
inline uint64_t HashWords(const char* p, size_t size, uint64_t tail) {
  uint64_t h = size * 0xd6e8feb86659fd93u;
  for (size_t n = size; n >= 8; n -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    h = MixHash(h ^ word);
  }
  return MixHash(MixHash(h ^ tail) ^ 0xa0761d6478bd642fu);
}

inline uint64_t HashText(std::string_view text) {
  const size_t n = text.size() % 8;
  const char* const p = text.data() + (text.size() - n);
  uint64_t tail = 0;
  if (n >= 4) {
    uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + n - 4, 4);
    tail = low | static_cast<uint64_t>(high) << (8 * (n - 4));
  } else if (n > 0) {
    const auto byte = [p](size_t i) { return uint64_t{static_cast<uint8_t>(p[i])} << (8 * i); };
    tail = byte(0) | byte(n / 2) | byte(n - 1);
  }
  return HashWords(text.data(), text.size(), tail);
}

// The same for a text with at least eight readable bytes before it, as every GGUF string has (its
// length): the tail is one load without a branch, which is most of what a table's construction pays
// for.
inline uint64_t HashStored(std::string_view text) {
  const size_t n = text.size() % 8;
  uint64_t tail;
  std::memcpy(&tail, text.data() + text.size() - 8, 8);
  tail = n == 0 ? 0 : tail >> (8 * (8 - n));
  return HashWords(text.data(), text.size(), tail);
}

// Hash of an ordered pair of texts from the hashes of both.
inline uint64_t HashPair(uint64_t left, uint64_t right) {
  return MixHash(left + std::rotl(right * 0xe7037ed1a0b428dbu, 29));
}

}  // namespace smallmind
