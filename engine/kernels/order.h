// The order contract: in which order every kernel adds, so that all builds agree to the last bit.
//
// Independent of vector width, tile shape, batch size, thread count and Highway target (with FMA):
//
// 1. Quantised dot product (weights of any block type × activations quantised to int8 in blocks of 32,
//    scale dx per block, xsum = Σq exact int32):
//      per sub-block of the weight type (32 elements; 16 for Q2_K, Q3_K and Q6_K), with wscale and wmin in
//      float32 (d·sc and dmin·m: exact products of an f16 and a small integer),
//        isum = Σ qw·qx        exact int32 (offset forms fold −offset·xsum into isum, still exact)
//        acc  = fma(wscale·dx, float(isum), acc)            wscale·dx rounded once to float32
//        acc  = fma(−wmin, dx·float(xsum), acc)             only for types with a minimum
//      sub-blocks in ascending k, one accumulator a result, starting at +0. xsum is the sum over the same
//      sub-block (for 16-element sub-blocks, over those 16).
// 2. Float dot product (F32, F16, BF16 weights × float32 activations; attention scores; sums of squares):
//    16 virtual lanes; lane i takes elements i, i+16, … ascending with acc = fma(a, b, acc) from +0; a tail
//    shorter than 16 continues lanes 0…; then one fixed pairwise tree: lanes i and i+8, then i+4, i+2, i+1.
// 3. Weighted sums (attention over V): per output element, positions ascending with fma.
// 4. Transcendentals are polynomials of our own in float32 with fma, the same in every target (math.h).
//
// -ffp-contract=off everywhere; every fma is written out. Targets without FMA (SSE4, SSE2) round differently:
// they are right, not identical, and the tests say by how much.
// Native BF16 dot instructions are a declared exception: fixed order within a target only.
#pragma once

namespace smallmind {

inline constexpr int kVirtualLanes = 16;    // of float reductions
inline constexpr int kActBlock = 32;        // elements an activation scale covers

}  // namespace smallmind
