// What the kernels need to know of each simple block type (32 elements, one f16 scale): where its
// bytes are.
//
// A type's traits give the float factors of the order contract for up to 8 blocks of a whole row
// group
// (`Scales`), then, for 32 columns of rows kI, 4+kI, 8+kI, 12+kI, the bytes the dot multiplies
// (`Quants`).
//   kForm   which factors there are (order.h)
//   kWide   bytes need all 8 bits: Dot<true>; then they are the signed values, +128 where
//   kUnsignedDot kRaw    what a byte is above its signed value otherwise (0 for types with a
//   minimum)
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_
#endif

#include "engine/kernels/matmul_quant.h"
#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

constexpr size_t kMaxChunk = 8;  // blocks of 32 columns that Scales handles at once

// Factors of `kMaxChunk` blocks of 32 columns, lane = row.
struct Factors {
  HWY_ALIGN float scale[kMaxChunk * kGroup];
  HWY_ALIGN float second[kMaxChunk * kGroup];      // ws2 or wm (Q2_K: wm/128)
  HWY_ALIGN int32_t mins[2 * kMaxChunk * kGroup];  // Q2_K: the two integers of a block
  HWY_ALIGN int32_t
      steps[2 * kMaxChunk * kGroup];  // Q2_K, Q3_K: scales of its halves, as two equal int16
};

HWY_INLINE VU8 LowNibbles(VU8 v) { return hn::And(v, hn::Set(DU8(), uint8_t{15})); }
HWY_INLINE VU8 HighNibbles(VU8 v) {
  return LowNibbles(hn::BitCast(DU8(), hn::ShiftRight<4>(hn::BitCast(DU16(), v))));
}

// Collects the u16 at `offset` + b·step of every row for b < n, and converts: f16 to float32 is
// exact.
inline HWY_NOINLINE void GatherF16(const RowGroup& rows, size_t offset, size_t step, size_t n,
                                   float* out) {
  HWY_ALIGN uint16_t bits[kMaxChunk * kGroup];
  for (size_t b = 0; b < n; ++b, offset += step) {
    Unroll<kGroup>([&](auto r) SMALLMIND_LAMBDA {
      std::memcpy(&bits[b * kGroup + r], rows.Row(r % 4, r / 4) + offset, 2);
    });
  }
  const DF df;
  const hn::Rebind<uint16_t, DF> du;
  const hn::Rebind<hwy::float16_t, DF> dh;
  for (size_t b = 0; b < n; ++b) {
    hn::Store(hn::PromoteTo(df, hn::BitCast(dh, hn::Load(du, bits + b * kGroup))), df,
              out + b * kGroup);
  }
}

template <DType kType>
struct Weights;

// Types of one block a 32 columns: `Block` starts with f16 d (and f16 m where it has a minimum).
template <class Block, QuantForm kTheForm>
struct SimpleWeights {
  static constexpr QuantForm kForm = kTheForm;
  static constexpr size_t kColumns = 32;  // of one storage block
  static constexpr size_t kBytes = sizeof(Block);

  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t n, Factors& to) {
    GatherF16(rows, b0 * kBytes, kBytes, n, to.scale);
    if constexpr (kForm == QuantForm::kMin) {
      GatherF16(rows, b0 * kBytes + 2, kBytes, n, to.second);
      const DF df;  // x = d·q + m: the minimum is −m
      for (size_t b = 0; b < n; ++b) {
        float* m = to.second + b * kGroup;
        hn::Store(hn::Neg(hn::Load(df, m)), df, m);
      }
    }
  }
};

template <>
struct Weights<DType::kQ8_0> : SimpleWeights<BlockQ8_0, QuantForm::kScale> {
  static constexpr bool kWide = true;
  static constexpr int kRaw = 128;
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    lo = LoadRows(rows, kI, b * kBytes + 2);
    hi = LoadRows(rows, kI, b * kBytes + 18);
    if constexpr (kUnsignedDot) {
      const auto flip = hn::Set(DU8(), uint8_t{0x80});
      lo = hn::Xor(lo, flip);
      hi = hn::Xor(hi, flip);
    }
  }
};

template <>
struct Weights<DType::kQ4_0> : SimpleWeights<BlockQ4_0, QuantForm::kScale> {
  static constexpr bool kWide = false;
  static constexpr int kRaw = 8;
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const VU8 nibbles = LoadRows(rows, kI, b * kBytes + 2);
    lo = LowNibbles(nibbles);
    hi = HighNibbles(nibbles);
  }
};

template <>
struct Weights<DType::kQ4_1> : SimpleWeights<BlockQ4_1, QuantForm::kMin> {
  static constexpr bool kWide = false;
  static constexpr int kRaw = 0;
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const VU8 nibbles = LoadRows(rows, kI, b * kBytes + 4);
    lo = LowNibbles(nibbles);
    hi = HighNibbles(nibbles);
  }
};

// 16 where the bit of element 0..15 (then 16..31) is set. `bits` holds the 32-bit word at byte 0 of
// a block.
HWY_INLINE void FifthBits(VU8 bits, VU8& lo, VU8& hi) {
  const DU8 d;
  alignas(16) static constexpr uint8_t kLow[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
  alignas(16) static constexpr uint8_t kHigh[16] = {2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3};
  alignas(16) static constexpr uint8_t kBit[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                                   1, 2, 4, 8, 16, 32, 64, 128};
  const auto bit = hn::LoadDup128(d, kBit);
  const auto sixteen = hn::Set(d, uint8_t{16});
  const auto spread = [&](const uint8_t* index) HWY_ATTR {
    const auto picked = hn::And(hn::TableLookupBytes(bits, hn::LoadDup128(d, index)), bit);
    return hn::IfThenElseZero(hn::Eq(picked, bit), sixteen);
  };
  lo = spread(kLow);
  hi = spread(kHigh);
}

// The two five-bit types differ in what precedes qh.
template <size_t kBitsAt, class Base>
struct FiveBitWeights : Base {
  static constexpr bool kWide = false;
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    // 16 bytes from qh on end inside the block: 4 of qh, 12 of qs.
    FifthBits(LoadRows(rows, kI, b * Base::kBytes + kBitsAt), lo, hi);
    const VU8 nibbles = LoadRows(rows, kI, b * Base::kBytes + kBitsAt + 4);
    lo = hn::Or(lo, LowNibbles(nibbles));
    hi = hn::Or(hi, HighNibbles(nibbles));
  }
};
template <>
struct Weights<DType::kQ5_0> : FiveBitWeights<2, SimpleWeights<BlockQ5_0, QuantForm::kScale>> {
  static constexpr int kRaw = 16;
};
template <>
struct Weights<DType::kQ5_1> : FiveBitWeights<4, SimpleWeights<BlockQ5_1, QuantForm::kMin>> {
  static constexpr int kRaw = 0;
};

// Codebook values of nibbles, plus 128 where kUnsignedDot.
HWY_INLINE VU8 Codebook(VU8 nibbles) {
  const DU8 d;
  HWY_ALIGN uint8_t table[16];
  for (int i = 0; i < 16; ++i) {
    table[i] = static_cast<uint8_t>(kIq4Values[i] + (kUnsignedDot ? 128 : 0));
  }
  return hn::TableLookupBytes(hn::LoadDup128(d, table), nibbles);
}

template <>
struct Weights<DType::kIQ4_NL> : SimpleWeights<BlockIQ4_NL, QuantForm::kScale> {
  static constexpr bool kWide = true;
  static constexpr int kRaw = 128;
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const VU8 nibbles = LoadRows(rows, kI, b * kBytes + 2);
    lo = Codebook(LowNibbles(nibbles));
    hi = Codebook(HighNibbles(nibbles));
  }
};

// What to add to a dot of raw bytes with activations so that it becomes the signed sum: bias is
// −128·Σx.
template <class W>
HWY_INLINE VI Surplus(int32_t bias) {
  if constexpr (W::kForm == QuantForm::kMin || W::kForm == QuantForm::kTwoMin ||
                (W::kWide && !kUnsignedDot)) {
    return hn::Zero(DI());
  } else {
    return hn::Set(DI(), (bias >> 7) * W::kRaw);
  }
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
