// Many tokens: weights transposed into a panel for the register tiles (matmul_quant_tile-inl.h).
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

// A Factor, ws2 or wm where the form has it, and Q2_K's two vectors of integers. Where dots go by
// signs (int8_dot-inl.h), where a block's sums start.
constexpr size_t FactorVectors(QuantForm form, bool signs) {
  return form == QuantForm::kScale ? (signs ? 3 : 2) : form == QuantForm::kTwoMin ? 5 : 3;
}
// Bytes of a panel for 32 columns of a group.
constexpr size_t PanelStep(QuantForm form, bool signs) {
  return (FactorVectors(form, signs) + 8) * kVectorBytes;
}

// Stores, for k = 0..3, the vector whose lane i in each block is dword k of v[i]: a vector apart.
HWY_INLINE void StoreTransposed(const VU8 v[4], uint8_t* HWY_RESTRICT out) {
  const DI di;
  hn::Vec<DI64> dwords[4];
  TransposeBlocks(hn::BitCast(di, v[0]), hn::BitCast(di, v[1]), hn::BitCast(di, v[2]),
                  hn::BitCast(di, v[3]), dwords);
  auto* to = reinterpret_cast<int64_t*>(out);
  Unroll<4>([&](size_t k) SMALLMIND_LAMBDA { hn::Store(dwords[k], DI64(), to + k * kGroup / 2); });
}

// On wide-dot targets the bytes of signed types are lifted to +128 in a panel, so that one tile
// kernel serves them all.
constexpr bool IsLifted(QuantForm form) {
  return kUnsignedDot && (form == QuantForm::kScale || form == QuantForm::kTwoScale);
}

// A sink (matmul_quant_types-inl.h): blocks become a panel's, from `at` on, as they are decoded.
// kLift is added to every byte. Bytes of a packed group are transposed as they come.
template <QuantForm kForm, bool kSigns, uint8_t kLift, bool kPacked>
struct Panel {
  static constexpr bool kStoresBytes = true, kTakesSteps = false;
  uint8_t* HWY_RESTRICT at;

  HWY_INLINE float* Factors(size_t block, size_t vector) {
    return reinterpret_cast<float*>(at + block * PanelStep(kForm, kSigns)) + vector * kGroup;
  }
  HWY_INLINE void StoreScale(size_t block, VF v) { Factor(v).Store(Factors(block, 0)); }
  HWY_INLINE void StoreSecond(size_t block, VF v) { hn::Store(v, DF(), Factors(block, 2)); }
  HWY_INLINE void StoreMin(size_t block, size_t half, VI v) {
    hn::Store(v, DI(), reinterpret_cast<int32_t*>(Factors(block, 3 + half)));
  }
  template <class Bytes>
  HWY_INLINE void Put(size_t block, Bytes of) {
    uint8_t* to =
        at + block * PanelStep(kForm, kSigns) + FactorVectors(kForm, kSigns) * kVectorBytes;
    Unroll<2>([&](size_t half) SMALLMIND_LAMBDA {
      VU8 v[4];
      Unroll<4>([&](size_t i) SMALLMIND_LAMBDA {
        v[i] = of(half, i);
        if constexpr (kLift != 0) v[i] = hn::Add(v[i], hn::Set(DU8(), kLift));
      });
      uint8_t* const out = to + 4 * half * kVectorBytes;
      if constexpr (kPacked) {
        Unroll<4>([&](size_t i)
                      SMALLMIND_LAMBDA { hn::Store(v[i], DU8(), out + i * kVectorBytes); });
      } else {
        StoreTransposed(v, out);
      }
    });
    if constexpr (kSigns) {
      VI16 missing = hn::Zero(DI16());
      Unroll<8>([&](size_t i) SMALLMIND_LAMBDA {
        const SignedWeights w(hn::Load(DU8(), to + i * kVectorBytes));
        missing = hn::Add(missing, w.Missing());
      });
      const VI start = hn::Sub(hn::Set(DI(), kSumOrigin), Widened(missing));
      hn::Store(start, DI(), reinterpret_cast<int32_t*>(Factors(block, 2)));
    }
  }
};

// Blocks [b0, b0 + n) of a group, to a panel whose block b0 is at `panel`.
struct UnpackArgs {
  GroupAt rows;
  size_t b0, n;
  Ahead ahead;
  uint8_t* panel;
};
using UnpackKernel = void (*)(const UnpackArgs&);

template <class W, bool kPacked>
void UnpackRows(const UnpackArgs& args) {
  constexpr auto kLift = static_cast<uint8_t>(IsLifted(W::kForm) ? 128 - W::kRaw : 0);
  constexpr bool kSigns = kBySigns<DotsInPairs(W::kMost)>;
  Panel<W::kForm, kSigns, kLift, kPacked> panel{args.panel};
  W::Decode(RowsOf<kPacked>(args.rows), args.b0, args.n, args.ahead, panel);
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
