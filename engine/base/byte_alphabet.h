// The alphabet of byte-level BPE: each of the 256 bytes as one printable character.
//
// Printable Latin-1 stands for itself; the other 68 bytes, ascending, are U+0100, U+0101, … (so a
// space is Ġ). Source: GPT-2's encoder (Radford et al. 2019).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace smallmind {

class ByteAlphabet {
 public:
  constexpr ByteAlphabet() {
    uint16_t next = 0x100;
    for (auto& byte : bytes_) byte = -1;
    for (size_t b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      const uint16_t character = printable ? static_cast<uint16_t>(b) : next++;
      characters_[b] = character;
      bytes_[character] = static_cast<int16_t>(b);
    }
  }

  // Appends the character of `byte`: one or two bytes of UTF-8.
  void Append(uint8_t byte, std::string& out) const {
    const uint16_t c = characters_[byte];
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      out += static_cast<char>(0xc0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3f));
    }
  }

  // The byte whose character begins `text`, and that character's length; length 0 where it is none
  // of ours.
  struct Parsed {
    char byte;
    size_t size;
  };
  Parsed Parse(std::string_view text) const {
    const auto lead = static_cast<uint8_t>(text[0]);
    if (lead < 0x80) return {static_cast<char>(lead), bytes_[lead] >= 0 ? size_t{1} : size_t{0}};
    if (lead < 0xc2 || lead > 0xc5 || text.size() < 2) return {0, 0};
    const auto tail = static_cast<uint8_t>(text[1]);
    const size_t c = static_cast<size_t>(lead & 0x1f) << 6 | (tail & 0x3f);
    if ((tail & 0xc0) != 0x80 || c >= bytes_.size() || bytes_[c] < 0) return {0, 0};
    return {static_cast<char>(bytes_[c]), 2};
  }

 private:
  std::array<uint16_t, 256> characters_{};
  std::array<int16_t, 0x144> bytes_{};  // −1: no byte
};

inline constexpr ByteAlphabet kByteAlphabet;

}  // namespace smallmind
