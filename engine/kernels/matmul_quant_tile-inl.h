// Register tiles: an unpacked panel of one row group times 4 to 12 tokens, or of two groups times 4
// or 6.
//
// A block of 32 columns costs 8 dots and two fma (one more for a minimum) per token and group, all
// of which share two pipes of the processors we know: 8 of 10 slots is the ceiling. Two groups
// share a token's broadcasts: where two pipes take 512 bits each, two load ports are the next limit
// (Emerald Rapids, in L1: 12 tokens of one group 71 % of the dots' own rate, 6 of two 76 %).
//
// Where dots are pairs (int8_dot-inl.h) a block of nibbles costs 9 multiplications, 8 additions and
// three fma, of bytes of 8 bits 16, 8 and two, with a sign for each dot; broadcasts shared by two
// groups make 1.03 to 1.25 of one group's rate there (Zen 3), though floats then wait in memory.
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

// One panel, or two, times a few tokens, fetching ahead once a block:
// out[t·out_stride + group·kGroup + lane].
struct TileArgs {
  const uint8_t* panel;
  size_t panel_bytes;  // to the second
  size_t blocks;       // of 32 columns
  const uint8_t* x;
  size_t x_stride;
  int raw;  // what stored bytes are above the signed values, where bytes are raw
  Ahead ahead;
  bool first;  // else sums go on from those at `out`
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

// Tokens for which panels are cut, and the blocks of a cut, half as many more in the last: those of
// two groups take 20 KiB of L1.
constexpr size_t kFewTokens = 16, kCutBlocks = 16, kMostCutBlocks = kCutBlocks * 3 / 2;

// Two groups at once pay where a broadcast is a load of its own: of NEON's dots it is not.
constexpr bool kPairs = kUnsignedDot || (kPairedDot && kGroup > 4);

// kGroups panels times T tokens. kInPairs as of DotsInPairs.
template <QuantForm kForm, size_t kInPairs, size_t kGroups, size_t T>
void GemmTile(const TileArgs& args) {
  const uint8_t* HWY_RESTRICT panel = args.panel;
  const uint8_t* HWY_RESTRICT x = args.x;
  Ahead ahead = args.ahead;
  const size_t x_stride = args.x_stride, panel_bytes = args.panel_bytes;
  const Surplus surplus(args.raw);
  const DI di;
  const DF df;
  VF acc[kGroups * T];
  if (args.first) {
    Unroll<kGroups * T>([&](size_t i) SMALLMIND_LAMBDA { acc[i] = hn::Zero(df); });
  } else {
    Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
      Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
        acc[g * T + t] = hn::LoadU(df, args.out + t * args.out_stride + g * kGroup);
      });
    });
  }
  constexpr bool kSigns = kBySigns<kInPairs>;
  static_assert(!kSigns || kForm == QuantForm::kScale);
  constexpr size_t kFactors = FactorVectors(kForm, kSigns), kStep = PanelStep(kForm, kSigns);
  constexpr bool kHasBias = (kForm == QuantForm::kScale || kForm == QuantForm::kTwoScale) &&
                            (kUnsignedDot || kInPairs != 0);
  // Where sums start, which is at `bias` where stored bytes are 128 above the signed values, and
  // what Scaled takes.
  const auto start = [&](int32_t bias) SMALLMIND_LAMBDA {
    return hn::Set(di, !kHasBias ? kSumOrigin : kUnsignedDot ? bias : surplus.origin);
  };
  const auto sum_of = [&](VI isum, int32_t bias) SMALLMIND_LAMBDA {
    return kHasBias && !kUnsignedDot ? surplus.Off(isum, bias) : hn::BitCast(df, isum);
  };
  // Every third token has a pointer; the others are reached by stride, to spare registers.
  constexpr size_t kPointers = (T + 2) / 3;
  const uint8_t* at[kPointers];
  Unroll<kPointers>([&](size_t i) SMALLMIND_LAMBDA { at[i] = x + 3 * i * x_stride; });
  for (size_t b = 0; b < args.blocks; ++b, panel += kStep) {
    const auto block = [&](size_t t) SMALLMIND_LAMBDA {
      return reinterpret_cast<const ActBlock*>(at[t / 3] + (t % 3) * x_stride);
    };
    ahead.Fetch();
    VI isum[kGroups * T];
    VI16 pairs[kGroups * T];
    const auto begin = [&](size_t t, VI first) SMALLMIND_LAMBDA {
      Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA { isum[g * T + t] = first; });
    };
    const auto dots = [&](size_t half) SMALLMIND_LAMBDA {
      Unroll<4>([&](size_t i) SMALLMIND_LAMBDA {
        const size_t step = 4 * half + i;
        const uint8_t* bytes = panel + (kFactors + step) * kVectorBytes;
        DotWeights<kInPairs> w[kGroups];
        Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
          w[g] = DotWeights<kInPairs>(hn::Load(DU8(), bytes + g * panel_bytes));
        });
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          VI8 four = Broadcast4(block(t)->q + 4 * step);
          // Folded into each dot, it would be loaded for each.
          if constexpr (kGroups > 1) four = InRegister(four);
          Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
            const size_t in_sum = kForm == QuantForm::kTwoScale ? i : step;
            AddDot<kInPairs>(in_sum, w[g], four, pairs[g * T + t], isum[g * T + t]);
          });
        });
      });
    };
    if constexpr (kSigns) {
      Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
        const auto* factors = reinterpret_cast<const int32_t*>(panel + g * panel_bytes);
        const VI first = hn::Load(di, factors + 2 * kGroup);
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA { isum[g * T + t] = first; });
      });
    } else {
      Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
        begin(t, start(kForm == QuantForm::kTwoScale ? block(t)->bias_lo : block(t)->bias));
      });
    }
    dots(0);
    if constexpr (kForm == QuantForm::kTwoScale) {
      VF term[kGroups * T];
      Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
        const Factor first(panel + g * panel_bytes);
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          term[g * T + t] = Scaled(first, sum_of(isum[g * T + t], block(t)->bias_lo));
        });
      });
      Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
        begin(t, hn::Set(di, kUnsignedDot ? block(t)->high_bias() : 0));
      });
      dots(1);
      Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
        const auto* factors = reinterpret_cast<const float*>(panel + g * panel_bytes);
        const auto second = hn::Load(df, factors + 2 * kGroup);
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          const VI i2 = isum[g * T + t];
          const VF sum = kUnsignedDot ? hn::ConvertTo(df, i2) : surplus.OffSecond(i2, *block(t));
          const VF t2 = hn::MulAdd(second, sum, term[g * T + t]);
          acc[g * T + t] = hn::MulAdd(hn::Set(df, block(t)->d), t2, acc[g * T + t]);
        });
      });
    } else {
      dots(1);
      Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
        const auto* factors = reinterpret_cast<const float*>(panel + g * panel_bytes);
        const Factor first(panel + g * panel_bytes);
        Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
          VF term = Scaled(first, sum_of(isum[g * T + t], block(t)->bias));
          if constexpr (kForm == QuantForm::kMin) {
            const auto min = hn::Load(df, factors + 2 * kGroup);
            term = hn::NegMulAdd(min, hn::Set(df, block(t)->sum), term);
          } else if constexpr (kForm == QuantForm::kTwoMin) {
            const auto min = hn::Load(df, factors + 2 * kGroup);
            const auto* two = reinterpret_cast<const int32_t*>(factors) + 3 * kGroup;
            const auto low = hn::Mul(hn::Load(di, two), hn::Set(di, block(t)->low_bias()));
            const auto high =
                hn::Mul(hn::Load(di, two + kGroup), hn::Set(di, block(t)->high_bias()));
            term = hn::MulAdd(min, hn::ConvertTo(df, hn::Add(low, high)), term);
          }
          acc[g * T + t] = hn::MulAdd(hn::Set(df, block(t)->d), term, acc[g * T + t]);
        });
      });
    }
    Unroll<kPointers>([&](size_t i) SMALLMIND_LAMBDA { at[i] += sizeof(ActBlock); });
  }
  Unroll<T>([&](size_t t) SMALLMIND_LAMBDA {
    Unroll<kGroups>([&](size_t g) SMALLMIND_LAMBDA {
      hn::StoreU(acc[g * T + t], df, args.out + t * args.out_stride + g * kGroup);
    });
  });
}

// A third accumulator a token.
constexpr bool NeedsThird(QuantForm form) {
  return form == QuantForm::kTwoScale || form == QuantForm::kTwoMin;
}

template <QuantForm kForm, size_t kInPairs>
Tiles TilesOf() {
  constexpr size_t kMost = NeedsThird(kForm) ? HWY_MIN(kMaxTile, size_t{8}) : kMaxTile;
  if constexpr (kMost == 12) {
    return {3,
            {12, 8, 4},
            {GemmTile<kForm, kInPairs, 1, 12>, GemmTile<kForm, kInPairs, 1, 8>,
             GemmTile<kForm, kInPairs, 1, 4>}};
  } else if constexpr (kMost > kMinTile) {
    return {2, {kMost, 4}, {GemmTile<kForm, kInPairs, 1, kMost>, GemmTile<kForm, kInPairs, 1, 4>}};
  } else {
    return {1, {4}, {GemmTile<kForm, kInPairs, 1, 4>}};
  }
}

// Of two groups; none where a target has no pairs.
template <QuantForm kForm, size_t kInPairs>
Tiles PairTilesOf() {
  if constexpr (!kPairs) {
    return {0, {}, {}};
  } else if constexpr (NeedsThird(kForm)) {
    return {1, {4}, {GemmTile<kForm, kInPairs, 2, 4>}};
  } else {
    return {2, {6, 4}, {GemmTile<kForm, kInPairs, 2, 6>, GemmTile<kForm, kInPairs, 2, 4>}};
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
