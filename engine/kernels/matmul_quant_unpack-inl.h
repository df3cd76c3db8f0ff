// Unpacking: the weights of a row group as a panel for the register tiles (matmul_quant_tile.cc).
//
// Panel: per 32 columns the group's factors (one vector each), then 8 vectors of bytes,
// [k/4][row][4], so that one dot instruction advances all rows of the group by four columns against
// four broadcast activations.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_UNPACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_UNPACK_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_UNPACK_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_UNPACK_INL_H_
#endif

#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// On wide-dot targets every signed type is lifted to +128, so that one kernel serves them all.
template <class W>
constexpr bool kLifted = kUnsignedDot &&
                         (W::kForm == QuantForm::kScale || W::kForm == QuantForm::kTwoScale);

// `next` is where to prefetch from, as many bytes as the group has; null for nothing.
struct UnpackArgs {
  const uint8_t* first;
  size_t row_bytes;
  size_t blocks;  // of 32 columns
  const uint8_t* next;
  uint8_t* panel;
};

template <class W>
void UnpackGroup(const UnpackArgs& args) {
  const RowGroup rows(args.first, args.row_bytes);
  const size_t blocks = args.blocks;
  const size_t ahead = kGroup * W::kBytes * 32 / W::kColumns;
  const uint8_t* next = args.next;
  uint8_t* HWY_RESTRICT panel = args.panel;
  const DF df;
  const DI di;
  constexpr int kLift = kLifted<W> ? 128 - W::kRaw : 0;
  Factors factors;
  for (size_t b0 = 0; b0 < blocks; b0 += kMaxChunk) {
    const size_t n = HWY_MIN(kMaxChunk, blocks - b0);
    W::Scales(rows, b0, n, factors);
    for (size_t b = 0; b < n; ++b, panel += PanelStep(W::kForm)) {
      if (next != nullptr) {
        PrefetchRange(next, ahead);
        next += ahead;
      }
      auto* to = reinterpret_cast<float*>(panel);
      hn::Store(hn::Load(df, factors.scale + b * kGroup), df, to);
      if constexpr (W::kForm != QuantForm::kScale) {
        hn::Store(hn::Load(df, factors.second + b * kGroup), df, to + kGroup);
      }
      if constexpr (W::kForm == QuantForm::kTwoMin) {
        for (size_t k = 0; k < 2; ++k) {
          hn::Store(hn::Load(di, factors.mins + (2 * b + k) * kGroup), di,
                    reinterpret_cast<int32_t*>(to) + (2 + k) * kGroup);
        }
      }
      VU8 lo[4], hi[4];
      Unroll<4>([&](auto i) SMALLMIND_LAMBDA {
        W::template Quants<i>(rows, b0 + b, factors, lo[i], hi[i]);
        if constexpr (kLift != 0) {
          const auto lift = hn::Set(DU8(), static_cast<uint8_t>(kLift));
          lo[i] = hn::Add(lo[i], lift);
          hi[i] = hn::Add(hi[i], lift);
        }
      });
      uint8_t* bytes = panel + FactorVectors(W::kForm) * kVectorBytes;
      StoreTransposed(lo, bytes);
      StoreTransposed(hi, bytes + 4 * kVectorBytes);
    }
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
