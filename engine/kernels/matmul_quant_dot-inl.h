// Vocabulary of the quantised kernels: a group of rows in the lanes of one int32 vector.
//
// A row group is N = Lanes(int32) rows: 16, 8 or 4. Bytes of four-row sets travel as vectors of
// 16-byte blocks, one row a block: vector i (0..3) holds rows i, 4+i, 8+i, 12+i. Transposing 4×4
// dwords inside each block then makes lane = row without ever crossing a block.
#if defined(SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_DOT_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_DOT_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_MATMUL_QUANT_DOT_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "engine/kernels/acts.h"
#include "engine/kernels/int8_dot-inl.h"
#include "engine/kernels/matmul_quant.h"
#include "engine/tensor/packed.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace quant {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::RebindToFloat<DI>;
using DU16 = hn::Repartition<uint16_t, DI>;
using DI64 = hn::Repartition<int64_t, DI>;
using VF = hn::Vec<DF>;

constexpr size_t kGroup = HWY_MAX_LANES_D(DI);  // rows of a group
constexpr size_t kSets = kGroup / 4;            // 16-byte blocks of a vector

// fn(0), fn(1), … fn(kN − 1): arrays of vectors indexed by it become registers at every
// optimisation level. The index is a type for those who need a constant of it; an fn of size_t is
// one function instead of kN, which halves the time these kernels take to compile (38 s to 20 for
// AVX2).
template <size_t kN, class Fn>
HWY_INLINE void Unroll(Fn&& fn) {
  [&]<size_t... kI>(std::index_sequence<kI...>) HWY_ATTR __attribute__((always_inline)) {
    (fn(std::integral_constant<size_t, kI>()), ...);
  }
  (std::make_index_sequence<kN>());
}
#define SMALLMIND_LAMBDA HWY_ATTR __attribute__((always_inline))

constexpr size_t kVectorBytes = kGroup * 4;

// Where a group is: its first row, stored or packed.
struct GroupAt {
  const uint8_t* first;  // packed: the first of the sixteen
  size_t row_bytes;
  size_t lane;  // packed: of the first row

  GroupAt(const WeightView& w, size_t row)
      : first(w.Row(w.packed ? row - row % kPackedRows : row)),
        row_bytes(w.row_bytes),
        lane(w.packed ? row % kPackedRows : 0) {}
};

// The rows of a group: row 4j + i starts at set[j] + i·stride.
struct RowGroup {
  const uint8_t* set[kSets];
  size_t stride;

  explicit RowGroup(const GroupAt& group) : stride(group.row_bytes) {
    for (size_t j = 0; j < kSets; ++j) set[j] = group.first + 4 * j * stride;
  }
  const uint8_t* Row(size_t i, size_t j) const { return set[j] + i * stride; }
  // Of rows i, 4+i, 8+i, 12+i from their sets. In a register: four of them and the sets reach all
  // rows, where GCC 12 would rather keep sixteen pointers, most of them in vector registers.
  HWY_INLINE size_t At(size_t i, size_t offset) const {
    size_t at = offset + i * stride;
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
    asm("" : "+r"(at));
#endif
    return at;
  }
};

// 16 bytes at `offset` of rows i, 4+i, 8+i, 12+i.
HWY_INLINE VU8 LoadRows(const RowGroup& rows, size_t i, size_t offset) {
  const hn::Full128<uint8_t> d128;
  const size_t at = rows.At(i, offset);
  const auto part = [&](size_t j) SMALLMIND_LAMBDA { return hn::LoadU(d128, rows.set[j] + at); };
#if HWY_MAX_BYTES >= 64
  const hn::Repartition<uint8_t, hn::CappedTag<int32_t, 8>> d256;
  return hn::Combine(DU8(), hn::Combine(d256, part(3), part(2)),
                     hn::Combine(d256, part(1), part(0)));
#elif HWY_MAX_BYTES >= 32
  return hn::Combine(DU8(), part(1), part(0));
#else
  return part(0);
#endif
}

// A group of a packed matrix (packed.h): `at` is where its sixteen rows begin, `lane` the first
// that is wanted. What LoadRows gives of it is another cut of the same bytes: dword i of the 16 at
// `offset` of every row, lane = row.
struct PackedRows {
  const uint8_t* at;
  size_t lane;

  PackedRows(const uint8_t* bytes, size_t first) : at(bytes), lane(first) {}
  explicit PackedRows(const GroupAt& group) : PackedRows(group.first, group.lane) {}
  template <class D>
  HWY_INLINE hn::Vec<D> Load(D d, size_t bytes) const {
    return hn::LoadU(
        d, reinterpret_cast<const hn::TFromD<D>*>(at + bytes + lane * sizeof(hn::TFromD<D>)));
  }
};
HWY_INLINE VU8 LoadRows(const PackedRows& rows, size_t i, size_t offset) {
  return hn::BitCast(DU8(), rows.Load(DI(), kPackedRows * (offset + 4 * i)));
}

template <bool kPacked>
using RowsOf = std::conditional_t<kPacked, PackedRows, RowGroup>;

// Dword k of vector i becomes lane i of each 16-byte block of to[k].
HWY_INLINE void TransposeBlocks(VI a, VI b, VI c, VI d, hn::Vec<DI64> to[4]) {
  const DI di;
  const DI64 d64;
  const auto ab_lo = hn::BitCast(d64, hn::InterleaveLower(di, a, b));
  const auto ab_hi = hn::BitCast(d64, hn::InterleaveUpper(di, a, b));
  const auto cd_lo = hn::BitCast(d64, hn::InterleaveLower(di, c, d));
  const auto cd_hi = hn::BitCast(d64, hn::InterleaveUpper(di, c, d));
  to[0] = hn::InterleaveLower(d64, ab_lo, cd_lo);
  to[1] = hn::InterleaveUpper(d64, ab_lo, cd_lo);
  to[2] = hn::InterleaveLower(d64, ab_hi, cd_hi);
  to[3] = hn::InterleaveUpper(d64, ab_hi, cd_hi);
}

// In each 16-byte block, lane i of the result is the sum of vector i's four lanes.
template <class V>  // int32, or the two int16 of a lane apart
HWY_INLINE V SumDwords(V a, V b) {
  const DI di;
  const hn::DFromV<V> d;
  const VI a32 = hn::BitCast(di, a), b32 = hn::BitCast(di, b);
  return hn::Add(hn::BitCast(d, hn::InterleaveLower(di, a32, b32)),
                 hn::BitCast(d, hn::InterleaveUpper(di, a32, b32)));
}
template <class V>
HWY_INLINE V SumQwords(V a, V b) {
  const DI64 d64;
  const hn::DFromV<V> d;
  const auto a64 = hn::BitCast(d64, a), b64 = hn::BitCast(d64, b);
  return hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, a64, b64)),
                 hn::BitCast(d, hn::InterleaveUpper(d64, a64, b64)));
}
HWY_INLINE VI SumBlocks(VI a, VI b, VI c, VI d) {
  return SumQwords(SumDwords(a, b), SumDwords(c, d));
}
// The same of pairs, each of kDots dots already; they widen when no more fit (DotsInPairs).
template <size_t kInPairs, size_t kDots>
HWY_INLINE VI SumBlocks(VI16 a, VI16 b, VI16 c, VI16 d) {
  if constexpr (4 * kDots <= kInPairs) {
    return Widened(SumQwords(SumDwords(a, b), SumDwords(c, d)));
  } else if constexpr (2 * kDots <= kInPairs) {
    return SumQwords(Widened(SumDwords(a, b)), Widened(SumDwords(c, d)));
  } else {
    return SumBlocks(Widened(a), Widened(b), Widened(c), Widened(d));
  }
}

// A scale as ws·float(i) takes it, i as kSumOrigin + i. With FMA the sum needs no conversion, which
// on Intel takes the place of a dot: fma(ws, M + i, −ws·M) with M = 1.5·2^23 rounds once, as ws·i
// does, because −ws·M is exact: a weight's scale has at most 19 significant bits. Only an infinite
// ws shows the difference: the result is NaN (order.h).
struct Factor {
  VF scale, origin;
  HWY_INLINE explicit Factor(VF ws)
      : scale(ws), origin(hn::Mul(ws, hn::Set(DF(), -kSumOriginFloat))) {}
  // As Store leaves it.
  HWY_INLINE explicit Factor(const uint8_t* from)
      : scale(hn::Load(DF(), reinterpret_cast<const float*>(from))),
        origin(hn::Load(DF(), reinterpret_cast<const float*>(from) + kGroup)) {}
  HWY_INLINE void Store(float* to) const {
    hn::Store(scale, DF(), to);
    hn::Store(origin, DF(), to + kGroup);
  }
};
HWY_INLINE VF Scaled(const Factor& ws, VF sum) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(ws.scale, sum, ws.origin);
#else
  return hn::Mul(ws.scale, hn::Sub(sum, hn::Set(DF(), kSumOriginFloat)));
#endif
}

// Takes raw·Σx off the sum of bytes that are `raw` above their signed values (a power of two, or
// 0): with M as above, c = raw/128 and the block's bias M − 128·Σx,
//   fma(c, M − 128·Σx, M − c·M + Σ(w + raw)·x) = M + Σw·x,
// exact, because all of these are integers below 2^24. Not needed where kUnsignedDot.
struct Surplus {
  float share;     // c
  int32_t origin;  // the bits of M − c·M: where the integer sum starts
  constexpr explicit Surplus(int raw)
      : share(static_cast<float>(raw) / 128.0f),
        origin(kSumOrigin - raw * static_cast<int32_t>(kSumOriginFloat / 128.0f)) {}

  // `bias` as a block has it.
  HWY_INLINE VF Off(VI isum, int32_t bias) const {
    const VF b = hn::BitCast(DF(), hn::Set(DI(), bias));
    return hn::MulAdd(hn::Set(DF(), share), b, hn::BitCast(DF(), isum));
  }
  // The same of a block's second half as the integer's own float; isum started at 0.
  HWY_INLINE VF OffSecond(VI isum, const ActBlock& x) const {
    const DI di;
    const DF df;
    const VF b =
        hn::Sub(hn::BitCast(df, hn::Set(di, x.bias)), hn::BitCast(df, hn::Set(di, x.bias_lo)));
    return hn::MulAdd(hn::Set(df, share), b, hn::ConvertTo(df, isum));
  }
};

// The four activations at q in every lane.
HWY_INLINE VI8 Broadcast4(const int8_t* q) {
  int32_t four;
  std::memcpy(&four, q, sizeof(four));
  return hn::BitCast(DI8(), hn::Set(DI(), four));
}

}  // namespace quant
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
