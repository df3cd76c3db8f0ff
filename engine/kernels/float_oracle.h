// The float kernels in plain scalar code, in the order contract's order: what tests compare to, bit
// for bit.
//
// Every fused multiply-add is std::fma. Header-only, so that only test programs carry it.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/kernels/exp_constants.h"
#include "engine/kernels/order.h"
#include "engine/tensor/decode.h"

namespace smallmind::oracle {

struct Lanes {
  float lane[kVirtualLanes] = {};
  float Sum() const {
    float s[kVirtualLanes];
    std::copy(lane, lane + kVirtualLanes, s);
    for (int half = kVirtualLanes / 2; half != 0; half /= 2) {
      for (int i = 0; i < half; ++i) s[i] = s[i] + s[i + half];
    }
    return s[0];
  }
};

inline float Dot(const float* a, const float* b, size_t n) {
  Lanes acc;
  const size_t padded = (n + kVirtualLanes - 1) / kVirtualLanes * kVirtualLanes;
  for (size_t i = 0; i < padded; ++i) {
    float& lane = acc.lane[i % kVirtualLanes];
    lane = i < n ? std::fma(a[i], b[i], lane) : std::fma(0.0f, 0.0f, lane);
  }
  return acc.Sum();
}

// Round to nearest even; NaN stays one. The form activations take against BF16 weights.
inline float RoundToBf16(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  if (x != x) return x;
  bits += 0x7FFF + ((bits >> 16) & 1);
  return std::bit_cast<float>(bits & 0xFFFF0000u);
}

// BF16 weights (widened in `w`) × activations rounded to BF16: lane i takes the pairs 2i, 2i + 1 of
// each 32 elements, the odd one first.
inline float DotBf16(const float* w, const float* x, size_t n) {
  Lanes acc;
  constexpr size_t kStep = 2 * kVirtualLanes;
  for (size_t k = 0; k < n; k += kStep) {
    for (size_t i = 0; i < kVirtualLanes; ++i) {
      for (const size_t e : {k + 2 * i + 1, k + 2 * i}) {
        float& lane = acc.lane[i];
        lane = e < n ? std::fma(w[e], RoundToBf16(x[e]), lane) : std::fma(0.0f, 0.0f, lane);
      }
    }
  }
  return acc.Sum();
}

inline float Sum(const float* x, size_t n) {
  Lanes acc;
  const size_t padded = (n + kVirtualLanes - 1) / kVirtualLanes * kVirtualLanes;
  for (size_t i = 0; i < padded; ++i) acc.lane[i % kVirtualLanes] += i < n ? x[i] : 0.0f;
  return acc.Sum();
}

inline void ExpParts(float x, float& p, int& n) {
  const float shifted = std::fma(x, kLog2E, kExpMagic);
  n = std::bit_cast<int>(shifted) - std::bit_cast<int>(kExpMagic);
  const float nf = shifted - kExpMagic;
  const float r = std::fma(-nf, kLn2Lo, std::fma(-nf, kLn2Hi, x));
  float q = std::fma(kExpQ4, r, kExpQ3);
  q = std::fma(q, r, kExpQ2);
  q = std::fma(q, r, kExpQ1);
  q = std::fma(q, r, kExpQ0);
  p = std::fma(r * r, q, r);
}

inline float PowerOfTwo(int n) { return std::bit_cast<float>((n + 127) << 23); }

inline float Exp(float x) {
  float p;
  int n;
  ExpParts(std::min(std::max(x, kExpMin), kExpMax), p, n);  // in this order a NaN stays one
  const int half = n >> 1;
  const float y = (p + 1.0f) * PowerOfTwo(half);
  return y * PowerOfTwo(n - half);
}

inline float Tanh(float x) {
  float p;
  int n;
  ExpParts(std::min(std::abs(x + x), kTanhMax), p, n);
  const float s = PowerOfTwo(n);
  const float m = std::fma(s, p, s - 1.0f);
  return std::copysign(m / (m + 2.0f), x);
}

inline float Silu(float x) { return x / (Exp(-x) + 1.0f); }

inline float GeluTanh(float x) {
  const float z = x * std::fma(x * x, kGeluC3, kGeluC1);
  return x / (Exp(-z) + 1.0f);
}

inline float GeluTanhF16(float x) {
  if (x <= -10.0f) return 0.0f;
  if (x >= 10.0f) return x;
  return F16ToF32(F32ToF16(GeluTanh(F16ToF32(F32ToF16(x)))));
}

inline float SoftCap(float x, float cap) { return cap * Tanh(x / cap); }

inline void RmsNorm(const float* x, const float* w, size_t n, float eps, float* out) {
  const float inv = 1.0f / std::sqrt(Dot(x, x, n) / static_cast<float>(n) + eps);
  for (size_t i = 0; i < n; ++i) out[i] = w != nullptr ? x[i] * inv * w[i] : x[i] * inv;
}

inline void LayerNorm(const float* x, const float* w, const float* b, size_t n, float eps,
                      float* out) {
  const float mean = Sum(x, n) / static_cast<float>(n);
  for (size_t i = 0; i < n; ++i) out[i] = x[i] - mean;
  const float inv = 1.0f / std::sqrt(Dot(out, out, n) / static_cast<float>(n) + eps);
  for (size_t i = 0; i < n; ++i) {
    out[i] *= inv;
    if (w != nullptr) out[i] *= w[i];
    if (b != nullptr) out[i] += b[i];
  }
}

inline void Softmax(float* x, size_t n) {
  const float top = *std::max_element(x, x + n);
  for (size_t i = 0; i < n; ++i) x[i] = Exp(x[i] - top);
  const float sum = Sum(x, n);
  for (size_t i = 0; i < n; ++i) x[i] = x[i] / sum;
}

// A row of a Q8_0 cache; kv_rows-inl.h has the rule.
inline void StoreQ8_0(const float* x, size_t n, uint8_t* out) {
  for (size_t i = 0; i < n; i += 32, out += 34) {
    float amax = 0.0f;
    bool nan = false;
    for (size_t j = i; j < i + 32; ++j) {
      nan = nan || std::isnan(x[j]);
      amax = std::max(amax, std::fabs(x[j]));
    }
    if (nan) amax = std::numeric_limits<float>::quiet_NaN();
    const bool finite = std::isfinite(amax);
    const uint16_t scale = F32ToF16(amax / 127.0f);
    std::memcpy(out, &scale, sizeof(scale));
    const float inverse = finite && amax >= 1e-30f ? 127.0f / amax : 0.0f;
    for (size_t j = 0; j < 32; ++j) {
      const float q = finite ? std::nearbyint(x[i + j] * inverse) : 0.0f;
      out[2 + j] = static_cast<uint8_t>(static_cast<int8_t>(q));
    }
  }
}

inline void Rotate(float& a, float& b, float c, float s) {
  const float first = std::fma(a, c, -(b * s));
  b = std::fma(a, s, b * c);
  a = first;
}

// One query over positions [first, pos] of keys and values widened to float32; out has dim_v
// floats.
struct Attention {
  size_t dim_k = 0, dim_v = 0, block = 256;
  float scale = 1.0f, soft_cap = 0.0f;
  const float* k = nullptr;  // [position][dim_k]
  const float* v = nullptr;  // [position][dim_v]

  void Run(const float* q, size_t first, size_t pos, float* out) const {
    std::vector<float> o(dim_v), ob(dim_v), p(block);
    float m = 0.0f, l = 0.0f;
    for (size_t begin = first / block * block; begin <= pos; begin += block) {
      float mb = -std::numeric_limits<float>::infinity();
      const size_t lo = std::max(first, begin), hi = std::min(pos + 1, begin + block);
      std::fill(p.begin(), p.end(), 0.0f);
      for (size_t j = lo; j < hi; ++j) {
        float s = Dot(k + j * dim_k, q, dim_k) * scale;
        if (soft_cap != 0.0f) s = SoftCap(s, soft_cap);
        p[j - begin] = s;
        mb = std::max(mb, s);
      }
      for (size_t j = lo; j < hi; ++j) p[j - begin] = Exp(p[j - begin] - mb);
      const float lb = Sum(p.data(), block);
      for (size_t d = 0; d < dim_v; ++d) {
        ob[d] = 0.0f;
        for (size_t j = lo; j < hi; ++j) ob[d] = std::fma(p[j - begin], v[j * dim_v + d], ob[d]);
      }
      if (l == 0.0f) {
        o = ob;
        m = mb;
        l = lb;
        continue;
      }
      const float top = std::max(m, mb), a = Exp(m - top), b = Exp(mb - top);
      for (size_t d = 0; d < dim_v; ++d) o[d] = std::fma(b, ob[d], a * o[d]);
      l = std::fma(b, lb, a * l);
      m = top;
    }
    for (size_t d = 0; d < dim_v; ++d) out[d] = o[d] / l;
  }
};

}  // namespace smallmind::oracle
