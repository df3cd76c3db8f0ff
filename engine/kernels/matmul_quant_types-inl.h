// What the kernels need to know of each simple block type (32 elements, one f16 scale): how a group
// of rows becomes bytes for dots and float factors.
//
// A type is one trait:
//   kBytes, kColumns  of its storage block
//   kForm   which factors there are (order.h). A scale has at most 19 significant bits, and the sum
//           of 32 columns stays below 2^22: Factor (matmul_quant_dot-inl.h) rests on both
//   kMost   the largest byte, as stored; kAllBits where they need all 8: DotsInPairs
//   kRaw    what a byte is above its signed value (0 for types with a minimum)
//   Decode  blocks b0 … b0 + n of a group, n ≤ 8 and 8 but for the last of a row, to a sink:
//           to.Put(block, bytes) with bytes(half, i), a block's vectors as Dot takes them, and the
//           float factors of the order contract by Store…. Calls ahead.Fetch() n times, spread over
//           its work; `ahead` is an Ahead, or one of matmul_quant_gemv-inl.h. Integer steps of
//           half blocks are multiplied into the bytes, or go to to.PutStepped (kTakesSteps).
//           Returns `ahead`, which goes on. A block's factors are stored before its bytes are put
//           where kWholeRows. Rows are a RowGroup, or PackedRows where
//           the type can be packed.
// A sink is what the product needs: Dots (matmul_quant_gemv-inl.h) multiplies the bytes where they
// are, in registers; Panel (matmul_quant_panel-inl.h) transposes and stores them (kStoresBytes) for
// many tokens.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_TYPES_INL_H_
#endif

#include <type_traits>

#include "engine/kernels/matmul_quant.h"
#include "engine/kernels/matmul_quant_dot-inl.h"
#include "engine/tensor/blocks.h"
#include "engine/tensor/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {

constexpr size_t kMaxChunk = 8;  // blocks of 32 columns of a chunk
constexpr int kAllBits = 255;

// Where a group's factors are gathered block by block, rows are taken whole and sums as they come
// (matmul_quant_sums-inl.h; Zen 4 without AVX-512, from cache: Q4_0 1.23, Q8_0 1.19 times as fast
// as by chunks of 8 blocks).
constexpr bool kWholeRows = kGroup <= 8;

HWY_INLINE VU8 LowNibbles(VU8 v) { return hn::And(v, hn::Set(DU8(), uint8_t{15})); }
HWY_INLINE VU8 HighNibbles(VU8 v) {
  return LowNibbles(hn::BitCast(DU8(), hn::ShiftRight<4>(hn::BitCast(DU16(), v))));
}

// Collects the 32 bits at `offset` of every row. kScalar: by general registers and a store each,
// also where GCC would rather insert into vectors, of which a read of each keeps it (in cache, Zen
// 5: Q4_0 and IQ4_NL 1.23, Q8_0 1.1 times as fast). Apart from what reads them as vectors, so that
// other work is between: a vector load has to wait until narrower stores before it have left for
// the cache.
template <bool kScalar>
HWY_INLINE void Gather(const RowGroup& rows, size_t offset, uint32_t* HWY_RESTRICT bits) {
  Unroll<kGroup>([&](size_t r) SMALLMIND_LAMBDA {
    uint32_t one;
    std::memcpy(&one, rows.Row(r % 4, r / 4) + offset, sizeof(one));
    bits[r] = one;
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
    if constexpr (kScalar) asm("" : "+m"(bits[r]));
#endif
  });
}

using DU = hn::RebindToUnsigned<DI>;
using VU = hn::Vec<DU>;

// One f16 of every row.
using Halves = hn::Rebind<uint16_t, DF>;
using VHalves = hn::Vec<Halves>;

// f16 to float32 is exact.
HWY_INLINE VF Promote(VHalves bits) {
  const hn::Rebind<hwy::float16_t, DF> dh;
  return hn::PromoteTo(DF(), hn::BitCast(dh, bits));
}
// The low halves of the lanes, as f16.
HWY_INLINE VF LowHalves(VU v) { return Promote(hn::TruncateTo(Halves(), v)); }

// Blocks of so many bytes of which 64 bytes hold the first f16 of four, and eight no less than two
// such loads.
template <size_t kBytes>
constexpr bool kFourALoad =
    kGroup == 16 && kBytes % 2 == 0 && 3 * kBytes + 2 <= 64 && 4 * kBytes >= 64;

// The f16 that begin the eight blocks at `offset` of sixteen rows: block b's to fn(b, halves),
// lane = row. By lookups in whole vectors, without Gather's 128 loads and stores (one token of
// Q4_0 from cache 1.12, of IQ4_NL 1.04 times as fast on Zen 5; with two blocks a load, as of Q8_0,
// 0.98).
template <size_t kBytes>
HWY_INLINE void GatherChunk(const RowGroup& rows, size_t offset, auto fn) {
  const hn::Repartition<uint16_t, DF> d;
  using V = hn::Vec<decltype(d)>;
  // Of 32 words: where a row's eight are in its two loads, repeated; then those of eight rows in
  // two vectors of four, of sixteen in two vectors of eight.
  struct Places {
    HWY_ALIGN uint16_t row[32], eight[32], sixteen[32];
  };
  static constexpr Places kAt = [] {
    Places at{};
    for (size_t i = 0; i < 32; ++i) {
      const size_t b = i % 8, r = i % 8;
      at.row[i] = static_cast<uint16_t>(b / 4 * 32 + b % 4 * kBytes / 2);
      at.eight[i] = static_cast<uint16_t>(r / 4 * 32 + r % 4 * 8 + i / 8);
      at.sixteen[i] = static_cast<uint16_t>(i % 16 / 8 * 32 + i / 16 * 8 + r);
    }
    return at;
  }();
  const auto lookup = [&](V a, V b, const uint16_t* at, size_t more) SMALLMIND_LAMBDA {
    const V index = hn::Add(hn::Load(d, at), hn::Set(d, static_cast<uint16_t>(more)));
    return hn::TwoTablesLookupLanes(d, a, b, hn::IndicesFromVec(d, index));
  };
  const auto row = [&](size_t r) SMALLMIND_LAMBDA {
    const uint8_t* at = rows.Row(r % 4, r / 4) + offset;
    const auto load = [&](size_t b) SMALLMIND_LAMBDA {
      return hn::LoadU(d, reinterpret_cast<const uint16_t*>(at + b * kBytes));
    };
    return lookup(load(0), load(4), kAt.row, 0);
  };
  const auto four = [&](size_t r) SMALLMIND_LAMBDA {
    return hn::ConcatUpperLower(d, hn::OddEvenBlocks(row(r + 3), row(r + 2)),
                                hn::OddEvenBlocks(row(r + 1), row(r)));
  };
  const V r0 = four(0), r4 = four(4), r8 = four(8), r12 = four(12);
  Unroll<2>([&](size_t half) SMALLMIND_LAMBDA {
    const V low = lookup(r0, r4, kAt.eight, 4 * half), high = lookup(r8, r12, kAt.eight, 4 * half);
    Unroll<2>([&](size_t pair) SMALLMIND_LAMBDA {
      const V both = lookup(low, high, kAt.sixteen, 16 * pair);
      const size_t b = 4 * half + 2 * pair;
      fn(b, hn::LowerHalf(Halves(), both));
      fn(b + 1, hn::UpperHalf(Halves(), both));
    });
  });
}

// The f16 at `offset` of every row of up to eight. Row r is read r lanes before, which puts its own
// into lane r, and three rounds of choosing between neighbours leave one vector: no insert, and no
// way through memory. The r lanes before it lie in the r rows before, and those after it in the
// rows after: inside the group.
HWY_INLINE VHalves GatherHalves(const RowGroup& rows, size_t offset) {
  const hn::Repartition<uint32_t, Halves> d32;
  const hn::Repartition<uint64_t, Halves> d64;
  const auto row = [&](size_t r) SMALLMIND_LAMBDA {
    const uint8_t* at = rows.Row(r % 4, r / 4) + offset - 2 * r;
    return hn::LoadU(Halves(), reinterpret_cast<const uint16_t*>(at));
  };
  const auto two = [&](size_t r) SMALLMIND_LAMBDA {
    return hn::BitCast(d32, hn::OddEven(row(r + 1), row(r)));
  };
  const auto four = [&](size_t r) SMALLMIND_LAMBDA {
    return hn::BitCast(d64, hn::OddEven(two(r + 2), two(r)));
  };
  if constexpr (kGroup == 4) {
    return hn::BitCast(Halves(), four(0));
  } else {
    return hn::BitCast(Halves(), hn::OddEven(four(4), four(0)));
  }
}

template <DType kType>
struct Weights;

// Types of one block a 32 columns: `Block` starts with f16 d, and f16 m where x = d·q + m: its
// minimum is −m.
// `Type` gives Quants: the bytes of 32 columns at `at` of rows i, 4+i, 8+i, 12+i.
template <class Type, class Block, QuantForm kTheForm>
struct SimpleWeights {
  static constexpr QuantForm kForm = kTheForm;
  static constexpr size_t kColumns = 32;  // of one storage block
  static constexpr size_t kBytes = sizeof(Block);

  static constexpr bool kHasMin = kForm == QuantForm::kMin;

  // A chunk's factors, then its dwords (packed.h): in the order in which they lie (one token of
  // 135M Q8_0 1.15, of 1.1B Q4_0 1.04 times as fast as the factors last).
  template <class Sink>
  static auto Decode(const PackedRows& rows, size_t b0, size_t n, auto ahead, Sink& to) {
    static_assert(!kHasMin && kMaxChunk == kPackedBlocks);
    const size_t chunk = b0 * kBytes * kPackedRows;
    constexpr size_t kHead = sizeof(Block::d) * kPackedRows;
    constexpr size_t kDwords = kBytes * kPackedRows - kHead;
    for (size_t b = 0; b < n; ++b) {
      to.StoreScale(b, Promote(rows.Load(Halves(), chunk + b * kHead)));
    }
    for (size_t b = 0; b < n; ++b) {
      ahead.Fetch();
      // As if the block began with its own factor.
      Put(PackedRows(rows.at + chunk + (n - 1) * kHead + b * kDwords, rows.lane), 0, b, to);
    }
    return ahead;
  }

  // Any n where kWholeRows.
  template <class Sink>
  static HWY_INLINE auto Decode(const RowGroup& rows, size_t b0, size_t n, auto ahead, Sink& to) {
    if constexpr (!kWholeRows) return DecodeWide(rows, b0 * kBytes, n, ahead, to);
    for (size_t b = 0; b < n; ++b) {
      ahead.Fetch();  // not between loads of one block: 0.83 to 0.9 of decoding's speed
      const size_t at = (b0 + b) * kBytes;
      to.StoreScale(b, Promote(GatherHalves(rows, at)));
      if constexpr (kHasMin) to.StoreSecond(b, hn::Neg(Promote(GatherHalves(rows, at + 2))));
      Put(rows, at, b, to);
    }
    return ahead;
  }

 private:
  static HWY_INLINE void Put(const auto& rows, size_t at, size_t b, auto& to) {
    VU8 bytes[2][4];
    Unroll<4>([&](size_t i)
                  SMALLMIND_LAMBDA { Type::Quants(i, rows, at, bytes[0][i], bytes[1][i]); });
    to.Put(b, [&](size_t half, size_t i) SMALLMIND_LAMBDA { return bytes[half][i]; });
  }

  // Sixteen rows' factors: beside dots those of whole chunks by lookups, where blocks are short
  // enough. Else they are gathered as d and what follows it, m or quants: beside dots by
  // general registers, which leaves the one port of vector shuffles to them (one token of Q4_0 1.2,
  // of Q4_1 1.4 times as fast in cache as by inserts); a sink that stores bytes has no room for
  // more stores, and gets them inserted, before its own.
  template <class Sink>
  static HWY_NOINLINE auto DecodeWide(const RowGroup& group, size_t first, size_t n, auto ahead,
                                      Sink& to) {
    // A copy stays in registers: one token from cache up to 1.1 times as fast.
    const RowGroup rows = group;
    n = HWY_MIN(n, kMaxChunk);  // known to the caller, but not to GCC's overflow warnings
    constexpr bool kScalar = !Sink::kStoresBytes;
    if constexpr (kScalar && !kHasMin && kFourALoad<kBytes>) {
      if (n == kMaxChunk) {
        GatherChunk<kBytes>(rows, first, [&](size_t b, VHalves bits) SMALLMIND_LAMBDA {
          to.StoreScale(b, Promote(bits));
        });
        for (size_t b = 0; b < kMaxChunk; ++b) {
          ahead.Fetch();
          Put(rows, first + b * kBytes, b, to);
        }
        return ahead;
      }
    }
    HWY_ALIGN uint32_t factors[kMaxChunk][kGroup];
    const auto gather = [&](size_t b) SMALLMIND_LAMBDA {
      Gather<kScalar>(rows, first + b * kBytes, factors[b]);
    };
    if constexpr (!kScalar) {
      for (size_t b = 0; b < n; ++b) gather(b);
    }
    for (size_t b = 0; b < n; ++b) {
      if constexpr (kScalar) gather(b);
      ahead.Fetch();
      Put(rows, first + b * kBytes, b, to);
    }
    for (size_t b = 0; b < n; ++b) {
      const VU bits = hn::Load(DU(), factors[b]);
      to.StoreScale(b, LowHalves(bits));
      if constexpr (kHasMin) to.StoreSecond(b, hn::Neg(LowHalves(hn::ShiftRight<16>(bits))));
    }
    return ahead;
  }
};

template <>
struct Weights<DType::kQ8_0> : SimpleWeights<Weights<DType::kQ8_0>, BlockQ8_0, QuantForm::kScale> {
  static constexpr int kMost = kAllBits;
  static constexpr int kRaw = kUnsignedDot ? 128 : 0;
  static HWY_INLINE void Quants(size_t i, const auto& rows, size_t at, VU8& lo, VU8& hi) {
    lo = LoadRows(rows, i, at + 2);
    hi = LoadRows(rows, i, at + 18);
    if constexpr (kUnsignedDot) {
      const auto flip = hn::Set(DU8(), uint8_t{0x80});
      lo = hn::Xor(lo, flip);
      hi = hn::Xor(hi, flip);
    }
  }
};

// 16 nibble pairs at `kAt` of the block.
template <size_t kAt>
struct Nibbles {
  static constexpr int kMost = 15;
  static HWY_INLINE void Quants(size_t i, const auto& rows, size_t at, VU8& lo, VU8& hi) {
    const VU8 nibbles = LoadRows(rows, i, at + kAt);
    lo = LowNibbles(nibbles);
    hi = HighNibbles(nibbles);
  }
};
template <>
struct Weights<DType::kQ4_0> : SimpleWeights<Nibbles<2>, BlockQ4_0, QuantForm::kScale>, Nibbles<2> {
  static constexpr int kRaw = 8;
};
template <>
struct Weights<DType::kQ4_1> : SimpleWeights<Nibbles<4>, BlockQ4_1, QuantForm::kMin>, Nibbles<4> {
  static constexpr int kRaw = 0;
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
template <size_t kAt>
struct FiveBits {
  static constexpr int kMost = 31;
  static HWY_INLINE void Quants(size_t i, const auto& rows, size_t at, VU8& lo, VU8& hi) {
    // 16 bytes from qh on end inside the block: 4 of qh, 12 of qs.
    FifthBits(LoadRows(rows, i, at + kAt), lo, hi);
    const VU8 nibbles = LoadRows(rows, i, at + kAt + 4);
    lo = hn::Or(lo, LowNibbles(nibbles));
    hi = hn::Or(hi, HighNibbles(nibbles));
  }
};
template <>
struct Weights<DType::kQ5_0> : SimpleWeights<FiveBits<2>, BlockQ5_0, QuantForm::kScale>,
                               FiveBits<2> {
  static constexpr int kRaw = 16;
};
template <>
struct Weights<DType::kQ5_1> : SimpleWeights<FiveBits<4>, BlockQ5_1, QuantForm::kMin>, FiveBits<4> {
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
struct Weights<DType::kIQ4_NL>
    : SimpleWeights<Weights<DType::kIQ4_NL>, BlockIQ4_NL, QuantForm::kScale> {
  static constexpr int kMost = kAllBits;
  static constexpr int kRaw = kUnsignedDot ? 128 : 0;
  static HWY_INLINE void Quants(size_t i, const auto& rows, size_t at, VU8& lo, VU8& hi) {
    const VU8 nibbles = LoadRows(rows, i, at + 2);
    lo = Codebook(LowNibbles(nibbles));
    hi = Codebook(HighNibbles(nibbles));
  }
};

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
