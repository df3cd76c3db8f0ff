// Traits of the super-block types (256 elements; small integer scales under one or two f16), as
// matmul_quant_types-inl.h describes them. A chunk is one super-block of every row: its scales are
// taken apart in the lanes of one vector, and every stored byte is loaded once.
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

// The 4·kN bytes at `offset` of every row, as dwords: to[k] holds dword k, lane = row. Four are
// read as one vector and transposed, a third of the instructions.
template <size_t kN>
HWY_INLINE void GatherU32(const RowGroup& rows, size_t offset, VU* to) {
  if constexpr (kN == 4) {
    VI v[4];
    Unroll<4>([&](size_t i)
                  SMALLMIND_LAMBDA { v[i] = hn::BitCast(DI(), LoadRows(rows, i, offset)); });
    hn::Vec<DI64> dwords[4];
    TransposeBlocks(v[0], v[1], v[2], v[3], dwords);
    Unroll<4>([&](size_t k) SMALLMIND_LAMBDA { to[k] = hn::BitCast(DU(), dwords[k]); });
  } else {
    HWY_ALIGN uint32_t bits[kN * kGroup];
    Unroll<kGroup>([&](size_t r) SMALLMIND_LAMBDA {
      const uint8_t* from = rows.Row(r % 4, r / 4) + offset;
      Unroll<kN>([&](size_t k)
                     SMALLMIND_LAMBDA { std::memcpy(&bits[k * kGroup + r], from + 4 * k, 4); });
    });
    for (size_t k = 0; k < kN; ++k) to[k] = hn::Load(DU(), bits + k * kGroup);
  }
}

template <size_t kN>
HWY_INLINE void GatherU32(const PackedRows& rows, size_t offset, VU* to) {
  Unroll<kN>([&](size_t k)
                 SMALLMIND_LAMBDA { to[k] = rows.Load(DU(), kPackedRows * (offset + 4 * k)); });
}

// The f16 at `offset` of every row, with which a block ends.
HWY_INLINE VF HalfAt(const RowGroup& rows, size_t offset) {
  VU last[1];
  GatherU32<1>(rows, offset - 2, last);
  return LowHalves(hn::ShiftRight<16>(last[0]));
}
HWY_INLINE VF HalfAt(const PackedRows& rows, size_t offset) {
  return Promote(rows.Load(Halves(), kPackedRows * offset));
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

// Bits kShift and up of each byte, under a mask of 8 − kShift bits at most. What crosses a byte is
// masked away.
template <int kShift>
HWY_INLINE VU8 Bits(VU8 v, uint8_t mask) {
  return hn::And(hn::BitCast(DU8(), hn::ShiftRight<kShift>(hn::BitCast(DU16(), v))),
                 hn::Set(DU8(), mask));
}
// The same moved up.
template <int kShift>
HWY_INLINE VU8 BitsUp(VU8 v, uint8_t mask) {
  return hn::And(hn::BitCast(DU8(), hn::ShiftLeft<kShift>(hn::BitCast(DU16(), v))),
                 hn::Set(DU8(), mask));
}
HWY_INLINE VU8 Down(VU8 v, int bits) {
  return hn::BitCast(DU8(), hn::ShiftRightSame(hn::BitCast(DU16(), v), bits));
}

// 32 bytes of every row at `at`, as LoadRows has them: v[half][i].
struct RowBytes {
  VU8 v[2][4];
  HWY_INLINE RowBytes(const auto& rows, size_t at) {
    Unroll<2>([&](size_t half) SMALLMIND_LAMBDA {
      Unroll<4>([&](size_t i) SMALLMIND_LAMBDA { v[half][i] = LoadRows(rows, i, at + 16 * half); });
    });
  }
};

template <class Block, QuantForm kTheForm>
struct SuperWeights {
  static constexpr QuantForm kForm = kTheForm;
  static constexpr size_t kColumns = 256;
  static constexpr size_t kBytes = sizeof(Block);
};

// Q4_K and Q5_K: the packed 6-bit scales and minima (blocks.h, UnpackScaleMinK4), four in a dword.
template <class Rows, class Sink>
HWY_NOINLINE void ScalesK4(const Rows& rows, size_t at, Sink& to) {
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
    to.StoreScale(s, hn::Mul(d, hn::ConvertTo(df, Byte<s % 4>(scales[s / 4]))));
    to.StoreSecond(s, hn::Mul(dmin, hn::ConvertTo(df, Byte<s % 4>(mins[s / 4]))));
  });
}

template <>
struct Weights<DType::kQ4_K> : SuperWeights<BlockQ4_K, QuantForm::kMin> {
  static constexpr int kMost = 15;
  static constexpr int kRaw = 0;
  template <class Sink>
  static auto Decode(const auto& rows, size_t b0, size_t, auto ahead, Sink& to) {
    const size_t block = b0 / 8 * kBytes;
    ScalesK4(rows, block, to);
    for (size_t p = 0; p < 4; ++p) {
      for (int k = 0; k < 2; ++k) ahead.Fetch();
      const RowBytes q(rows, block + offsetof(BlockQ4_K, qs) + 32 * p);
      to.Put(2 * p,
             [&](size_t half, size_t i) SMALLMIND_LAMBDA { return LowNibbles(q.v[half][i]); });
      to.Put(2 * p + 1,
             [&](size_t half, size_t i) SMALLMIND_LAMBDA { return HighNibbles(q.v[half][i]); });
    }
    return ahead;
  }
};

template <>
struct Weights<DType::kQ5_K> : SuperWeights<BlockQ5_K, QuantForm::kMin> {
  static constexpr int kMost = 31;
  static constexpr int kRaw = 0;
  template <class Sink>
  static auto Decode(const auto& rows, size_t b0, size_t, auto ahead, Sink& to) {
    const size_t block = b0 / 8 * kBytes;
    ScalesK4(rows, block, to);
    const RowBytes qh(rows, block + offsetof(BlockQ5_K, qh));
    for (size_t p = 0; p < 4; ++p) {
      for (int k = 0; k < 2; ++k) ahead.Fetch();
      const RowBytes q(rows, block + offsetof(BlockQ5_K, qs) + 32 * p);
      const auto fifth = [&](size_t half, size_t i) SMALLMIND_LAMBDA {
        return Down(qh.v[half][i], 2 * static_cast<int>(p));
      };
      to.Put(2 * p, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
        return hn::Or(LowNibbles(q.v[half][i]), BitsUp<4>(fifth(half, i), 16));
      });
      to.Put(2 * p + 1, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
        return hn::Or(HighNibbles(q.v[half][i]), BitsUp<3>(fifth(half, i), 16));
      });
    }
    return ahead;
  }
};

template <>
struct Weights<DType::kQ6_K> : SuperWeights<BlockQ6_K, QuantForm::kTwoScale> {
  static constexpr int kMost = 63;
  static constexpr int kRaw = 32;
  template <class Sink>
  static auto Decode(const auto& rows, size_t b0, size_t, auto ahead, Sink& to) {
    const DF df;
    const size_t block = b0 / 8 * kBytes;
    VU w[4];
    GatherU32<4>(rows, block + offsetof(BlockQ6_K, scales), w);
    const VF d = HalfAt(rows, block + offsetof(BlockQ6_K, d));
    Unroll<8>([&](auto s) SMALLMIND_LAMBDA {
      const VU four = w[s / 2];
      to.StoreScale(s, hn::Mul(d, hn::ConvertTo(df, SignedByte<2 * (s % 2)>(four))));
      to.StoreSecond(s, hn::Mul(d, hn::ConvertTo(df, SignedByte<2 * (s % 2) + 1>(four))));
    });
    for (size_t part = 0; part < 2; ++part) {  // of 128 columns
      const RowBytes high(rows, block + offsetof(BlockQ6_K, qh) + 32 * part);
      Unroll<2>([&](auto odd) SMALLMIND_LAMBDA {
        for (int k = 0; k < 2; ++k) ahead.Fetch();
        const RowBytes q(rows, block + 64 * part + 32 * odd);
        to.Put(4 * part + odd, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
          return hn::Or(LowNibbles(q.v[half][i]), BitsUp<4 - 2 * odd>(high.v[half][i], 0x30));
        });
        to.Put(4 * part + 2 + odd, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
          return hn::Or(HighNibbles(q.v[half][i]), Bits<2 * odd>(high.v[half][i], 0x30));
        });
      });
    }
    return ahead;
  }
};

template <>
struct Weights<DType::kIQ4_XS> : SuperWeights<BlockIQ4_XS, QuantForm::kScale> {
  static constexpr int kMost = kAllBits;
  static constexpr int kRaw = kUnsignedDot ? 128 : 0;
  template <class Sink>
  static auto Decode(const RowGroup& rows, size_t b0, size_t, auto ahead, Sink& to) {
    const DF df;
    const size_t block = b0 / 8 * kBytes;
    VU w[4];  // d and scales_h; scales_l; what follows
    GatherU32<4>(rows, block, w);
    const VF d = LowHalves(w[0]);
    Unroll<8>([&](auto s) SMALLMIND_LAMBDA {
      const VU low = Masked(hn::ShiftRight<4 * s>(w[1]), 15);
      const VU high = Masked(hn::ShiftRight<16 + 2 * s>(w[0]), 3);
      const VI scale =
          hn::Sub(hn::BitCast(DI(), hn::Or(low, hn::ShiftLeft<4>(high))), hn::Set(DI(), 32));
      to.StoreScale(s, hn::Mul(d, hn::ConvertTo(df, scale)));
    });
    for (size_t b = 0; b < 8; ++b) {
      ahead.Fetch();
      VU8 nibbles[4];
      Unroll<4>([&](size_t i) SMALLMIND_LAMBDA {
        nibbles[i] = LoadRows(rows, i, block + offsetof(BlockIQ4_XS, qs) + 16 * b);
      });
      to.Put(b, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
        return Codebook(half == 0 ? LowNibbles(nibbles[i]) : HighNibbles(nibbles[i]));
      });
    }
    return ahead;
  }
};

// A lane's low half twice: what int16 multiplications take.
HWY_INLINE VI Doubled(VI v) {
  return hn::Or(hn::And(v, hn::Set(DI(), 0xffff)), hn::ShiftLeft<16>(v));
}

// Integer scales of half blocks of 16 columns, lane = row, each as two equal int16.
struct Steps {
  HWY_ALIGN int32_t of[16][kGroup];
};
// Those of rows i, 4+i, …: each fills its 16-byte block.
HWY_INLINE hn::Vec<DI16> Step(const Steps& steps, size_t half_block, size_t i) {
  const VI all = hn::Load(DI(), steps.of[half_block]);
  return hn::BitCast(DI16(), i == 0   ? hn::Broadcast<0>(all)
                             : i == 1 ? hn::Broadcast<1>(all)
                             : i == 2 ? hn::Broadcast<2>(all)
                                      : hn::Broadcast<3>(all));
}

template <>
struct Weights<DType::kQ2_K> : SuperWeights<BlockQ2_K, QuantForm::kTwoMin> {
  static constexpr int kMost = 45;
  static constexpr int kRaw = 0;
  template <class Sink>
  static auto Decode(const RowGroup& rows, size_t b0, size_t, auto ahead, Sink& to) {
    const DF df;
    const DI di;
    const size_t block = b0 / 8 * kBytes;
    VU w[4], last[1];
    GatherU32<4>(rows, block, w);
    GatherU32<1>(rows, block + offsetof(BlockQ2_K, d), last);
    const VF d = LowHalves(last[0]);
    const VF dmin = hn::Mul(LowHalves(hn::ShiftRight<16>(last[0])), hn::Set(df, 1.0f / 128));
    Steps steps;
    Unroll<16>([&](auto s) SMALLMIND_LAMBDA {
      const VI both = Byte<s % 4>(w[s / 4]);
      hn::Store(Doubled(hn::And(both, hn::Set(di, 15))), di, steps.of[s]);
      to.StoreMin(s / 2, s % 2, hn::ShiftRight<4>(both));
    });
    for (size_t s = 0; s < 8; ++s) {
      to.StoreScale(s, d);
      to.StoreSecond(s, dmin);
    }
    for (size_t part = 0; part < 2; ++part) {  // of 128 columns
      const RowBytes q(rows, block + offsetof(BlockQ2_K, qs) + 32 * part);
      Unroll<4>([&](auto plane) SMALLMIND_LAMBDA {
        ahead.Fetch();
        const size_t b = 4 * part + plane;
        const auto bits = [&](size_t half, size_t i)
                              SMALLMIND_LAMBDA { return Bits<2 * plane>(q.v[half][i], 3); };
        if constexpr (Sink::kTakesSteps) {
          to.template PutStepped<0>(b, bits, steps.of + 2 * b);
        } else {
          // Products are at most 45: one int16 multiplication serves two bytes.
          to.Put(b, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
            const auto two = hn::BitCast(DI16(), bits(half, i));
            return hn::BitCast(DU8(), hn::Mul(two, Step(steps, 2 * b + half, i)));
          });
        }
      });
    }
    return ahead;
  }
};

// Products are −124 … 128. As bytes they are negated, which fits int8, with d negated as well: the
// same result.
template <>
struct Weights<DType::kQ3_K> : SuperWeights<BlockQ3_K, QuantForm::kScale> {
  static constexpr int kMost = kAllBits;
  static constexpr int kRaw = kUnsignedDot ? 128 : 0;

  // (4 − q)·step of every byte q, 0..7.
  static HWY_INLINE VU8 Products(VU8 q, hn::Vec<DI16> step) {
    const DI16 di16;
    const auto four = hn::Set(di16, int16_t{4}), low_byte = hn::Set(di16, int16_t{0xff});
    const auto pairs = hn::BitCast(di16, q);
    const auto even = hn::Mul(hn::Sub(four, hn::And(pairs, low_byte)), step);
    const auto odd = hn::Mul(hn::Sub(four, hn::ShiftRight<8>(pairs)), step);
    const auto bytes = hn::BitCast(DU8(), hn::Or(hn::And(even, low_byte), hn::ShiftLeft<8>(odd)));
    return kUnsignedDot ? hn::Xor(bytes, hn::Set(DU8(), uint8_t{0x80})) : bytes;
  }

  template <class Sink>
  static auto Decode(const RowGroup& rows, size_t b0, size_t, auto ahead, Sink& to) {
    const DI di;
    const size_t block = b0 / 8 * kBytes;
    VU w[3];
    GatherU32<3>(rows, block + offsetof(BlockQ3_K, scales), w);
    const VF d = HalfAt(rows, block + offsetof(BlockQ3_K, d));
    // Low nibbles of scales 0-7, then 8-15, are in dwords 0 and 1; two high bits of each four in
    // dword 2.
    Steps steps;
    Unroll<4>([&](auto k) SMALLMIND_LAMBDA {
      const VU low = Masked(hn::ShiftRight<k / 2 * 4>(w[k % 2]), 0x0f0f0f0f);
      const VU high = Masked(hn::ShiftRight<2 * k>(w[2]), 0x03030303);
      const VU four = hn::Or(low, hn::ShiftLeft<4>(high));
      Unroll<4>([&](auto i) SMALLMIND_LAMBDA {
        hn::Store(Doubled(hn::Sub(Byte<i>(four), hn::Set(di, 32))), di, steps.of[4 * k + i]);
      });
    });
    for (size_t s = 0; s < 8; ++s) to.StoreScale(s, Sink::kTakesSteps ? d : hn::Neg(d));
    for (size_t part = 0; part < 2; ++part) {  // of 128 columns
      const RowBytes q(rows, block + offsetof(BlockQ3_K, qs) + 32 * part), hmask(rows, block);
      Unroll<4>([&](auto plane) SMALLMIND_LAMBDA {
        ahead.Fetch();
        const size_t b = 4 * part + plane;
        const auto bits = [&](size_t half, size_t i) SMALLMIND_LAMBDA {
          const VU8 third = Down(hmask.v[half][i], 4 * static_cast<int>(part));
          const VU8 high = hn::And(Shifted<plane>(third), hn::Set(DU8(), uint8_t{4}));
          return hn::Or(Bits<2 * plane>(q.v[half][i], 3), high);
        };
        if constexpr (Sink::kTakesSteps) {
          to.template PutStepped<4>(b, bits, steps.of + 2 * b);
        } else {
          to.Put(b, [&](size_t half, size_t i) SMALLMIND_LAMBDA {
            return Products(bits(half, i), Step(steps, 2 * b + half, i));
          });
        }
      });
    }
    return ahead;
  }
  // Bit kPlane of each byte to bit 2; the others are anything.
  template <int kPlane>
  static HWY_INLINE VU8 Shifted(VU8 v) {
    const auto pairs = hn::BitCast(DU16(), v);
    if constexpr (kPlane <= 2) {
      return hn::BitCast(DU8(), hn::ShiftLeft<2 - kPlane>(pairs));
    } else {  // not instantiated for the others: a negative shift does not compile without SIMD
      return hn::BitCast(DU8(), hn::ShiftRight<kPlane - 2>(pairs));
    }
  }
};

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
