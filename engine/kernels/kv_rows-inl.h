// Rows of a KV cache as float32: read in place, or widened into a panel; and the way in.
//
// Included once per Highway target. Widening is exact for F16 and for Q8_0 (an f16 scale times an
// int8 has 19 significant bits). Storing rounds to nearest even; a Q8_0 block's scale is amax/127
// rounded to f16, its values are x·(127/amax) with the unrounded scale; a block with a NaN or an
// infinity has values of 0 and that scale, so that what is read back is NaN.
#if defined(SMALLMIND_ENGINE_KERNELS_KV_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_KV_ROWS_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_KV_ROWS_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_KV_ROWS_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/kernels/lanes-inl.h"
#include "engine/tensor/dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kQ8Elems = 32;
constexpr size_t kQ8Bytes = 34;  // an f16 scale, then 32 int8

// Row p at data + (p − first)·stride elements: float, or F16 that kernels widen as they load it.
template <class T = float>
struct KvRows {
  const T* data = nullptr;
  size_t stride = 0;
  size_t first = 0;
  const T* Row(size_t p) const { return data + (p - first) * stride; }
};

HWY_INLINE KvRows<hwy::float16_t> HalfRows(const uint8_t* base, size_t byte_stride) {
  return {reinterpret_cast<const hwy::float16_t*>(base), byte_stride / sizeof(hwy::float16_t), 0};
}

HWY_INLINE void WidenQ8Row(const uint8_t* HWY_RESTRICT src, size_t n, float* HWY_RESTRICT out) {
  const DF d;
  const hn::RebindToSigned<DF> di;
  const hn::Rebind<int8_t, DF> d8;
  for (size_t i = 0; i < n; i += kQ8Elems, src += kQ8Bytes, out += kQ8Elems) {
    hwy::float16_t f16;
    hwy::CopyBytes(src, &f16, sizeof(f16));
    const VF scale = hn::Set(d, hwy::F32FromF16(f16));
    const auto* q = reinterpret_cast<const int8_t*>(src + 2);
    for (size_t j = 0; j < kQ8Elems; j += kLanes) {
      const VF v = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, q + j)));
      hn::StoreU(hn::Mul(v, scale), d, out + j);
    }
  }
}

// Positions [lo, hi) of rows of `n` elements whose position 0 is at `base`: in place, or widened
// into `panel`, which has room for hi − lo rows padded to 16 floats.
HWY_INLINE KvRows<> OpenRows(DType type, const uint8_t* base, size_t byte_stride, size_t n,
                             size_t lo, size_t hi, float* panel) {
  if (type == DType::kF32) {
    return {reinterpret_cast<const float*>(base), byte_stride / sizeof(float), 0};
  }
  const size_t stride = RoundUp16(n);
  for (size_t p = lo; p < hi; ++p) {
    const uint8_t* src = base + p * byte_stride;
    if (type == DType::kF16) {
      WidenRow(reinterpret_cast<const hwy::float16_t*>(src), n, panel + (p - lo) * stride);
    } else {
      WidenQ8Row(src, n, panel + (p - lo) * stride);
    }
  }
  return {panel, stride, lo};
}

HWY_INLINE void StoreQ8Row(const float* HWY_RESTRICT x, size_t n, uint8_t* HWY_RESTRICT dst) {
  const DF d;
  const hn::Rebind<int8_t, DF> d8;
  for (size_t i = 0; i < n; i += kQ8Elems, dst += kQ8Bytes) {
    VF v[kQ8Elems / kLanes];
    for (size_t j = 0; j < kQ8Elems / kLanes; ++j) v[j] = hn::LoadU(d, x + i + j * kLanes);
    const float amax = Peak(v, kQ8Elems / kLanes);
    const hwy::float16_t scale = hwy::F16FromF32(amax / 127.0f);
    hwy::CopyBytes(&scale, dst, sizeof(scale));
    const VF inverse = hn::Set(d, Inverse127(amax));
    auto* q = reinterpret_cast<int8_t*>(dst + 2);
    for (size_t j = 0; j < kQ8Elems / kLanes; ++j) {
      hn::StoreU(hn::DemoteTo(d8, RoundScaled(v[j], inverse)), d8, q + j * kLanes);
    }
  }
}

HWY_INLINE void StoreRow(DType type, const float* x, size_t n, uint8_t* dst) {
  if (type == DType::kF32) {
    std::memcpy(dst, x, n * sizeof(float));
  } else if (type == DType::kF16) {
    const DF d;
    const DH dh;
    auto* out = reinterpret_cast<hwy::float16_t*>(dst);
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      hn::StoreU(hn::DemoteTo(dh, hn::LoadU(d, x + i)), dh, out + i);
    }
    if (i < n) hn::StoreN(hn::DemoteTo(dh, hn::LoadN(d, x + i, n - i)), dh, out + i, n - i);
  } else {
    StoreQ8Row(x, n, dst);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // SMALLMIND_ENGINE_KERNELS_KV_ROWS_INL_H_
