// Decoders written straight from blocks.h, one loop a type; no cleverness, because kernels are
// judged by them. d·scale·q is exact in float32 (11 + 7 + 6 significant bits at most), so only the
// subtraction of a minimum rounds and the order of the products cannot matter. Tested against
// reference bytes in decode_test.cc.
#include "engine/tensor/decode.h"

#include <bit>
#include <cstring>

#include "engine/tensor/blocks.h"

namespace smallmind {

float F16ToF32(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 31u;
  const uint32_t mantissa = bits & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {  // zero and subnormals: mantissa · 2^-24, exact
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

uint16_t F32ToF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;   // NaN
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // from 65520 on: infinity
  if (magnitude < 0x38800000u) {
    // Below 2^-14 the result is subnormal. Adding 0.5 puts its unit, 2^-24, at the sum's last bit,
    // so the addition itself rounds to nearest even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(shifted) - 0x3f000000u);
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  return sign | static_cast<uint16_t>((magnitude - 0x38000000u + 0xfffu + odd) >> 13);
}

float BF16ToF32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t F32ToBF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 64u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

namespace {

template <typename T>
T Load(const uint8_t* src) {
  T value;
  std::memcpy(&value, src, sizeof(value));
  return value;
}

void Decode(const BlockQ4_0& b, float* out) {
  const float d = F16ToF32(b.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>((b.qs[j] & 15) - 8);
    out[j + 16] = d * static_cast<float>((b.qs[j] >> 4) - 8);
  }
}

void Decode(const BlockQ4_1& b, float* out) {
  const float d = F16ToF32(b.d), m = F16ToF32(b.m);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(b.qs[j] & 15) + m;
    out[j + 16] = d * static_cast<float>(b.qs[j] >> 4) + m;
  }
}

// The fifth bit of element j, already in place.
int HighBit(const uint8_t qh[4], int j) { return ((qh[j / 8] >> (j % 8)) & 1) << 4; }

void Decode(const BlockQ5_0& b, float* out) {
  const float d = F16ToF32(b.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(((b.qs[j] & 15) | HighBit(b.qh, j)) - 16);
    out[j + 16] = d * static_cast<float>(((b.qs[j] >> 4) | HighBit(b.qh, j + 16)) - 16);
  }
}

void Decode(const BlockQ5_1& b, float* out) {
  const float d = F16ToF32(b.d), m = F16ToF32(b.m);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>((b.qs[j] & 15) | HighBit(b.qh, j)) + m;
    out[j + 16] = d * static_cast<float>((b.qs[j] >> 4) | HighBit(b.qh, j + 16)) + m;
  }
}

void Decode(const BlockQ8_0& b, float* out) {
  const float d = F16ToF32(b.d);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(b.qs[j]);
}

void Decode(const BlockQ2_K& b, float* out) {
  const float d = F16ToF32(b.d), dmin = F16ToF32(b.dmin);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, plane = i / 32 % 4, j = i % 32;
    const int q = (b.qs[32 * half + j] >> (2 * plane)) & 3;
    const uint8_t scale = b.scales[i / 16];
    out[i] = d * static_cast<float>(scale & 15) * static_cast<float>(q) -
             dmin * static_cast<float>(scale >> 4);
  }
}

void Decode(const BlockQ3_K& b, float* out) {
  const float d = F16ToF32(b.d);
  int8_t scales[16];
  UnpackScalesQ3_K(b.scales, scales);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, plane = i / 32 % 4, j = i % 32;
    const int low = (b.qs[32 * half + j] >> (2 * plane)) & 3;
    const int high = (b.hmask[j] >> (4 * half + plane)) & 1;
    out[i] =
        d * static_cast<float>(scales[i / 16] - 32) * static_cast<float>((low | high << 2) - 4);
  }
}

void Decode(const BlockQ4_K& b, float* out) {
  const float d = F16ToF32(b.d), dmin = F16ToF32(b.dmin);
  for (int s = 0; s < 8; ++s) {
    int scale, min;
    UnpackScaleMinK4(b.scales, s, &scale, &min);
    const float step = d * static_cast<float>(scale), offset = dmin * static_cast<float>(min);
    for (int j = 0; j < 32; ++j) {
      const int q = (b.qs[32 * (s / 2) + j] >> (4 * (s & 1))) & 15;
      out[32 * s + j] = step * static_cast<float>(q) - offset;
    }
  }
}

void Decode(const BlockQ5_K& b, float* out) {
  const float d = F16ToF32(b.d), dmin = F16ToF32(b.dmin);
  for (int s = 0; s < 8; ++s) {
    int scale, min;
    UnpackScaleMinK4(b.scales, s, &scale, &min);
    const float step = d * static_cast<float>(scale), offset = dmin * static_cast<float>(min);
    for (int j = 0; j < 32; ++j) {
      const int low = (b.qs[32 * (s / 2) + j] >> (4 * (s & 1))) & 15;
      const int high = (b.qh[j] >> s) & 1;
      out[32 * s + j] = step * static_cast<float>(low | high << 4) - offset;
    }
  }
}

void Decode(const BlockQ6_K& b, float* out) {
  const float d = F16ToF32(b.d);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, plane = i / 32 % 4, j = i % 32;
    const int low = (b.ql[64 * half + 32 * (plane & 1) + j] >> (4 * (plane >> 1))) & 15;
    const int high = (b.qh[32 * half + j] >> (2 * plane)) & 3;
    out[i] = d * static_cast<float>(b.scales[i / 16]) * static_cast<float>((low | high << 4) - 32);
  }
}

void Decode(const BlockIQ4_NL& b, float* out) {
  const float d = F16ToF32(b.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(kIq4Values[b.qs[j] & 15]);
    out[j + 16] = d * static_cast<float>(kIq4Values[b.qs[j] >> 4]);
  }
}

void Decode(const BlockIQ4_XS& b, float* out) {
  const float d = F16ToF32(b.d);
  for (int s = 0; s < 8; ++s) {
    const float step = d * static_cast<float>(ScaleIQ4_XS(b, s));
    for (int j = 0; j < 16; ++j) {
      const uint8_t pair = b.qs[16 * s + j];
      out[32 * s + j] = step * static_cast<float>(kIq4Values[pair & 15]);
      out[32 * s + j + 16] = step * static_cast<float>(kIq4Values[pair >> 4]);
    }
  }
}

template <typename Block>
void DecodeBlocks(const uint8_t* src, size_t cols, size_t block_elems, float* out) {
  for (size_t i = 0; i < cols / block_elems; ++i) {
    Decode(Load<Block>(src + i * sizeof(Block)), out + i * block_elems);
  }
}

}  // namespace

void DecodeScalar(DType type, const uint8_t* src, size_t cols, float* out) {
  switch (type) {
    case DType::kF32:
      std::memcpy(out, src, cols * sizeof(float));
      return;
    case DType::kF16:
      for (size_t i = 0; i < cols; ++i) out[i] = F16ToF32(Load<uint16_t>(src + 2 * i));
      return;
    case DType::kBF16:
      for (size_t i = 0; i < cols; ++i) out[i] = BF16ToF32(Load<uint16_t>(src + 2 * i));
      return;
    case DType::kQ4_0:
      return DecodeBlocks<BlockQ4_0>(src, cols, kBlock, out);
    case DType::kQ4_1:
      return DecodeBlocks<BlockQ4_1>(src, cols, kBlock, out);
    case DType::kQ5_0:
      return DecodeBlocks<BlockQ5_0>(src, cols, kBlock, out);
    case DType::kQ5_1:
      return DecodeBlocks<BlockQ5_1>(src, cols, kBlock, out);
    case DType::kQ8_0:
      return DecodeBlocks<BlockQ8_0>(src, cols, kBlock, out);
    case DType::kQ2_K:
      return DecodeBlocks<BlockQ2_K>(src, cols, kSuperBlock, out);
    case DType::kQ3_K:
      return DecodeBlocks<BlockQ3_K>(src, cols, kSuperBlock, out);
    case DType::kQ4_K:
      return DecodeBlocks<BlockQ4_K>(src, cols, kSuperBlock, out);
    case DType::kQ5_K:
      return DecodeBlocks<BlockQ5_K>(src, cols, kSuperBlock, out);
    case DType::kQ6_K:
      return DecodeBlocks<BlockQ6_K>(src, cols, kSuperBlock, out);
    case DType::kIQ4_NL:
      return DecodeBlocks<BlockIQ4_NL>(src, cols, kBlock, out);
    case DType::kIQ4_XS:
      return DecodeBlocks<BlockIQ4_XS>(src, cols, kSuperBlock, out);
  }
}

}  // namespace smallmind
