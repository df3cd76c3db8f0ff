// Attention: bit-equal to the scalar oracle on every target with FMA, for any head size, cache
// type, window, ring, grouping of queries and for the split form; close to a double softmax.
#include "engine/kernels/attention.h"

#include <gtest/gtest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/base/testing.h"
#include "engine/kernels/float_oracle.h"
#include "engine/kernels/targets_testing.h"
#include "engine/tensor/decode.h"

namespace smallmind {
namespace {

using Floats = std::vector<float>;

struct Scratch {
  Scratch(const AttentionShape& shape, size_t queries)
      : store(AttentionScratchBytes(shape.head_dim_k, shape.head_dim_v, queries) + 64) {}
  std::span<uint8_t> Span() {
    const size_t skip = -reinterpret_cast<uintptr_t>(store.data()) & 63;
    return {store.data() + skip, store.size() - 64};
  }
  std::vector<uint8_t> store;
};

// A cache of one head in `type`, and the same values widened. Rows of two heads interleave.
struct Cache {
  Cache(DType type, size_t positions, size_t dim_k, size_t dim_v) {
    const size_t k_row = RowBytes(type, dim_k), v_row = RowBytes(type, dim_v);
    const Floats keys = RandomFloats(positions * dim_k, 1),
                 values = RandomFloats(positions * dim_v, 2);
    k.resize(positions * 2 * k_row, 0xFF);
    v.resize(positions * 2 * v_row, 0xFF);
    wide_k.resize(keys.size());
    wide_v.resize(values.size());
    for (size_t p = 0; p < positions; ++p) {
      StoreKv(type, &keys[p * dim_k], dim_k, &k[p * 2 * k_row]);
      StoreKv(type, &values[p * dim_v], dim_v, &v[p * 2 * v_row]);
      DecodeScalar(type, &k[p * 2 * k_row], dim_k, &wide_k[p * dim_k]);
      DecodeScalar(type, &v[p * 2 * v_row], dim_v, &wide_v[p * dim_v]);
    }
    view = {type, k.data(), v.data(), 2 * k_row, 2 * v_row};
  }
  std::vector<uint8_t> k, v;
  Floats wide_k, wide_v;
  KvHeadView view;
};

void ExpectSame(const Floats& want, const Floats& got, const std::string& target, const char* how) {
  for (size_t i = 0; i < want.size(); ++i) {
    if (TargetHasFma(target)) {
      ASSERT_EQ(std::bit_cast<uint32_t>(want[i]), std::bit_cast<uint32_t>(got[i]))
          << target << " " << how << " element " << i << " " << want[i] << " " << got[i];
    } else {
      ASSERT_NEAR(want[i], got[i], 3e-5f) << target << " " << how << " element " << i;
    }
  }
}

// The positions of a cache as a ring of `positions` keeps them after the last was stored.
struct Ring {
  Ring(const Cache& cache, size_t stored, size_t positions) : view(cache.view) {
    if (positions == 0) return;
    k.resize(positions * view.k_stride, 0xFF);
    v.resize(positions * view.v_stride, 0xFF);
    for (size_t p = 0; p < stored; ++p) {
      std::memcpy(&k[p % positions * view.k_stride], view.k + p * view.k_stride, view.k_stride);
      std::memcpy(&v[p % positions * view.v_stride], view.v + p * view.v_stride, view.v_stride);
    }
    view.k = k.data();
    view.v = v.data();
    view.ring = positions;
  }
  std::vector<uint8_t> k, v;
  KvHeadView view;
};

// Queries at the positions `at`, seeing a window of the last `window` positions (0: all); the cache
// is a ring of `ring` positions (0: it keeps all).
void Check(DType type, AttentionShape shape, const std::vector<size_t>& at, size_t window,
           size_t ring = 0) {
  SCOPED_TRACE(testing::Message() << Info(type).name << " head " << shape.head_dim_k << "/"
                                  << shape.head_dim_v << " queries " << at.size() << " window "
                                  << window << " ring " << ring << " cap " << shape.soft_cap);
  size_t positions = 0;
  for (const size_t pos : at) positions = std::max(positions, pos + 1);
  const Cache cache(type, positions, shape.head_dim_k, shape.head_dim_v);
  const Ring kept(cache, positions, ring);
  const Floats q = RandomFloats(at.size() * shape.head_dim_k, 3);
  const oracle::Attention reference{shape.head_dim_k,   shape.head_dim_v, kAttnBlock,
                                    shape.scale,        shape.soft_cap,   cache.wide_k.data(),
                                    cache.wide_v.data()};
  Floats want(at.size() * shape.head_dim_v);
  std::vector<AttentionQuery> queries(at.size());
  Floats out(want.size());
  for (size_t i = 0; i < at.size(); ++i) {
    const size_t first = window != 0 && at[i] + 1 > window ? at[i] + 1 - window : 0;
    queries[i] = {&q[i * shape.head_dim_k], &out[i * shape.head_dim_v], first, at[i]};
    reference.Run(queries[i].q, first, at[i], &want[i * shape.head_dim_v]);
  }
  Scratch scratch(shape, at.size());
  ForEachTarget([&](const std::string& target) {
    std::fill(out.begin(), out.end(), -7.0f);
    Attention(shape, kept.view, queries, scratch.Span());
    ExpectSame(want, out, target, "together");
    std::fill(out.begin(), out.end(), -7.0f);
    for (const AttentionQuery& query : queries) {
      Attention(shape, kept.view, {&query, 1}, scratch.Span());
    }
    ExpectSame(want, out, target, "alone");
    std::fill(out.begin(), out.end(), -7.0f);
    const size_t blocks = (positions + kAttnBlock - 1) / kAttnBlock;
    const size_t floats = AttentionPartialFloats(shape.head_dim_v);
    Floats partials(blocks * at.size() * floats);
    for (size_t b = blocks; b-- > 0;) {
      AttentionBlock(shape, kept.view, queries, b, &partials[b * at.size() * floats],
                     scratch.Span());
    }
    for (size_t i = 0; i < at.size(); ++i) {
      AttentionCombine(shape.head_dim_v, &partials[i * floats], blocks, at.size() * floats,
                       queries[i].out);
    }
    ExpectSame(want, out, target, "split");
  });
}

std::vector<size_t> Consecutive(size_t from, size_t tokens, size_t group) {
  std::vector<size_t> at;
  for (size_t t = 0; t < tokens; ++t) at.insert(at.end(), group, from + t);
  return at;
}

AttentionShape Shape(size_t dim_k, size_t dim_v, float cap = 0.0f) {
  return {dim_k, dim_v, 1.0f / std::sqrt(static_cast<float>(dim_k)), cap};
}

TEST(Attention, HeadSizes) {
  for (const DType type : {DType::kF32, DType::kF16}) {
    for (const size_t dim : {1, 8, 15, 32, 48, 64, 80, 96, 100, 128, 256}) {
      Check(type, Shape(dim, dim), Consecutive(0, 21, 1), 0);
      Check(type, Shape(dim, dim), {299}, 0);
      Check(type, Shape(dim, dim), Consecutive(298, 1, 3), 0);
    }
  }
  Check(DType::kF32, Shape(96, 40), Consecutive(250, 9, 3), 0);
}

TEST(Attention, CacheTypes) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    // The query heads of one token: few enough that a compressed cache is widened as it is read.
    for (const size_t group :
         {2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33}) {
      Check(type, Shape(64, 64), Consecutive(300, 1, group), 0);
      Check(type, Shape(64, 64), Consecutive(300, 1, group), 100);
    }
    Check(type, Shape(64, 64), Consecutive(254, 3, 2), 0);
    Check(type, Shape(64, 64), Consecutive(500, 13, 3), 0);
    Check(type, Shape(32, 96), {513}, 0);
  }
}

TEST(Attention, PrefillAndGroupedQueries) {
  Check(DType::kF32, Shape(64, 64), Consecutive(0, 300, 1), 0);
  Check(DType::kF32, Shape(32, 32), Consecutive(240, 20, 8), 0);
  Check(DType::kF32, Shape(64, 64), Consecutive(1030, 1, 8), 0);
  Check(DType::kF32, Shape(32, 32), {700, 3, 255, 256, 0, 512, 511}, 0);
}

TEST(Attention, WindowsAndSoftCap) {
  Check(DType::kF32, Shape(32, 32), Consecutive(0, 90, 2), 17);
  Check(DType::kF32, Shape(32, 32), Consecutive(500, 40, 2), 300);
  Check(DType::kF32, Shape(32, 32), {1, 40, 600, 41, 700}, 5);
  Check(DType::kF32, Shape(48, 48, 5.0f), Consecutive(250, 20, 2), 0);
  Check(DType::kF32, Shape(32, 32, 5.0f), Consecutive(250, 20, 2), 33);
}

TEST(Attention, Rings) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    Check(type, Shape(32, 64), Consecutive(1000, 40, 2), 300, 3 * kAttnBlock);
    Check(type, Shape(64, 64), {1535}, 513, 3 * kAttnBlock);
    Check(type, Shape(64, 64), {1536}, 513, 4 * kAttnBlock);
    Check(type, Shape(64, 64), Consecutive(767, 4, 1), 1, kAttnBlock * 2);
  }
}

// Scores of positions that a query does not see are −∞. To make their weights by an underflow takes
// some processors more than a hundred cycles each: prompts of 128 tokens were half as fast.
TEST(Attention, WhatIsNotSeenDoesNotUnderflow) {
  const size_t dim = 64, positions = 40;
  const Cache cache(DType::kF32, positions, dim, dim);
  const Floats q = RandomFloats(positions * dim, 4);
  Floats out(q.size());
  std::vector<AttentionQuery> queries;
  for (size_t i = 0; i < positions; ++i) queries.push_back({&q[i * dim], &out[i * dim], 0, i});
  const AttentionShape shape = Shape(dim, dim);
  Scratch scratch(shape, positions);
  ForEachTarget([&](const std::string& target) {
    for (const size_t together : {size_t{1}, positions}) {
      std::feclearexcept(FE_ALL_EXCEPT);
      for (size_t i = 0; i < positions; i += together) {
        Attention(shape, cache.view, {&queries[i], together}, scratch.Span());
      }
      EXPECT_FALSE(std::fetestexcept(FE_UNDERFLOW)) << target << " " << together;
    }
  });
}

TEST(Attention, IsCloseToDouble) {
  const size_t dim = 64, positions = 1000;
  const Cache cache(DType::kF32, positions, dim, dim);
  const Floats q = RandomFloats(dim, 4);
  Floats out(dim);
  const AttentionShape shape = Shape(dim, dim);
  Scratch scratch(shape, 1);
  const AttentionQuery query{q.data(), out.data(), 0, positions - 1};
  Attention(shape, cache.view, {&query, 1}, scratch.Span());
  std::vector<double> p(positions), want(dim);
  double sum = 0.0, error = 0.0, power = 0.0;
  for (size_t i = 0; i < positions; ++i) {
    double s = 0.0;
    for (size_t d = 0; d < dim; ++d) s += static_cast<double>(q[d]) * cache.wide_k[i * dim + d];
    sum += p[i] = std::exp(s * shape.scale);
  }
  for (size_t d = 0; d < dim; ++d) {
    for (size_t i = 0; i < positions; ++i) want[d] += p[i] / sum * cache.wide_v[i * dim + d];
    error += (want[d] - out[d]) * (want[d] - out[d]);
    power += want[d] * want[d];
  }
  EXPECT_LT(error / power, 1e-12);
}

TEST(Attention, StoreRoundsLikeTheFormat) {
  const Floats x = RandomFloats(100, 8);
  ForEachTarget([&](const std::string& target) {
    std::vector<uint8_t> f16(200);
    StoreKv(DType::kF16, x.data(), x.size(), f16.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const uint16_t bits = static_cast<uint16_t>(f16[2 * i] | f16[2 * i + 1] << 8);
      ASSERT_EQ(bits, F32ToF16(x[i])) << target << " " << i;
    }
    std::vector<uint8_t> q8(102), want(102);
    Floats back(96);
    StoreKv(DType::kQ8_0, x.data(), 96, q8.data());
    oracle::StoreQ8_0(x.data(), 96, want.data());
    ASSERT_EQ(q8, want) << target;
    DecodeScalar(DType::kQ8_0, q8.data(), 96, back.data());
    for (size_t i = 0; i < 96; ++i) ASSERT_NEAR(back[i], x[i], 0.016f) << target << " " << i;
  });
}

TEST(Attention, NonFiniteElementsAreStoredAlikeOnEveryTarget) {
  for (const float odd : {std::nanf(""), INFINITY, -INFINITY, 3e38f, 1e-38f}) {
    for (size_t at = 0; at < 32; ++at) {
      Floats x(32);
      for (size_t i = 0; i < 32; ++i) x[i] = 1.0f + static_cast<float>(i * 7 % 32);
      x[at] = odd;
      std::vector<uint8_t> want(34), got(34);
      oracle::StoreQ8_0(x.data(), 32, want.data());
      ForEachTarget([&](const std::string& target) {
        StoreKv(DType::kQ8_0, x.data(), 32, got.data());
        ASSERT_EQ(got, want) << target << " " << odd << " at " << at;
      });
    }
  }
}

}  // namespace
}  // namespace smallmind
