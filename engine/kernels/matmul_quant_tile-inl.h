// Register tiles: an unpacked panel of one row group times 4 to 12 tokens.
//
// A block of 32 columns costs 8 dots, a conversion, a multiply and an fma (plus one fma for a
// minimum) per token and group: dots, multiplies and fmas share two pipes of the processors we
// know, so 8 of 10 slots is the ceiling, and broadcasts, conversions and loads ride on other ports
// for free.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TILE_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TILE_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TILE_INL_H_
#endif

#include "engine/kernels/matmul_quant_panel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// One panel times a few tokens, fetching ahead once a block: out[t·out_stride + lane].
struct TileArgs {
  const uint8_t* panel;
  size_t blocks;  // of 32 columns
  const uint8_t* x;
  size_t x_stride;
  int raw;  // what stored bytes are above the signed values, where bytes are raw
  Ahead ahead;
  float* out;
  size_t out_stride;
};
using TileKernel = void (*)(const TileArgs&);

// The tiles of a form, largest first.
struct Tiles {
  size_t count;
  size_t tokens[3];
  TileKernel kernel[3];
};

// Tokens of the largest tile: an int32 and a float accumulator each. Where a dot is several
// instructions, more tokens would only be more code.
constexpr size_t kMaxTile = HWY_ARCH_X86 && !kUnsignedDot ? (kGroup > 4 ? 6 : 4) : 12;
constexpr size_t kMinTile = 4;

// T tokens times one panel. kWide as in Dot.
template <QuantForm kForm, bool kWide, size_t T>
void GemmTile(const TileArgs& args) {
  const uint8_t* HWY_RESTRICT panel = args.panel;
  const uint8_t* HWY_RESTRICT x = args.x;
  Ahead ahead = args.ahead;
  const size_t x_stride = args.x_stride;
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
    ahead.Fetch();
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
Tiles TilesOf() {
  constexpr size_t kMost = kForm == QuantForm::kTwoScale || kForm == QuantForm::kTwoMin
                               ? HWY_MIN(kMaxTile, size_t{8})  // a third accumulator a token
                               : kMaxTile;
  if constexpr (kMost == 12) {
    return {3,
            {12, 8, 4},
            {GemmTile<kForm, kWide, 12>, GemmTile<kForm, kWide, 8>, GemmTile<kForm, kWide, 4>}};
  } else if constexpr (kMost > kMinTile) {
    return {2, {kMost, 4}, {GemmTile<kForm, kWide, kMost>, GemmTile<kForm, kWide, 4>}};
  } else {
    return {1, {4}, {GemmTile<kForm, kWide, 4>}};
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
