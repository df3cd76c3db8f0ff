// Fitted integers packed into block layouts (blocks.h): the mirror image of decode.cc. The fits
// minimise plain squared error. Tested in encode_test.cc: against error bounds measured on the
// field's own quantiser, and by encoding what was decoded.
#include "engine/tensor/encode.h"

#include <cmath>
#include <cstring>

#include "engine/base/error.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/codebook_fit.h"
#include "engine/tensor/decode.h"
#include "engine/tensor/fit.h"
#include "engine/tensor/super_fit.h"

namespace smallmind {
namespace {

// Nibbles of 32 values: j in the low half of byte j, j + 16 in the high one. Bits above the fourth
// go to qh.
void PackNibbles(const int8_t* q, uint8_t qs[16]) {
  for (int j = 0; j < 16; ++j) {
    qs[j] = static_cast<uint8_t>((q[j] & 15) | ((q[j + 16] & 15) << 4));
  }
}

void PackFifthBits(const int8_t* q, uint8_t qh[4]) {
  std::memset(qh, 0, 4);
  for (int j = 0; j < 32; ++j) {
    qh[j / 8] |= static_cast<uint8_t>(((q[j] >> 4) & 1) << (j % 8));
  }
}

// The grid a decoder will see: f16 fields, read back.
float Stored(uint16_t* field, float value) {
  *field = ScaleToF16(value);
  return F16ToF32(*field);
}

void Encode(const float* x, BlockQ4_0* b) {
  uint16_t d = 0;
  const float scale = Stored(&d, FitSymmetric(x, kBlock, -8, 7));
  int8_t q[kBlock];
  QuantizeSymmetric(x, kBlock, scale, -8, 7, q);
  for (int8_t& v : q) v = static_cast<int8_t>(v + 8);
  b->d = d;
  PackNibbles(q, b->qs);
}

void Encode(const float* x, BlockQ5_0* b) {
  uint16_t d = 0;
  const float scale = Stored(&d, FitSymmetric(x, kBlock, -16, 15));
  int8_t q[kBlock];
  QuantizeSymmetric(x, kBlock, scale, -16, 15, q);
  for (int8_t& v : q) v = static_cast<int8_t>(v + 16);
  b->d = d;
  PackNibbles(q, b->qs);
  PackFifthBits(q, b->qh);
}

// Fits, stores and quantises; the integers go to q.
void AffineBlock(const float* x, int hi, uint16_t* d, uint16_t* m, int8_t* q) {
  AffineGrid grid = FitAffine(x, kBlock, hi, false);
  grid.scale = Stored(d, grid.scale);
  grid.min = Stored(m, grid.min);
  QuantizeAffine(x, kBlock, grid, hi, q);
}

void Encode(const float* x, BlockQ4_1* b) {
  uint16_t d = 0, m = 0;
  int8_t q[kBlock];
  AffineBlock(x, 15, &d, &m, q);
  b->d = d;
  b->m = m;
  PackNibbles(q, b->qs);
}

void Encode(const float* x, BlockQ5_1* b) {
  uint16_t d = 0, m = 0;
  int8_t q[kBlock];
  AffineBlock(x, 31, &d, &m, q);
  b->d = d;
  b->m = m;
  PackNibbles(q, b->qs);
  PackFifthBits(q, b->qh);
}

// 8 bits leave nothing to search for: the extreme lands on ±127.
void Encode(const float* x, BlockQ8_0* b) {
  float extreme = 0;
  for (size_t i = 0; i < kBlock; ++i) extreme = std::fmax(extreme, std::fabs(x[i]));
  uint16_t d = 0;
  const float scale = Stored(&d, extreme / 127.0f);
  b->d = d;
  QuantizeSymmetric(x, kBlock, scale, -127, 127, b->qs);
}

// Two-bit planes of Q2_K and Q3_K.
void PackCrumbs(const int8_t* q, uint8_t qs[64]) {
  for (int half = 0; half < 2; ++half) {
    for (int j = 0; j < 32; ++j) {
      const int8_t* at = q + 128 * half + j;
      qs[32 * half + j] = static_cast<uint8_t>((at[0] & 3) | ((at[32] & 3) << 2) |
                                               ((at[64] & 3) << 4) | ((at[96] & 3) << 6));
    }
  }
}

// Nibble planes of Q4_K and Q5_K: 64 values to 32 bytes.
void PackNibblePlanes(const int8_t* q, uint8_t qs[128]) {
  for (int s = 0; s < 8; s += 2) {
    for (int j = 0; j < 32; ++j) {
      qs[16 * s + j] =
          static_cast<uint8_t>((q[32 * s + j] & 15) | ((q[32 * (s + 1) + j] & 15) << 4));
    }
  }
}

void PackScaleMinK4(const AffineSuper& fit, uint8_t scales[12]) {
  for (size_t s = 0; s < 4; ++s) {
    const int scale = fit.scale[s + 4], min = fit.min[s + 4];
    scales[s] = static_cast<uint8_t>(fit.scale[s] | ((scale >> 4) << 6));
    scales[s + 4] = static_cast<uint8_t>(fit.min[s] | ((min >> 4) << 6));
    scales[s + 8] = static_cast<uint8_t>((scale & 15) | ((min & 15) << 4));
  }
}

void Encode(const float* x, BlockQ2_K* b) {
  const AffineSuper fit = FitAffineSuper(x, 16, 3, 15);
  for (size_t g = 0; g < 16; ++g) {
    b->scales[g] = static_cast<uint8_t>(fit.scale[g] | (fit.min[g] << 4));
  }
  PackCrumbs(fit.q.data(), b->qs);
  b->d = fit.d;
  b->dmin = fit.dmin;
}

void Encode(const float* x, BlockQ3_K* b) {
  SymmetricSuper fit = FitSymmetricSuper(x, 16, -4, 3, -32, 31);
  std::memset(b->hmask, 0, sizeof(b->hmask));
  for (int i = 0; i < 256; ++i) {
    const int q = fit.q[static_cast<size_t>(i)] + 4;
    fit.q[static_cast<size_t>(i)] = static_cast<int8_t>(q & 3);
    b->hmask[i % 32] |= static_cast<uint8_t>((q >> 2) << (i / 32));
  }
  PackCrumbs(fit.q.data(), b->qs);
  std::memset(b->scales, 0, sizeof(b->scales));
  for (int g = 0; g < 16; ++g) {
    const int scale = fit.scale[static_cast<size_t>(g)] + 32;
    b->scales[g & 7] |= static_cast<uint8_t>((scale & 15) << (g < 8 ? 0 : 4));
    b->scales[8 + (g & 3)] |= static_cast<uint8_t>((scale >> 4) << (2 * (g / 4)));
  }
  b->d = fit.d;
}

void Encode(const float* x, BlockQ4_K* b) {
  const AffineSuper fit = FitAffineSuper(x, 32, 15, 63);
  PackScaleMinK4(fit, b->scales);
  PackNibblePlanes(fit.q.data(), b->qs);
  b->d = fit.d;
  b->dmin = fit.dmin;
}

void Encode(const float* x, BlockQ5_K* b) {
  const AffineSuper fit = FitAffineSuper(x, 32, 31, 63);
  PackScaleMinK4(fit, b->scales);
  PackNibblePlanes(fit.q.data(), b->qs);
  std::memset(b->qh, 0, sizeof(b->qh));
  for (int i = 0; i < 256; ++i) {
    const int high = (fit.q[static_cast<size_t>(i)] >> 4) & 1;
    b->qh[i % 32] |= static_cast<uint8_t>(high << (i / 32));
  }
  b->d = fit.d;
  b->dmin = fit.dmin;
}

void Encode(const float* x, BlockQ6_K* b) {
  const SymmetricSuper fit = FitSymmetricSuper(x, 16, -32, 31, -128, 127);
  std::memset(b->ql, 0, sizeof(b->ql));
  std::memset(b->qh, 0, sizeof(b->qh));
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, plane = i / 32 % 4, j = i % 32;
    const int q = fit.q[static_cast<size_t>(i)] + 32;
    b->ql[64 * half + 32 * (plane & 1) + j] |= static_cast<uint8_t>((q & 15) << (4 * (plane >> 1)));
    b->qh[32 * half + j] |= static_cast<uint8_t>((q >> 4) << (2 * plane));
  }
  for (size_t g = 0; g < 16; ++g) b->scales[g] = fit.scale[g];
  b->d = fit.d;
}

void Encode(const float* x, BlockIQ4_NL* b) {
  uint16_t d = 0;
  const float scale = Stored(&d, FitCodebook(x, kBlock));
  int8_t q[kBlock];
  QuantizeCodebook(x, kBlock, scale, q);
  b->d = d;
  PackNibbles(q, b->qs);
}

void Encode(const float* x, BlockIQ4_XS* b) {
  const SymmetricSuper fit = FitCodebookSuper(x);
  unsigned high = 0;
  std::memset(b->scales_l, 0, sizeof(b->scales_l));
  for (size_t s = 0; s < 8; ++s) {
    const auto scale = static_cast<unsigned>(fit.scale[s] + 32);
    b->scales_l[s / 2] |= static_cast<uint8_t>((scale & 15) << (4 * (s & 1)));
    high |= (scale >> 4) << (2 * s);
    PackNibbles(&fit.q[32 * s], b->qs + 16 * s);
  }
  b->scales_h = static_cast<uint16_t>(high);
  b->d = fit.d;
}

template <typename Block>
void EncodeBlocks(const float* src, size_t cols, size_t block_elems, uint8_t* dst) {
  for (size_t i = 0; i < cols / block_elems; ++i) {
    Block block;
    Encode(src + i * block_elems, &block);
    std::memcpy(dst + i * sizeof(Block), &block, sizeof(Block));
  }
}

template <typename Convert>
void EncodeHalves(const float* src, size_t cols, uint8_t* dst, Convert convert) {
  for (size_t i = 0; i < cols; ++i) {
    const uint16_t bits = convert(src[i]);
    std::memcpy(dst + 2 * i, &bits, sizeof(bits));
  }
}

}  // namespace

void EncodeRow(DType type, const float* src, size_t cols, uint8_t* dst) {
  switch (type) {
    case DType::kF32:
      std::memcpy(dst, src, cols * sizeof(float));
      return;
    case DType::kF16:
      return EncodeHalves(src, cols, dst, F32ToF16);
    case DType::kBF16:
      return EncodeHalves(src, cols, dst, F32ToBF16);
    case DType::kQ4_0:
      return EncodeBlocks<BlockQ4_0>(src, cols, kBlock, dst);
    case DType::kQ4_1:
      return EncodeBlocks<BlockQ4_1>(src, cols, kBlock, dst);
    case DType::kQ5_0:
      return EncodeBlocks<BlockQ5_0>(src, cols, kBlock, dst);
    case DType::kQ5_1:
      return EncodeBlocks<BlockQ5_1>(src, cols, kBlock, dst);
    case DType::kQ8_0:
      return EncodeBlocks<BlockQ8_0>(src, cols, kBlock, dst);
    case DType::kQ2_K:
      return EncodeBlocks<BlockQ2_K>(src, cols, kSuperBlock, dst);
    case DType::kQ3_K:
      return EncodeBlocks<BlockQ3_K>(src, cols, kSuperBlock, dst);
    case DType::kQ4_K:
      return EncodeBlocks<BlockQ4_K>(src, cols, kSuperBlock, dst);
    case DType::kQ5_K:
      return EncodeBlocks<BlockQ5_K>(src, cols, kSuperBlock, dst);
    case DType::kQ6_K:
      return EncodeBlocks<BlockQ6_K>(src, cols, kSuperBlock, dst);
    case DType::kIQ4_NL:
      return EncodeBlocks<BlockIQ4_NL>(src, cols, kBlock, dst);
    case DType::kIQ4_XS:
      return EncodeBlocks<BlockIQ4_XS>(src, cols, kSuperBlock, dst);
  }
}

}  // namespace smallmind
