// The order contract: in which order every kernel adds, so that all builds agree to the last bit.
//
// Independent of vector width, tile shape, batch size, thread count and Highway target (with FMA):
//
// 1. Quantised dot product (weights of any block type × ActBlocks of 32, acts.h), per block of 32
// columns:
//        t   = ws·float(isum)                       one rounding; NaN where ws is infinite
//        t   = fma(ws2, float(isum2), t)            Q6_K only: the second 16 columns
//        t   = fma(−wm, float(xsum), t)             only types with a minimum
//        acc = fma(d, t, acc)                       d: the activation block's scale
//    blocks in ascending order, one accumulator a result, starting at +0. The sums are exact int32:
//        isum = Σ qw·qx, xsum = Σ qx over the 32 (Q6_K: isum over the first 16, isum2 over the
//        second); Q2_K, Q3_K: the 4- and 6-bit scales of the two 16-column halves are factors
//        inside the integer sums, isum = Σ scale·qw·qx, and Q2_K's xsum = Σ min·qx, so that a block
//        of 32 needs one float scale.
//    ws and wm are the weight's own numbers as float32, products of an f16 and a small integer and
//    so exact:
//        ws = d (Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 IQ4_NL Q2_K Q3_K), d·scale (Q4_K Q5_K Q6_K IQ4_XS);
//        wm = −m (Q4_1 Q5_1), dmin·min (Q4_K Q5_K), dmin (Q2_K).
// 2. Float dot product (F32, F16, BF16 weights × float32 activations; attention scores; sums of
// squares):
//    16 virtual lanes; lane i takes elements i, i+16, … ascending with acc = fma(a, b, acc) from
//    +0; a tail shorter than 16 is padded with zeros; then one fixed pairwise tree: lanes i and
//    i+8, then i+4, i+2, i+1.
// 2b. BF16 weights × float32 activations: the activations are rounded to BF16 first (nearest even),
// as every
//    engine with BF16 dots does, and lane i takes the pairs (2i, 2i+1) of each 32 elements, the odd
//    one first:
//      acc = fma(w[2i+1], x[2i+1], acc); acc = fma(w[2i], x[2i], acc)
//    A product of two BF16 is exact in float32, so this is what x86's VDPBF16PS computes (checked
//    on Zen 4 over 32 million random triples); targets without it write the two fma. One caveat:
//    VDPBF16PS reads and writes subnormals (< 1.2e-38) as zero.
// 3. Weighted sums (attention over V): per output element, positions ascending with fma, in blocks
//    of 256 absolute positions; blocks combine in ascending order by the formula in attention.h.
// 4. Transcendentals are polynomials of our own in float32 with fma, the same in every target
// (math-inl.h).
//
// What the order costs in speed: quantised products nothing (their long sums are integers; the two
// float operations a block, three with a minimum, are what any order needs), attention of prompts 1
// to 5 % (16 partial sums of a score where one would do: 128 and 512 tokens, one thread of Emerald
// Rapids, 4 interleaved rounds), which is less than 1 % of their prefill.
//
// -ffp-contract=off everywhere; every fma is written out. Targets without FMA (SSE4, SSE2) round
// differently: they are right, not identical, and the tests say by how much.
#pragma once

namespace smallmind {

inline constexpr int kVirtualLanes = 16;  // of float reductions
constexpr size_t RoundUp16(size_t n) { return (n + 15) / 16 * 16; }
inline constexpr int kActBlock = 32;  // elements an activation scale covers

}  // namespace smallmind
