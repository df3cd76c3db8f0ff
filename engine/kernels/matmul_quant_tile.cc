// Register tiles: an unpacked panel of one row group times 2 to 12 tokens.
//
// A block of 32 columns costs 8 dots, a conversion, a multiply and an fma (plus one fma for a
// minimum) per token and group: dots, multiplies and fmas share two pipes of the processors we
// know, so 8 of 10 slots is the ceiling, and broadcasts, conversions and loads ride on other ports
// for free. Tested in matmul_quant_test.cc.
#include "engine/kernels/matmul_quant.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/matmul_quant_tile.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "engine/kernels/matmul_quant_dot-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {
namespace {

// Tokens of the largest tile: an int32 and a float accumulator each. Where a dot is several
// instructions, more tokens would only be more code.
constexpr size_t kMaxTile = HWY_ARCH_X86 && !kUnsignedDot ? (kGroup > 4 ? 6 : 4) : 12;

// T tokens times one panel. kWide as in Dot.
template <QuantForm kForm, bool kWide, size_t T>
void GemmTile(const QuantTileArgs& args) {
  const uint8_t* HWY_RESTRICT panel = args.panel;
  const uint8_t* HWY_RESTRICT x = args.x;
  const uint8_t* ahead = args.ahead;
  const size_t x_stride = args.x_stride, ahead_step = args.ahead_step;
  const int raw = args.raw;
  const DI di;
  const DF df;
  VF acc[T];
  Unroll<T>([&](auto t) SMALLMIND_LAMBDA { acc[t] = hn::Zero(df); });
  constexpr bool kHasBias =
      (kForm == QuantForm::kScale || kForm == QuantForm::kTwoScale) && !(kWide && !kUnsignedDot);
  (void)raw;
  const auto surplus = [&](int32_t bias) SMALLMIND_LAMBDA {
    if constexpr (!kHasBias) {
      return hn::Zero(di);
    } else if constexpr (kUnsignedDot) {
      return hn::Set(di, bias);
    } else {
      return hn::Set(di, (bias >> 7) * raw);
    }
  };
  // Every third token has a pointer; the others are reached by stride, to spare registers.
  constexpr size_t kPointers = (T + 2) / 3;
  const uint8_t* at[kPointers];
  Unroll<kPointers>([&](auto i) SMALLMIND_LAMBDA { at[i] = x + 3 * i * x_stride; });
  for (size_t b = 0; b < args.blocks; ++b, panel += PanelStep(kForm)) {
    const auto block = [&](auto t) SMALLMIND_LAMBDA {
      return reinterpret_cast<const ActBlock*>(at[t / 3] + (t % 3) * x_stride);
    };
    PrefetchRange(ahead, ahead_step);
    ahead += ahead_step;
    const auto* factors = reinterpret_cast<const float*>(panel);
    const uint8_t* bytes = panel + FactorVectors(kForm) * kVectorBytes;
    VI isum[T];
    const auto dots = [&](size_t from, size_t to) SMALLMIND_LAMBDA {
      for (size_t k = from; k < to; ++k) {
        const VU8 w = hn::Load(DU8(), bytes + k * kVectorBytes);
        Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
          isum[t] = Dot<kWide>(w, Broadcast4(block(t)->q + 4 * k), isum[t]);
        });
      }
    };
    if constexpr (kForm == QuantForm::kTwoScale) {
      VF term[T];
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA { isum[t] = surplus(block(t)->bias_lo); });
      dots(0, 4);
      const auto scale = hn::Load(df, factors);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        term[t] = hn::Mul(scale, hn::ConvertTo(df, isum[t]));
        isum[t] = surplus(block(t)->bias - block(t)->bias_lo);
      });
      dots(4, 8);
      const auto second = hn::Load(df, factors + kGroup);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        term[t] = hn::MulAdd(second, hn::ConvertTo(df, isum[t]), term[t]);
        acc[t] = hn::MulAdd(hn::Set(df, block(t)->d), term[t], acc[t]);
      });
    } else {
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA { isum[t] = surplus(block(t)->bias); });
      dots(0, 8);
      const auto scale = hn::Load(df, factors);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        VF term = hn::Mul(scale, hn::ConvertTo(df, isum[t]));
        if constexpr (kForm == QuantForm::kMin) {
          const auto min = hn::Load(df, factors + kGroup);
          term = hn::NegMulAdd(min, hn::Set(df, block(t)->sum), term);
        } else if constexpr (kForm == QuantForm::kTwoMin) {
          const auto min = hn::Load(df, factors + kGroup);
          const auto* two = reinterpret_cast<const int32_t*>(factors) + 2 * kGroup;
          const auto low = hn::Mul(hn::Load(di, two), hn::Set(di, block(t)->bias_lo));
          const auto high =
              hn::Mul(hn::Load(di, two + kGroup), hn::Set(di, block(t)->bias - block(t)->bias_lo));
          term = hn::MulAdd(min, hn::ConvertTo(df, hn::Add(low, high)), term);
        }
        acc[t] = hn::MulAdd(hn::Set(df, block(t)->d), term, acc[t]);
      });
    }
    Unroll<kPointers>([&](auto i) SMALLMIND_LAMBDA { at[i] += sizeof(ActBlock); });
  }
  Unroll<T>([&](auto t)
                SMALLMIND_LAMBDA { hn::StoreU(acc[t], df, args.out + t * args.out_stride); });
}

template <QuantForm kForm, bool kWide>
QuantTiles Tiles() {
  // Two scales need a third accumulator a token.
  constexpr size_t kMost = kForm == QuantForm::kTwoScale && kMaxTile > 8 ? 8 : kMaxTile;
  QuantTiles tiles{kMost, {}};
  Unroll<kMost / 2>([&](auto i) { tiles.tile[i + 1] = GemmTile<kForm, kWide, 2 * (i + 1)>; });
  return tiles;
}

}  // namespace
}  // namespace quant

QuantTiles TilesFor(QuantForm form, bool wide) {
  using namespace quant;
  // Lifted bytes need all 8 bits; without VNNI the forms with a minimum and Q6_K never do.
  switch (form) {
    case QuantForm::kScale:
      if constexpr (kUnsignedDot) return Tiles<QuantForm::kScale, true>();
      return wide ? Tiles<QuantForm::kScale, true>() : Tiles<QuantForm::kScale, false>();
    case QuantForm::kTwoScale:
      return Tiles<QuantForm::kTwoScale, kUnsignedDot>();
    case QuantForm::kMin:
      return Tiles<QuantForm::kMin, false>();
    case QuantForm::kTwoMin:
      return Tiles<QuantForm::kTwoMin, false>();
  }
  return {};
}

}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(TilesFor);

QuantTiles QuantTilesFor(QuantForm form, bool wide) {
  return HWY_DYNAMIC_DISPATCH(TilesFor)(form, wide);
}

}  // namespace smallmind
#endif  // HWY_ONCE
