// Element-wise loops over whole registers with a masked tail; reductions through the virtual lanes
// of lanes-inl.h. Tested in ops_test.cc: to the bit against float_oracle.h on every attainable
// target, and in error against double.
#if defined(SMALLMIND_ENGINE_KERNELS_OPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_OPS_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_OPS_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_OPS_INL_H_
#endif

#include <cmath>

#include "engine/kernels/lanes-inl.h"
#include "engine/kernels/math-inl.h"
#include "engine/kernels/ops.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

// out[i] = fn(x[i]), fn over registers.
template <class Fn>
HWY_INLINE void Map(const float* x, size_t n, float* out, Fn fn) {
  const DF d;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(fn(hn::LoadU(d, x + i)), d, out + i);
  if (i < n) hn::StoreN(fn(hn::LoadN(d, x + i, n - i)), d, out + i, n - i);
}

template <class Fn>
HWY_INLINE void Map2(const float* x, const float* y, size_t n, float* out, Fn fn) {
  const DF d;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    hn::StoreU(fn(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, out + i);
  }
  if (i < n) {
    hn::StoreN(fn(hn::LoadN(d, x + i, n - i), hn::LoadN(d, y + i, n - i)), d, out + i, n - i);
  }
}

HWY_INLINE float SumOf(const float* x, size_t n) {
  V16 acc = Zero16();
  size_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes) acc = Add16(acc, Load16(x + i));
  if (i < n) acc = Add16(acc, LoadN16(x + i, n - i));
  return Sum16(acc);
}

void RmsNormT(const float* x, const float* weight, size_t n, float eps, float* out) {
  const DF d;
  const float mean = Sum16(DotLanes(x, x, n)) / static_cast<float>(n);
  const VF inv = hn::Set(d, 1.0f / std::sqrt(mean + eps));
  if (weight == nullptr) {
    Map(x, n, out, [inv](VF v) HWY_ATTR { return hn::Mul(v, inv); });
  } else {
    Map2(x, weight, n, out, [inv](VF v, VF w) HWY_ATTR { return hn::Mul(hn::Mul(v, inv), w); });
  }
}

void LayerNormT(const float* x, const float* weight, const float* bias, size_t n, float eps,
                float* out) {
  const DF d;
  const VF mean = hn::Set(d, SumOf(x, n) / static_cast<float>(n));
  Map(x, n, out, [mean](VF v) HWY_ATTR { return hn::Sub(v, mean); });
  const float var = Sum16(DotLanes(out, out, n)) / static_cast<float>(n);
  const VF inv = hn::Set(d, 1.0f / std::sqrt(var + eps));
  Map(out, n, out, [inv](VF v) HWY_ATTR { return hn::Mul(v, inv); });
  if (weight != nullptr) {
    Map2(out, weight, n, out, [](VF v, VF w) HWY_ATTR { return hn::Mul(v, w); });
  }
  if (bias != nullptr) {
    Map2(out, bias, n, out, [](VF v, VF b) HWY_ATTR { return hn::Add(v, b); });
  }
}

void AddT(float* x, const float* y, size_t n) {
  Map2(x, y, n, x, [](VF a, VF b) HWY_ATTR { return hn::Add(a, b); });
}

void ScaleT(float* x, float s, size_t n) {
  const VF vs = hn::Set(DF(), s);
  Map(x, n, x, [vs](VF a) HWY_ATTR { return hn::Mul(a, vs); });
}

void ScaledAddT(float* x, const float* y, float s, size_t n) {
  const VF vs = hn::Set(DF(), s);
  Map2(x, y, n, x, [vs](VF a, VF b) HWY_ATTR { return hn::MulAdd(vs, b, a); });
}

void SiluMulT(const float* gate, const float* up, size_t n, float* out) {
  Map2(gate, up, n, out, [](VF g, VF u) HWY_ATTR { return hn::Mul(MulSigmoid(DF(), g, g), u); });
}

void GeluTanhMulT(const float* gate, const float* up, size_t n, float* out) {
  Map2(gate, up, n, out, [](VF g, VF u) HWY_ATTR { return hn::Mul(GeluTanhF16(DF(), g), u); });
}

void GeluTanhT(const float* x, size_t n, float* out) {
  Map(x, n, out, [](VF v) HWY_ATTR { return GeluTanhF16(DF(), v); });
}

void SoftCapT(float* x, float cap, size_t n) {
  const VF vc = hn::Set(DF(), cap);
  Map(x, n, x, [vc](VF v) HWY_ATTR { return SoftCapOf(DF(), v, vc); });
}

void SoftmaxT(float* x, size_t n) {
  const DF d;
  if (n == 0) return;
  float top = x[0];  // a maximum has no order
  for (size_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
  const VF vt = hn::Set(d, top);
  Map(x, n, x, [vt](VF v) HWY_ATTR { return Exp(DF(), hn::Sub(v, vt)); });
  const VF sum = hn::Set(d, SumOf(x, n));
  Map(x, n, x, [sum](VF v) HWY_ATTR { return hn::Div(v, sum); });
}

// (a, b) -> (a·c − b·s, a·s + b·c): the second product is rounded, the first fused.
template <class V>
HWY_INLINE void Rotate(V& a, V& b, V c, V s) {
  const V first = hn::MulSub(a, c, hn::Mul(b, s));
  b = hn::MulAdd(a, s, hn::Mul(b, c));
  a = first;
}

void RopeNeoxT(float* head, size_t n_rot, const float* cos, const float* sin) {
  const DF d;
  const size_t half = n_rot / 2;
  float* upper = head + half;
  for (size_t i = 0; i < half; i += kLanes) {
    const size_t n = half - i < kLanes ? half - i : kLanes;
    VF a = hn::LoadN(d, head + i, n);
    VF b = hn::LoadN(d, upper + i, n);
    Rotate(a, b, hn::LoadN(d, cos + i, n), hn::LoadN(d, sin + i, n));
    hn::StoreN(a, d, head + i, n);
    hn::StoreN(b, d, upper + i, n);
  }
}

void RopeInterleavedT(float* head, size_t n_rot, const float* cos, const float* sin) {
  const DF d;
  const size_t half = n_rot / 2;
  size_t i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    VF a, b;
    hn::LoadInterleaved2(d, head + 2 * i, a, b);
    Rotate(a, b, hn::LoadU(d, cos + i), hn::LoadU(d, sin + i));
    hn::StoreInterleaved2(a, b, d, head + 2 * i);
  }
  for (; i < half; ++i) {
    const hn::CappedTag<float, 1> d1;
    auto a = hn::Set(d1, head[2 * i]);
    auto b = hn::Set(d1, head[2 * i + 1]);
    Rotate(a, b, hn::Set(d1, cos[i]), hn::Set(d1, sin[i]));
    head[2 * i] = hn::GetLane(a);
    head[2 * i + 1] = hn::GetLane(b);
  }
}

// The highest value first, four registers in flight, then where it is: two passes over logits that
// stay in L2 are ten times as fast as one that carries an index through a branch.
size_t ArgMaxT(const float* x, size_t n) {
  const DF d;
  constexpr size_t kFlights = 4;
  const VF lowest = hn::Set(d, -HUGE_VALF);
  const auto higher = [](VF v, VF top) HWY_ATTR {  // top where v is NaN
    return hn::IfThenElse(hn::Gt(v, top), v, top);
  };
  VF top[kFlights] = {lowest, lowest, lowest, lowest};
  size_t i = 0;
  for (; i + kFlights * kLanes <= n; i += kFlights * kLanes) {
    for (size_t f = 0; f < kFlights; ++f) {
      top[f] = higher(hn::LoadU(d, x + i + f * kLanes), top[f]);
    }
  }
  for (; i < n; i += kLanes) top[0] = higher(hn::LoadNOr(lowest, d, x + i, n - i), top[0]);
  const VF all = higher(higher(top[0], top[1]), higher(top[2], top[3]));
  const float best = hn::ReduceMax(d, all);
  if (best == -HUGE_VALF) return n;
  const VF bests = hn::Set(d, best);
  for (i = 0; i < n; i += kLanes) {
    const intptr_t at = hn::FindFirstTrue(d, hn::Eq(hn::LoadNOr(lowest, d, x + i, n - i), bests));
    if (at >= 0) return i + static_cast<size_t>(at);
  }
  return n;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(RmsNormT);
HWY_EXPORT(LayerNormT);
HWY_EXPORT(AddT);
HWY_EXPORT(ScaleT);
HWY_EXPORT(ScaledAddT);
HWY_EXPORT(SiluMulT);
HWY_EXPORT(GeluTanhMulT);
HWY_EXPORT(GeluTanhT);
HWY_EXPORT(SoftCapT);
HWY_EXPORT(SoftmaxT);
HWY_EXPORT(ArgMaxT);
HWY_EXPORT(RopeNeoxT);
HWY_EXPORT(RopeInterleavedT);

void RmsNorm(const float* x, const float* weight, size_t n, float eps, float* out) {
  HWY_DYNAMIC_DISPATCH(RmsNormT)(x, weight, n, eps, out);
}

void LayerNorm(const float* x, const float* weight, const float* bias, size_t n, float eps,
               float* out) {
  HWY_DYNAMIC_DISPATCH(LayerNormT)(x, weight, bias, n, eps, out);
}

void AddInPlace(float* x, const float* y, size_t n) { HWY_DYNAMIC_DISPATCH(AddT)(x, y, n); }

void ScaleInPlace(float* x, float s, size_t n) { HWY_DYNAMIC_DISPATCH(ScaleT)(x, s, n); }

void ScaledAddInPlace(float* x, const float* y, float s, size_t n) {
  HWY_DYNAMIC_DISPATCH(ScaledAddT)(x, y, s, n);
}

void SiluMul(const float* gate, const float* up, size_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(SiluMulT)(gate, up, n, out);
}

void GeluTanhMul(const float* gate, const float* up, size_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(GeluTanhMulT)(gate, up, n, out);
}

void GeluTanh(const float* x, size_t n, float* out) { HWY_DYNAMIC_DISPATCH(GeluTanhT)(x, n, out); }

void SoftCap(float* x, float cap, size_t n) { HWY_DYNAMIC_DISPATCH(SoftCapT)(x, cap, n); }

void Softmax(float* x, size_t n) { HWY_DYNAMIC_DISPATCH(SoftmaxT)(x, n); }

size_t ArgMax(const float* x, size_t n) { return HWY_DYNAMIC_DISPATCH(ArgMaxT)(x, n); }

void RopeNeox(float* head, size_t n_rot, const float* cos, const float* sin) {
  HWY_DYNAMIC_DISPATCH(RopeNeoxT)(head, n_rot, cos, sin);
}

void RopeInterleaved(float* head, size_t n_rot, const float* cos, const float* sin) {
  HWY_DYNAMIC_DISPATCH(RopeInterleavedT)(head, n_rot, cos, sin);
}

}  // namespace smallmind
#endif  // HWY_ONCE

#endif  // toggle
