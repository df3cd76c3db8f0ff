// One pass over 32 floats held in registers: amax, scale, round, sums. Maxima and integer sums do
// not depend on the order, so no lane discipline is needed. Tested in quantize_acts_test.cc against
// the scalar text of the rule, on every attainable target.
#if defined(SMALLMIND_ENGINE_KERNELS_QUANTIZE_ACTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_QUANTIZE_ACTS_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_QUANTIZE_ACTS_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_QUANTIZE_ACTS_INL_H_
#endif

#include "engine/kernels/acts.h"
#include "engine/kernels/lanes-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kVecs = 32 / kLanes;

void QuantizeRow(const float* HWY_RESTRICT x, size_t cols, uint8_t* HWY_RESTRICT out) {
  const DF df;
  const hn::RebindToSigned<DF> di;
  const hn::Rebind<int8_t, DF> d8;
  auto* block = reinterpret_cast<ActBlock*>(out);
  for (size_t i = 0; i < cols; i += 32, ++block) {
    VF v[kVecs];
    for (size_t k = 0; k < kVecs; ++k) v[k] = hn::LoadU(df, x + i + k * kLanes);
    const float amax = Peak(v, kVecs), inverse = Inverse127(amax);
    const VF factor = hn::Set(df, inverse);
    hn::Vec<decltype(di)> sum[2] = {hn::Zero(di), hn::Zero(di)};
    for (size_t k = 0; k < kVecs; ++k) {
      const auto q = RoundScaled(v[k], factor);
      hn::StoreU(hn::DemoteTo(d8, q), d8, block->q + k * kLanes);
      auto& half = sum[k * kLanes / 16];
      half = hn::Add(half, q);
    }
    const int32_t low = hn::ReduceSum(di, sum[0]);
    const int32_t all = low + hn::ReduceSum(di, sum[1]);
    block->d = amax >= 1e-30f ? amax / 127.0f : 0.0f;
    block->sum = static_cast<float>(all);
    block->bias = kSumOrigin - 128 * all;
    block->bias_lo = kSumOrigin - 128 * low;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(QuantizeRow);

void QuantizeRow(const float* x, size_t cols, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(QuantizeRow)(x, cols, out);
}

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
