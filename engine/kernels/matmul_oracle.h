// The order contract of quantised products as plain scalar code: what every kernel is tested
// against, to the bit. Tests only; speed is no concern.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/base/error.h"
#include "engine/kernels/acts.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/decode.h"
#include "engine/tensor/dtype.h"

namespace smallmind {

// 32 columns of one row: integers and the float factors of order.h. Two halves of 16 where a type
// has them.
struct OracleBlock {
  int q[32] = {};           // with Q2_K's and Q3_K's small scales multiplied in
  float scale[2] = {0, 0};  // ws, ws2
  bool two_scales = false;
  float min = 0;  // wm
  int min_factor[2] = {1, 1};
  bool has_min = false;
};

template <class Block>
Block LoadBlock(const uint8_t* row, size_t index) {
  Block block;
  std::memcpy(&block, row + index * sizeof(Block), sizeof(Block));
  return block;
}

// Columns [32·b, 32·b + 32) of a row.
inline OracleBlock DecodeOracleBlock(DType type, const uint8_t* row, size_t b) {
  OracleBlock to;
  const size_t super = b / 8;
  const int s = static_cast<int>(b % 8), half = s / 4, plane = s % 4;
  const auto nibble = [](const uint8_t* qs, int j) {
    return j < 16 ? qs[j] & 15 : qs[j - 16] >> 4;
  };
  const auto fifth = [](const uint8_t* qh, int j) { return ((qh[j / 8] >> (j % 8)) & 1) << 4; };
  switch (type) {
    case DType::kQ4_0: {
      const auto w = LoadBlock<BlockQ4_0>(row, b);
      to.scale[0] = F16ToF32(w.d);
      for (int j = 0; j < 32; ++j) to.q[j] = nibble(w.qs, j) - 8;
      break;
    }
    case DType::kQ4_1: {
      const auto w = LoadBlock<BlockQ4_1>(row, b);
      to.scale[0] = F16ToF32(w.d);
      to.min = -F16ToF32(w.m);
      to.has_min = true;
      for (int j = 0; j < 32; ++j) to.q[j] = nibble(w.qs, j);
      break;
    }
    case DType::kQ5_0: {
      const auto w = LoadBlock<BlockQ5_0>(row, b);
      to.scale[0] = F16ToF32(w.d);
      for (int j = 0; j < 32; ++j) to.q[j] = (nibble(w.qs, j) | fifth(w.qh, j)) - 16;
      break;
    }
    case DType::kQ5_1: {
      const auto w = LoadBlock<BlockQ5_1>(row, b);
      to.scale[0] = F16ToF32(w.d);
      to.min = -F16ToF32(w.m);
      to.has_min = true;
      for (int j = 0; j < 32; ++j) to.q[j] = nibble(w.qs, j) | fifth(w.qh, j);
      break;
    }
    case DType::kQ8_0: {
      const auto w = LoadBlock<BlockQ8_0>(row, b);
      to.scale[0] = F16ToF32(w.d);
      for (int j = 0; j < 32; ++j) to.q[j] = w.qs[j];
      break;
    }
    case DType::kIQ4_NL: {
      const auto w = LoadBlock<BlockIQ4_NL>(row, b);
      to.scale[0] = F16ToF32(w.d);
      for (int j = 0; j < 32; ++j) to.q[j] = kIq4Values[nibble(w.qs, j)];
      break;
    }
    case DType::kIQ4_XS: {
      const auto w = LoadBlock<BlockIQ4_XS>(row, super);
      to.scale[0] = F16ToF32(w.d) * static_cast<float>(ScaleIQ4_XS(w, s));
      for (int j = 0; j < 32; ++j) to.q[j] = kIq4Values[nibble(w.qs + 16 * s, j)];
      break;
    }
    case DType::kQ2_K: {
      const auto w = LoadBlock<BlockQ2_K>(row, super);
      to.scale[0] = F16ToF32(w.d);
      to.min = F16ToF32(w.dmin);
      to.has_min = true;
      for (int k = 0; k < 2; ++k) to.min_factor[k] = w.scales[2 * s + k] >> 4;
      for (int j = 0; j < 32; ++j) {
        to.q[j] = ((w.qs[32 * half + j] >> (2 * plane)) & 3) * (w.scales[2 * s + j / 16] & 15);
      }
      break;
    }
    case DType::kQ3_K: {
      const auto w = LoadBlock<BlockQ3_K>(row, super);
      int8_t scales[16];
      UnpackScalesQ3_K(w.scales, scales);
      to.scale[0] = F16ToF32(w.d);
      for (int j = 0; j < 32; ++j) {
        const int low = (w.qs[32 * half + j] >> (2 * plane)) & 3, high = (w.hmask[j] >> s) & 1;
        to.q[j] = ((low | high << 2) - 4) * (scales[2 * s + j / 16] - 32);
      }
      break;
    }
    case DType::kQ4_K:
    case DType::kQ5_K: {
      int scale, min;
      uint16_t d, dmin;
      if (type == DType::kQ4_K) {
        const auto w = LoadBlock<BlockQ4_K>(row, super);
        d = w.d, dmin = w.dmin;
        UnpackScaleMinK4(w.scales, s, &scale, &min);
        for (int j = 0; j < 32; ++j) to.q[j] = (w.qs[32 * (s / 2) + j] >> (4 * (s & 1))) & 15;
      } else {
        const auto w = LoadBlock<BlockQ5_K>(row, super);
        d = w.d, dmin = w.dmin;
        UnpackScaleMinK4(w.scales, s, &scale, &min);
        for (int j = 0; j < 32; ++j) {
          const int low = (w.qs[32 * (s / 2) + j] >> (4 * (s & 1))) & 15;
          to.q[j] = low | ((w.qh[j] >> s) & 1) << 4;
        }
      }
      to.scale[0] = F16ToF32(d) * static_cast<float>(scale);
      to.min = F16ToF32(dmin) * static_cast<float>(min);
      to.has_min = true;
      break;
    }
    case DType::kQ6_K: {
      const auto w = LoadBlock<BlockQ6_K>(row, super);
      to.two_scales = true;
      for (int k = 0; k < 2; ++k) {
        to.scale[k] = F16ToF32(w.d) * static_cast<float>(w.scales[2 * s + k]);
      }
      for (int j = 0; j < 32; ++j) {
        const int low = (w.ql[64 * half + 32 * (plane & 1) + j] >> (4 * (plane >> 1))) & 15;
        const int high = (w.qh[32 * half + j] >> (2 * plane)) & 3;
        to.q[j] = (low | high << 4) - 32;
      }
      break;
    }
    default:
      throw InternalError("no quantised type");
  }
  return to;
}

// One result of the contract: a weight row times a row of ActBlocks.
inline float OracleDot(DType type, const uint8_t* row, size_t cols, const uint8_t* acts) {
  float acc = 0.0f;
  for (size_t b = 0; b < cols / 32; ++b) {
    const OracleBlock w = DecodeOracleBlock(type, row, b);
    ActBlock x;
    std::memcpy(&x, acts + b * sizeof(ActBlock), sizeof(x));
    int isum[2] = {0, 0}, xsum[2] = {0, 0};
    for (int j = 0; j < 32; ++j) {
      isum[j / 16] += w.q[j] * x.q[j];
      xsum[j / 16] += x.q[j];
    }
    const int first = w.two_scales ? isum[0] : isum[0] + isum[1];
    float t = w.scale[0] * static_cast<float>(first);
    if (std::isinf(w.scale[0])) t = std::numeric_limits<float>::quiet_NaN();
    if (w.two_scales) t = std::fma(w.scale[1], static_cast<float>(isum[1]), t);
    if (w.has_min) {
      const int sum = w.min_factor[0] * xsum[0] + w.min_factor[1] * xsum[1];
      t = std::fma(-w.min, static_cast<float>(sum), t);
    }
    acc = std::fma(x.d, t, acc);
  }
  return acc;
}

}  // namespace smallmind
