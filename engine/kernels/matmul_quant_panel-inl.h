// Many tokens: chunks transposed into a panel for the register tiles (matmul_quant_tile-inl.h).
//
// Panel: per 32 columns the group's factors (vectors, FactorVectors), then 8 vectors of bytes,
// [k/4][row][4], so that one dot instruction advances all rows of the group by four columns against
// four broadcast activations.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_PANEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_PANEL_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_PANEL_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_PANEL_INL_H_
#endif

#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// A Factor, ws2 or wm where the form has it, and Q2_K's two vectors of integers.
constexpr size_t FactorVectors(QuantForm form) {
  return form == QuantForm::kScale ? 2 : form == QuantForm::kTwoMin ? 5 : 3;
}
// Bytes of a panel for 32 columns of a group.
constexpr size_t PanelStep(QuantForm form) { return (FactorVectors(form) + 8) * kVectorBytes; }

// Stores, for k = 0..3, the vector whose lane i in each block is dword k of v[i]: a vector apart.
HWY_INLINE void StoreTransposed(const VU8 v[4], uint8_t* HWY_RESTRICT out) {
  const DI di;
  const DI64 d64;
  const auto a = hn::BitCast(di, v[0]), b = hn::BitCast(di, v[1]);
  const auto c = hn::BitCast(di, v[2]), d = hn::BitCast(di, v[3]);
  const auto ab_lo = hn::BitCast(d64, hn::InterleaveLower(di, a, b));
  const auto ab_hi = hn::BitCast(d64, hn::InterleaveUpper(di, a, b));
  const auto cd_lo = hn::BitCast(d64, hn::InterleaveLower(di, c, d));
  const auto cd_hi = hn::BitCast(d64, hn::InterleaveUpper(di, c, d));
  auto* to = reinterpret_cast<int64_t*>(out);
  constexpr size_t kStep = kGroup / 2;
  hn::Store(hn::InterleaveLower(d64, ab_lo, cd_lo), d64, to);
  hn::Store(hn::InterleaveUpper(d64, ab_lo, cd_lo), d64, to + kStep);
  hn::Store(hn::InterleaveLower(d64, ab_hi, cd_hi), d64, to + 2 * kStep);
  hn::Store(hn::InterleaveUpper(d64, ab_hi, cd_hi), d64, to + 3 * kStep);
}

// On wide-dot targets the bytes of signed types are lifted to +128 in a panel, so that one tile
// kernel serves them all.
constexpr bool IsLifted(QuantForm form) {
  return kUnsignedDot && (form == QuantForm::kScale || form == QuantForm::kTwoScale);
}

// Writes the panel's blocks of one chunk and returns where the next go. `lift` is added to every
// byte.
inline HWY_NOINLINE uint8_t* AppendToPanel(const Chunk& chunk, size_t blocks, QuantForm form,
                                           uint8_t lift, uint8_t* HWY_RESTRICT panel) {
  const DF df;
  const DI di;
  const auto up = hn::Set(DU8(), lift);
  for (size_t b = 0; b < blocks; ++b, panel += PanelStep(form)) {
    auto* to = reinterpret_cast<float*>(panel);
    Factor(hn::Load(df, chunk.scale[b])).Store(to);
    if (form != QuantForm::kScale) hn::Store(hn::Load(df, chunk.second[b]), df, to + 2 * kGroup);
    if (form == QuantForm::kTwoMin) {
      for (size_t k = 0; k < 2; ++k) {
        hn::Store(hn::Load(di, chunk.mins[2 * b + k]), di,
                  reinterpret_cast<int32_t*>(to) + (3 + k) * kGroup);
      }
    }
    for (size_t half = 0; half < 2; ++half) {
      VU8 v[4];
      Unroll<4>([&](auto i) SMALLMIND_LAMBDA {
        v[i] = hn::Add(hn::Load(DU8(), chunk.bytes[b][half][i]), up);
      });
      StoreTransposed(v, panel + (FactorVectors(form) + 4 * half) * kVectorBytes);
    }
  }
  return panel;
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
