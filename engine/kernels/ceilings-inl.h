// Sixteen independent chains of one instruction: enough to hide its latency, few enough for the
// registers. Tested in ceilings_test.cc for their counts; speeds are measured, never asserted.
#if defined(SMALLMIND_ENGINE_KERNELS_CEILINGS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_CEILINGS_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_CEILINGS_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_CEILINGS_INL_H_
#endif

#include "engine/kernels/ceilings.h"
#include "engine/kernels/in_register-inl.h"
#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/kernels/tile-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

// AVX-512 has 32 registers; with 16, ten chains and two operands fit.
constexpr size_t kChains = HWY_MAX_BYTES >= 64 ? 16 : 10;

CeilingWork FmaT(size_t iterations) {
  const DF d;
  VF acc[kChains];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kChains; ++i) acc[i] = hn::Set(d, static_cast<float>(i));
  const VF a = hn::Set(d, 0.999f), b = hn::Set(d, 1e-3f);
  for (size_t n = 0; n < iterations; ++n) {
    HWY_UNROLL(16)
    for (size_t i = 0; i < kChains; ++i) acc[i] = hn::MulAdd(acc[i], a, b);
  }
  VF sum = hn::Zero(d);
  for (size_t i = 0; i < kChains; ++i) sum = hn::Add(sum, acc[i]);
  return {2.0 * kLanes * kChains * static_cast<double>(iterations), hn::ReduceSum(d, sum)};
}

// The fastest dots there are: of nibbles where dots are pairs (int8_dot-inl.h); all 8 bits take
// about twice as long there. Eight times in a row: GCC 12 copies every accumulator of a dot where a
// loop closes, twice, and leaves one in memory, which Emerald Rapids showed as a half or less of
// its rate.
CeilingWork Int8DotT(size_t iterations) {
  constexpr size_t kInRow = 8, kInPairs = quant::DotsInPairs(15);
  constexpr size_t kSums = quant::kPairedDot ? kChains / 2 : kChains;  // and as many pairs
  const quant::DI d;
  quant::VI acc[kSums];
  quant::VI16 pairs[kSums];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kSums; ++i) {
    acc[i] = hn::Set(d, static_cast<int32_t>(i));
    pairs[i] = hn::Zero(quant::DI16());
  }
  const auto w = hn::Set(quant::DU8(), static_cast<uint8_t>(3));
  auto x = hn::Set(quant::DI8(), static_cast<int8_t>(-2));
  for (size_t n = 0; n < iterations; ++n) {
    quant::Unroll<kInRow>([&](size_t k) HWY_ATTR __attribute__((always_inline)) {
      quant::Unroll<kSums>([&](size_t i) HWY_ATTR __attribute__((always_inline)) {
        // Else a product that does not change would be computed once for all sums.
        x = InRegister(x);
        quant::AddDot<kInPairs>(k, w, x, pairs[i], acc[i]);
      });
    });
  }
  auto sum = hn::Zero(d);
  for (size_t i = 0; i < kSums; ++i) sum = hn::Add(sum, acc[i]);
  return {8.0 * HWY_MAX_LANES_D(quant::DI) * kInRow * kSums * static_cast<double>(iterations),
          static_cast<float>(hn::ReduceSum(d, sum))};
}

CeilingWork Bf16DotT(size_t iterations) {
  constexpr size_t kSets = kChains / kRegs == 0 ? 1 : kChains / kRegs;
  V16 acc[kSets];
  HWY_UNROLL(16)
  for (size_t i = 0; i < kSets; ++i) acc[i] = Set16(static_cast<float>(i));
  HWY_ALIGN Bf16 w[2 * kVirtualLanes], x[2 * kVirtualLanes];
  for (size_t i = 0; i < 2 * kVirtualLanes; ++i) {
    w[i].bits = 0x3F80;  // 1.0
    x[i].bits = 0x3A80;  // 2^-10
  }
  for (size_t n = 0; n < iterations; ++n) {
    HWY_UNROLL(16)
    for (size_t i = 0; i < kSets; ++i) acc[i] = Step(w, x, acc[i]);
  }
  V16 sum = Zero16();
  for (size_t i = 0; i < kSets; ++i) sum = Add16(sum, acc[i]);
  return {4.0 * kVirtualLanes * kSets * static_cast<double>(iterations), Sum16(sum)};
}

uint64_t ReadT(std::span<const uint8_t> bytes) {
  const hn::ScalableTag<uint64_t> d;
  constexpr size_t kBytes = HWY_MAX_LANES_D(decltype(d)) * sizeof(uint64_t);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  size_t i = 0;
  const auto at = [&](size_t k) HWY_ATTR {
    return hn::LoadU(d, reinterpret_cast<const uint64_t*>(bytes.data() + i + k * kBytes));
  };
  for (; i + 4 * kBytes <= bytes.size(); i += 4 * kBytes) {
    a = hn::Xor(a, at(0));
    b = hn::Xor(b, at(1));
    c = hn::Xor(c, at(2));
    e = hn::Xor(e, at(3));
  }
  uint64_t sum = hn::ReduceSum(d, hn::Xor(hn::Xor(a, b), hn::Xor(c, e)));
  for (; i < bytes.size(); ++i) sum += bytes[i];
  return sum;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(FmaT);
HWY_EXPORT(Int8DotT);
HWY_EXPORT(Bf16DotT);
HWY_EXPORT(ReadT);

CeilingWork FmaWork(size_t iterations) { return HWY_DYNAMIC_DISPATCH(FmaT)(iterations); }

CeilingWork Int8DotWork(size_t iterations) { return HWY_DYNAMIC_DISPATCH(Int8DotT)(iterations); }

CeilingWork Bf16DotWork(size_t iterations) { return HWY_DYNAMIC_DISPATCH(Bf16DotT)(iterations); }

uint64_t ReadWork(std::span<const uint8_t> bytes) { return HWY_DYNAMIC_DISPATCH(ReadT)(bytes); }

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
