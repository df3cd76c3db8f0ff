// Packed layouts of GGUF's block types, byte for byte as in the file. Alignment 1: rows may start
// anywhere.
//
// Source: the format's block definitions. f16 fields are raw bits (decode.h converts). Quantised
// values q, element order and the formula of each type stand beside its struct; a super-block is
// 256 elements.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smallmind {

inline constexpr size_t kBlock = 32;        // elements of the simple types' blocks
inline constexpr size_t kSuperBlock = 256;  // elements of the K types' blocks

#pragma pack(push, 1)

// x = d·(q − 8). qs[j]: element j in the low nibble, j + 16 in the high one.
struct BlockQ4_0 {
  uint16_t d;
  uint8_t qs[16];
};

// x = d·q + m.
struct BlockQ4_1 {
  uint16_t d, m;
  uint8_t qs[16];
};

// x = d·(q − 16). The fifth bit of element j is bit j of qh, a little-endian 32-bit word.
struct BlockQ5_0 {
  uint16_t d;
  uint8_t qh[4];
  uint8_t qs[16];
};

// x = d·q + m.
struct BlockQ5_1 {
  uint16_t d, m;
  uint8_t qh[4];
  uint8_t qs[16];
};

// x = d·q.
struct BlockQ8_0 {
  uint16_t d;
  int8_t qs[32];
};

// 16 sub-blocks of 16: x = d·(scale & 15)·q − dmin·(scale >> 4), q of 2 bits.
// Each 128 elements use 32 bytes of qs: elements 32·s + j are bits 2s of byte j (s = 0..3).
struct BlockQ2_K {
  uint8_t scales[16];
  uint8_t qs[64];
  uint16_t d, dmin;
};

// 16 sub-blocks of 16: x = d·(scale − 32)·(q − 4), q of 3 bits: two in qs (as Q2_K), the high one
// in hmask: bit 4h + s of hmask[j] for element 128h + 32s + j. scales: 16 × 6 bits, see
// UnpackScalesQ3_K.
struct BlockQ3_K {
  uint8_t hmask[32];
  uint8_t qs[64];
  uint8_t scales[12];
  uint16_t d;
};

// 8 sub-blocks of 32: x = d·scale·q − dmin·min. scales: 8 scales and 8 minima of 6 bits, see
// UnpackScaleMinK4. Each 64 elements use 32 bytes of qs: the first 32 in the low nibbles, the next
// 32 in the high ones.
struct BlockQ4_K {
  uint16_t d, dmin;
  uint8_t scales[12];
  uint8_t qs[128];
};

// As Q4_K with a fifth bit: bit s of qh[j] for element 32s + j.
struct BlockQ5_K {
  uint16_t d, dmin;
  uint8_t scales[12];
  uint8_t qh[32];
  uint8_t qs[128];
};

// 16 sub-blocks of 16: x = d·scale·(q − 32), q of 6 bits. Each 128 elements use 64 bytes of ql and
// 32 of qh: element 32s + j (s = 0..3) has its low nibble in ql[32·(s & 1) + j] (low half for s <
// 2) and its high two bits at bit 2s of qh[j].
struct BlockQ6_K {
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  uint16_t d;
};

// x = d·kIq4Values[q]; nibbles as in Q4_0.
struct BlockIQ4_NL {
  uint16_t d;
  uint8_t qs[16];
};

// 8 sub-blocks of 32, each as IQ4_NL: x = d·(scale − 32)·kIq4Values[q]; 4 low bits of scale s in
// scales_l (low nibble first), 2 high bits at bit 2s of scales_h.
struct BlockIQ4_XS {
  uint16_t d;
  uint16_t scales_h;
  uint8_t scales_l[4];
  uint8_t qs[128];
};

#pragma pack(pop)

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176);
static_assert(sizeof(BlockQ6_K) == 210);
static_assert(sizeof(BlockIQ4_NL) == 18 && sizeof(BlockIQ4_XS) == 136);

// The 16 levels of IQ4_NL and IQ4_XS.
inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

// Scale and minimum (0..63 each) of sub-block s of Q4_K and Q5_K. Bytes 0-3 hold scales 0-3 and
// bytes 4-7 minima 0-3 in their low 6 bits; bytes 8-11 hold the low nibbles of scales and minima
// 4-7, whose high 2 bits are the top bits of bytes 0-7.
inline void UnpackScaleMinK4(const uint8_t* scales, int s, int* scale, int* min) {
  if (s < 4) {
    *scale = scales[s] & 63;
    *min = scales[s + 4] & 63;
  } else {
    *scale = (scales[s + 4] & 15) | ((scales[s - 4] >> 6) << 4);
    *min = (scales[s + 4] >> 4) | ((scales[s] >> 6) << 4);
  }
}

// The 16 scales of Q3_K, still with their offset of 32. Low nibbles: scale i in byte i & 7, low
// half for i < 8. High 2 bits: at bit 2·(i / 4) of byte 8 + (i & 3).
inline void UnpackScalesQ3_K(const uint8_t* packed, int8_t out[16]) {
  for (int i = 0; i < 16; ++i) {
    const int low = (packed[i & 7] >> (i < 8 ? 0 : 4)) & 15;
    const int high = (packed[8 + (i & 3)] >> (2 * (i / 4))) & 3;
    out[i] = static_cast<int8_t>(low | (high << 4));
  }
}

// Scale of sub-block s of IQ4_XS, offset 32 taken off.
inline int ScaleIQ4_XS(const BlockIQ4_XS& block, int s) {
  const int low = (block.scales_l[s / 2] >> (4 * (s & 1))) & 15;
  const int high = (block.scales_h >> (2 * s)) & 3;
  return (low | (high << 4)) - 32;
}

}  // namespace smallmind
