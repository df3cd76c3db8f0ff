// Four tokens and more: weights of a row group are unpacked once to a panel in scratch, then multiplied with
// tiles of up to 12 tokens in registers.
//
// Panel: per 32 columns the group's factors (one vector each), then 8 vectors of bytes, [k/4][row][4], so that
// one dot instruction advances all rows of the group by four columns against four broadcast activations.
// A block of 32 columns costs 8 dots, a conversion, a multiply and an fma (plus one fma for a minimum) per
// token and group: dots, multiplies and fmas share two pipes of the processors we know, so 8 of 10 slots is
// the ceiling, and broadcasts, conversions and loads ride on other ports for free.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMM_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMM_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_GEMM_INL_H_
#endif

#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

// Tokens of a register tile: an int32 and a float accumulator each, of 32 or 16 registers.
constexpr size_t kMaxTile = (HWY_ARCH_ARM_A64 || HWY_TARGET <= HWY_AVX3) ? 12 : 6;

constexpr size_t kVectorBytes = kGroup * 4;
constexpr size_t FactorVectors(Form form) {
  return form == Form::kScale ? 1 : form == Form::kTwoMin ? 4 : 2;
}
// Bytes of a panel for 32 columns of a group.
constexpr size_t PanelStep(Form form) { return (FactorVectors(form) + 8) * kVectorBytes; }

template <class W>
HWY_NOINLINE void UnpackGroup(const uint8_t* first, size_t row_bytes, size_t blocks, const uint8_t* next,
                              uint8_t* HWY_RESTRICT panel) {
  const RowGroup rows(first, row_bytes);
  const size_t ahead = kGroup * W::kBytes * 32 / W::kColumns;
  const DF df;
  const DI di;
  // On wide-dot targets every signed type goes to +128, so that one kernel serves them all.
  constexpr int kLift = kUnsignedDot && (W::kForm == Form::kScale || W::kForm == Form::kTwoScale)
                            ? 128 - W::kRaw
                            : 0;
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
      if constexpr (W::kForm != Form::kScale) {
        hn::Store(hn::Load(df, factors.second + b * kGroup), df, to + kGroup);
      }
      if constexpr (W::kForm == Form::kTwoMin) {
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

// Weights wanted next, fetched a little with every block that is worked on, so that memory never idles.
struct Ahead {
  const uint8_t* at = nullptr;
  size_t step = 0;  // bytes a block

  HWY_INLINE void Fetch() {
    PrefetchRange(at, step);
    at += step;
  }
};

// out[t·out_stride + lane] for T tokens and one panel. kWide as in Dot; raw is W::kRaw where bytes are raw.
template <Form kForm, bool kWide, size_t T>
HWY_NOINLINE void GemmTile(const uint8_t* HWY_RESTRICT panel, size_t blocks, const uint8_t* HWY_RESTRICT x,
                           size_t x_stride, int raw, Ahead ahead, float* HWY_RESTRICT out, size_t out_stride) {
  const DI di;
  const DF df;
  VF acc[T];
  Unroll<T>([&](auto t) SMALLMIND_LAMBDA { acc[t] = hn::Zero(df); });
  constexpr bool kHasBias =
      (kForm == Form::kScale || kForm == Form::kTwoScale) && !(kWide && !kUnsignedDot);
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
  for (size_t b = 0; b < blocks; ++b, panel += PanelStep(kForm)) {
    const auto block = [&](auto t) SMALLMIND_LAMBDA {
      return reinterpret_cast<const ActBlock*>(at[t / 3] + (t % 3) * x_stride);
    };
    ahead.Fetch();
    const auto* factors = reinterpret_cast<const float*>(panel);
    const uint8_t* bytes = panel + FactorVectors(kForm) * kVectorBytes;
    VI isum[T];
    const auto dots = [&](auto from, auto count) SMALLMIND_LAMBDA {
      Unroll<count>([&](auto i) SMALLMIND_LAMBDA {
        const VU8 w = hn::Load(DU8(), bytes + (from + i) * kVectorBytes);
        Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
          isum[t] = Dot<kWide>(w, Broadcast4(block(t)->q + 4 * (from + i)), isum[t]);
        });
      });
    };
    constexpr std::integral_constant<size_t, 0> kNone;
    constexpr std::integral_constant<size_t, 4> kHalf;
    constexpr std::integral_constant<size_t, 8> kAll;
    if constexpr (kForm == Form::kTwoScale) {
      VF term[T];
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA { isum[t] = surplus(block(t)->bias_lo); });
      dots(kNone, kHalf);
      const auto scale = hn::Load(df, factors);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        term[t] = hn::Mul(scale, hn::ConvertTo(df, isum[t]));
        isum[t] = surplus(block(t)->bias - block(t)->bias_lo);
      });
      dots(kHalf, kHalf);
      const auto second = hn::Load(df, factors + kGroup);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        term[t] = hn::MulAdd(second, hn::ConvertTo(df, isum[t]), term[t]);
        acc[t] = hn::MulAdd(hn::Set(df, block(t)->d), term[t], acc[t]);
      });
    } else {
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA { isum[t] = surplus(block(t)->bias); });
      dots(kNone, kAll);
      const auto scale = hn::Load(df, factors);
      Unroll<T>([&](auto t) SMALLMIND_LAMBDA {
        VF term = hn::Mul(scale, hn::ConvertTo(df, isum[t]));
        if constexpr (kForm == Form::kMin) {
          const auto min = hn::Load(df, factors + kGroup);
          term = hn::NegMulAdd(min, hn::Set(df, block(t)->sum), term);
        } else if constexpr (kForm == Form::kTwoMin) {
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
  Unroll<T>([&](auto t) SMALLMIND_LAMBDA { hn::StoreU(acc[t], df, out + t * out_stride); });
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
