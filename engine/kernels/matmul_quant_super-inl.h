// Traits of the super-block types (256 elements; small integer scales under one or two f16), as
// matmul_quant_types-inl.h describes them. Scales of all rows are taken apart in the lanes of one
// vector.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUPER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUPER_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUPER_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_SUPER_INL_H_
#endif

#include "engine/kernels/matmul_quant_types-inl.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

using DU = hn::RebindToUnsigned<DI>;
using VU = hn::Vec<DU>;

// The 4·kN bytes at `offset` of every row, as dwords: to[k] holds dword k, lane = row.
template <size_t kN>
HWY_INLINE void GatherU32(const RowGroup& rows, size_t offset, VU* to) {
  HWY_ALIGN uint32_t bits[kN * kGroup];
  Unroll<kGroup>([&](auto r) SMALLMIND_LAMBDA {
    const uint8_t* from = rows.Row(r % 4, r / 4) + offset;
    Unroll<kN>([&](auto k)
                   SMALLMIND_LAMBDA { std::memcpy(&bits[k * kGroup + r], from + 4 * k, 4); });
  });
  for (size_t k = 0; k < kN; ++k) to[k] = hn::Load(DU(), bits + k * kGroup);
}

// The low halves of the lanes, as f16.
HWY_INLINE VF LowHalves(VU v) {
  const hn::Rebind<uint16_t, DF> d16;
  const hn::Rebind<hwy::float16_t, DF> dh;
  return hn::PromoteTo(DF(), hn::BitCast(dh, hn::TruncateTo(d16, v)));
}

HWY_INLINE VU Masked(VU v, uint32_t mask) { return hn::And(v, hn::Set(DU(), mask)); }

// Byte kByte of each lane, 0..255.
template <int kByte>
HWY_INLINE VI Byte(VU v) {
  return hn::BitCast(DI(), Masked(hn::ShiftRight<8 * kByte>(v), 0xff));
}
template <int kByte>
HWY_INLINE VI SignedByte(VU v) {
  return hn::ShiftRight<24>(hn::ShiftLeft<24 - 8 * kByte>(hn::BitCast(DI(), v)));
}

HWY_INLINE VU8 ShiftedBits(VU8 v, size_t shift, uint8_t mask) {
  const auto moved = hn::ShiftRightSame(hn::BitCast(DU16(), v), static_cast<int>(shift));
  return hn::And(hn::BitCast(DU8(), moved), hn::Set(DU8(), mask));
}
template <int kBits>
HWY_INLINE VU8 ShiftedUp(VU8 v) {  // nothing may cross a byte
  return hn::BitCast(DU8(), hn::ShiftLeft<kBits>(hn::BitCast(DU16(), v)));
}

template <class Block, QuantForm kTheForm>
struct SuperWeights {
  static constexpr QuantForm kForm = kTheForm;
  static constexpr size_t kColumns = 256;
  static constexpr size_t kBytes = sizeof(Block);
};

// Q4_K and Q5_K: the packed 6-bit scales and minima (blocks.h, UnpackScaleMinK4), four in a dword.
inline HWY_NOINLINE void ScalesK4(const RowGroup& rows, size_t at, Factors& to) {
  const DF df;
  VU w[4];  // d and dmin; then the 12 packed bytes
  GatherU32<4>(rows, at, w);
  const VF d = LowHalves(w[0]), dmin = LowHalves(hn::ShiftRight<16>(w[0]));
  const VU scales[2] = {
      Masked(w[1], 0x3f3f3f3f),
      hn::Or(Masked(w[3], 0x0f0f0f0f), Masked(hn::ShiftRight<2>(w[1]), 0x30303030))};
  const VU mins[2] = {Masked(w[2], 0x3f3f3f3f),
                      hn::Or(Masked(hn::ShiftRight<4>(w[3]), 0x0f0f0f0f),
                             Masked(hn::ShiftRight<2>(w[2]), 0x30303030))};
  Unroll<8>([&](auto s) SMALLMIND_LAMBDA {
    hn::Store(hn::Mul(d, hn::ConvertTo(df, Byte<s % 4>(scales[s / 4]))), df, to.scale + s * kGroup);
    hn::Store(hn::Mul(dmin, hn::ConvertTo(df, Byte<s % 4>(mins[s / 4]))), df,
              to.second + s * kGroup);
  });
}

template <>
struct Weights<DType::kQ4_K> : SuperWeights<BlockQ4_K, QuantForm::kMin> {
  static constexpr bool kWide = false;
  static constexpr int kRaw = 0;
  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t, Factors& to) {
    ScalesK4(rows, b0 / 8 * kBytes, to);
  }
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const size_t at = b / 8 * kBytes + offsetof(BlockQ4_K, qs) + b % 8 / 2 * 32;
    lo = ShiftedBits(LoadRows(rows, kI, at), b % 2 * 4, 15);
    hi = ShiftedBits(LoadRows(rows, kI, at + 16), b % 2 * 4, 15);
  }
};

template <>
struct Weights<DType::kQ5_K> : SuperWeights<BlockQ5_K, QuantForm::kMin> {
  static constexpr bool kWide = false;
  static constexpr int kRaw = 0;
  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t, Factors& to) {
    ScalesK4(rows, b0 / 8 * kBytes, to);
  }
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const size_t block = b / 8 * kBytes;
    const size_t at = block + offsetof(BlockQ5_K, qs) + b % 8 / 2 * 32;
    const size_t high = block + offsetof(BlockQ5_K, qh);
    lo = hn::Or(ShiftedBits(LoadRows(rows, kI, at), b % 2 * 4, 15),
                ShiftedUp<4>(ShiftedBits(LoadRows(rows, kI, high), b % 8, 1)));
    hi = hn::Or(ShiftedBits(LoadRows(rows, kI, at + 16), b % 2 * 4, 15),
                ShiftedUp<4>(ShiftedBits(LoadRows(rows, kI, high + 16), b % 8, 1)));
  }
};

template <>
struct Weights<DType::kQ6_K> : SuperWeights<BlockQ6_K, QuantForm::kTwoScale> {
  static constexpr bool kWide = false;
  static constexpr int kRaw = 32;
  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t, Factors& to) {
    const DF df;
    const size_t block = b0 / 8 * kBytes;
    VU w[4], last[1];
    GatherU32<4>(rows, block + offsetof(BlockQ6_K, scales), w);
    GatherU32<1>(rows, block + offsetof(BlockQ6_K, d) - 2, last);  // ends with the block
    const VF d = LowHalves(hn::ShiftRight<16>(last[0]));
    Unroll<8>([&](auto s) SMALLMIND_LAMBDA {
      const VU four = w[s / 2];
      hn::Store(hn::Mul(d, hn::ConvertTo(df, SignedByte<2 * (s % 2)>(four))), df,
                to.scale + s * kGroup);
      hn::Store(hn::Mul(d, hn::ConvertTo(df, SignedByte<2 * (s % 2) + 1>(four))), df,
                to.second + s * kGroup);
    });
  }
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const size_t half = b % 8 / 4, plane = b % 4, block = b / 8 * kBytes;
    const size_t at = block + 64 * half + 32 * (plane % 2);
    const size_t high = block + offsetof(BlockQ6_K, qh) + 32 * half;
    lo = hn::Or(ShiftedBits(LoadRows(rows, kI, at), plane / 2 * 4, 15),
                ShiftedUp<4>(ShiftedBits(LoadRows(rows, kI, high), 2 * plane, 3)));
    hi = hn::Or(ShiftedBits(LoadRows(rows, kI, at + 16), plane / 2 * 4, 15),
                ShiftedUp<4>(ShiftedBits(LoadRows(rows, kI, high + 16), 2 * plane, 3)));
  }
};

template <>
struct Weights<DType::kIQ4_XS> : SuperWeights<BlockIQ4_XS, QuantForm::kScale> {
  static constexpr bool kWide = true;
  static constexpr int kRaw = 128;
  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t, Factors& to) {
    const DF df;
    VU w[2];  // d and scales_h; scales_l
    GatherU32<2>(rows, b0 / 8 * kBytes, w);
    const VF d = LowHalves(w[0]);
    Unroll<8>([&](auto s) SMALLMIND_LAMBDA {
      const VU low = Masked(hn::ShiftRight<4 * s>(w[1]), 15);
      const VU high = Masked(hn::ShiftRight<16 + 2 * s>(w[0]), 3);
      const VI scale =
          hn::Sub(hn::BitCast(DI(), hn::Or(low, hn::ShiftLeft<4>(high))), hn::Set(DI(), 32));
      hn::Store(hn::Mul(d, hn::ConvertTo(df, scale)), df, to.scale + s * kGroup);
    });
  }
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors&, VU8& lo, VU8& hi) {
    const VU8 nibbles = LoadRows(rows, kI, b / 8 * kBytes + offsetof(BlockIQ4_XS, qs) + b % 8 * 16);
    lo = Codebook(LowNibbles(nibbles));
    hi = Codebook(HighNibbles(nibbles));
  }
};

// A lane's low half twice: what int16 multiplications take.
HWY_INLINE VI Doubled(VI v) {
  return hn::Or(hn::And(v, hn::Set(DI(), 0xffff)), hn::ShiftLeft<16>(v));
}

// The steps of rows kI, 4+kI, …: each fills its 16-byte block.
template <size_t kI>
HWY_INLINE hn::Vec<DI16> Step(const Factors& f, size_t s, size_t half) {
  const VI rows = hn::Load(DI(), f.steps + (2 * s + half) * kGroup);
  return hn::BitCast(DI16(), hn::Broadcast<kI>(rows));
}

template <>
struct Weights<DType::kQ2_K> : SuperWeights<BlockQ2_K, QuantForm::kTwoMin> {
  static constexpr bool kWide = false;
  static constexpr int kRaw = 0;
  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t, Factors& to) {
    const DF df;
    const DI di;
    VU w[4], last[1];
    GatherU32<4>(rows, b0 / 8 * kBytes, w);
    GatherU32<1>(rows, b0 / 8 * kBytes + offsetof(BlockQ2_K, d), last);
    const VF d = LowHalves(last[0]);
    const VF dmin = hn::Mul(LowHalves(hn::ShiftRight<16>(last[0])), hn::Set(df, 1.0f / 128));
    Unroll<16>([&](auto s) SMALLMIND_LAMBDA {
      const VI both = Byte<s % 4>(w[s / 4]);
      hn::Store(Doubled(hn::And(both, hn::Set(di, 15))), di, to.steps + s * kGroup);
      hn::Store(hn::ShiftRight<4>(both), di, to.mins + s * kGroup);
    });
    for (size_t s = 0; s < 8; ++s) {
      hn::Store(d, df, to.scale + s * kGroup);
      hn::Store(dmin, df, to.second + s * kGroup);
    }
  }
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors& f, VU8& lo,
                                VU8& hi) {
    const size_t s = b % 8;
    const size_t at = b / 8 * kBytes + offsetof(BlockQ2_K, qs) + 32 * (s / 4);
    // Products are at most 45: one int16 multiplication serves two bytes.
    const auto times = [&](VU8 q, size_t half) SMALLMIND_LAMBDA {
      return hn::BitCast(DU8(), hn::Mul(hn::BitCast(DI16(), q), Step<kI>(f, s, half)));
    };
    lo = times(ShiftedBits(LoadRows(rows, kI, at), s % 4 * 2, 3), 0);
    hi = times(ShiftedBits(LoadRows(rows, kI, at + 16), s % 4 * 2, 3), 1);
  }
};

// Products are −124 … 128. They are stored negated, which fits int8, with d negated as well: the
// same result.
template <>
struct Weights<DType::kQ3_K> : SuperWeights<BlockQ3_K, QuantForm::kScale> {
  static constexpr bool kWide = true;
  static constexpr int kRaw = 128;
  static HWY_NOINLINE void Scales(const RowGroup& rows, size_t b0, size_t, Factors& to) {
    const DF df;
    const DI di;
    const size_t block = b0 / 8 * kBytes;
    VU w[3], last[1];
    GatherU32<3>(rows, block + offsetof(BlockQ3_K, scales), w);
    GatherU32<1>(rows, block + offsetof(BlockQ3_K, d) - 2, last);  // ends with the block
    const VF d = hn::Neg(LowHalves(hn::ShiftRight<16>(last[0])));
    // Low nibbles of scales 0-7, then 8-15, are in dwords 0 and 1; two high bits of each four in
    // dword 2.
    Unroll<4>([&](auto k) SMALLMIND_LAMBDA {
      const VU low = Masked(hn::ShiftRight<k / 2 * 4>(w[k % 2]), 0x0f0f0f0f);
      const VU high = Masked(hn::ShiftRight<2 * k>(w[2]), 0x03030303);
      const VU four = hn::Or(low, hn::ShiftLeft<4>(high));
      Unroll<4>([&](auto i) SMALLMIND_LAMBDA {
        const VI step = hn::Sub(Byte<i>(four), hn::Set(di, 32));
        hn::Store(Doubled(step), di, to.steps + (4 * k + i) * kGroup);
      });
    });
    for (size_t s = 0; s < 8; ++s) hn::Store(d, df, to.scale + s * kGroup);
  }
  template <size_t kI>
  static HWY_INLINE void Quants(const RowGroup& rows, size_t b, const Factors& f, VU8& lo,
                                VU8& hi) {
    const DI16 di16;
    const size_t s = b % 8, block = b / 8 * kBytes;
    const size_t at = block + offsetof(BlockQ3_K, qs) + 32 * (s / 4);
    const auto product = [&](size_t half) SMALLMIND_LAMBDA {
      const VU8 low = ShiftedBits(LoadRows(rows, kI, at + 16 * half), s % 4 * 2, 3);
      const VU8 high = ShiftedBits(LoadRows(rows, kI, block + 16 * half), s, 1);
      const auto q = hn::BitCast(di16, hn::Or(low, ShiftedUp<2>(high)));
      const auto step = Step<kI>(f, s, half);
      const auto four = hn::Set(di16, int16_t{4});
      const auto even = hn::Mul(hn::Sub(four, hn::And(q, hn::Set(di16, int16_t{0xff}))), step);
      const auto odd = hn::Mul(hn::Sub(four, hn::ShiftRight<8>(q)), step);
      const auto bytes = hn::BitCast(
          DU8(), hn::Or(hn::And(even, hn::Set(di16, int16_t{0xff})), hn::ShiftLeft<8>(odd)));
      return kUnsignedDot ? hn::Xor(bytes, hn::Set(DU8(), uint8_t{0x80})) : bytes;
    };
    lo = product(0);
    hi = product(1);
  }
};

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
