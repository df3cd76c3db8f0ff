// The attention block of pass.h: rotate and store keys, attend, project. A batch is split over
// tiles of tokens and KV heads, a single token over KV heads or, in a long context, over blocks of
// positions. Tested by forward_test.cc: golden logits, batch splits, thread counts.

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/kernels/attention.h"
#include "engine/kernels/ops.h"
#include "engine/model/executor_state.h"
#include "engine/model/pass.h"
#include "engine/model/pass_tokenwise.h"

namespace smallmind {

void Pass::SelfAttention(size_t layer) {
  const LayerWeights& weights = e_.model_.weights.layers[layer];
  Begin(OutProducts(weights).Plan(w_, fetch_));
  Multiply(QkvProducts(weights), e_.normed_, RowOf(0));
  clock_.Mark(Stage::kQkv);

  const bool last = layer + 1 == s_.n_layers;
  if (solo_) {
    AttendAlone(layer, last && e_.wanted_.empty());
    if (last) DropUnwanted();
  } else {
    Tokenwise([&](size_t t) {
      for (size_t h = 0; h < s_.n_kv_heads; ++h) RotateAndStore(layer, t, h);
    });
    w_.Barrier();
    clock_.Mark(Stage::kRope);
    if (last) DropUnwanted();
    // About four tasks a worker, of at most kTokenTile tokens.
    const size_t tile = std::clamp<size_t>(n_ * s_.n_kv_heads / (w_.count() * 4), 1, kTokenTile);
    const size_t tiles = (n_ + tile - 1) / tile;
    // Late tiles see the most positions: hand them out first.
    w_.For(tiles * s_.n_kv_heads, 1, [&](size_t task, size_t) {
      const size_t at = tiles - 1 - task / s_.n_kv_heads;
      AttendGroup(layer, task % s_.n_kv_heads, at * tile, std::min(n_, (at + 1) * tile));
    });
    w_.Barrier(&fetch_);
  }
  clock_.Mark(Stage::kAttention);
  if (n_ == 0) return;
  FinishAttention();
  Begin(PlanFfn(weights));
  Multiply(OutProducts(weights), e_.attn_, attn_first_);
  clock_.Mark(Stage::kAttnOut);
}

// One token. A short context is one task a KV head, with its rotation. A longer one is cut into
// blocks of positions for all workers, at the price of two barriers more; the combination's order
// is fixed either way.
void Pass::AttendAlone(size_t layer, bool store_only) {
  const size_t group = s_.n_heads / s_.n_kv_heads;
  const BatchToken& token = e_.tokens_[0];
  const size_t first_block = FirstVisible(layer, token.pos) / kAttnBlock;
  const size_t blocks = token.pos / kAttnBlock + 1 - first_block;
  const bool split = blocks > 1 && w_.count() > 1 && group <= kMaxSplitGroup && !store_only;
  w_.For(s_.n_kv_heads, 1, [&](size_t h, size_t) {
    RotateAndStore(layer, 0, h);
    if (store_only) return;
    if (split) {
      PrepareQueries(layer, 0, h);
    } else {
      AttendGroup(layer, h, 0, 1);
    }
  });
  w_.Barrier(&fetch_);
  if (!split) return;
  clock_.Mark(Stage::kRope);

  const size_t partial = AttentionPartialFloats(s_.head_dim_v);
  float* partials = e_.partials_.data();  // [kv head][block][query][partial]
  w_.For(s_.n_kv_heads * blocks, 1, [&](size_t task, size_t) {
    const size_t h = task / blocks;
    std::array<AttentionQuery, kMaxSplitGroup> queries;
    for (size_t g = 0; g < group; ++g) queries[g] = Query(layer, 0, 0, h * group + g);
    AttentionBlock(Shape(), Kv(*token.cache, layer, h), {queries.data(), group},
                   first_block + task % blocks, partials + task * group * partial, Scratch());
  });
  w_.Barrier(&fetch_);
  w_.For(s_.n_kv_heads, 1, [&](size_t h, size_t) {
    for (size_t g = 0; g < group; ++g) {
      AttentionCombine(s_.head_dim_v, partials + (h * blocks * group + g) * partial, blocks,
                       group * partial, e_.attn_.Row(0) + (h * group + g) * s_.head_dim_v);
    }
    QuantiseGroup(h, 0, 1);
  });
  w_.Barrier(&fetch_);
}

// A key or query of one head, normed where the model says so.
void Pass::Rotate(const Norm& norm, size_t layer, size_t token, float* head) const {
  if (norm.weight != nullptr) ApplyNorm(norm, head, s_.head_dim_k, head);
  const size_t half = s_.rope.n_rot / 2;
  const float* angles = Angles(token, s_.layer_windowed[layer]);
  if (s_.rope.kind == RopeKind::kNeox) RopeNeox(head, s_.rope.n_rot, angles, angles + half);
  if (s_.rope.kind == RopeKind::kInterleaved) {
    RopeInterleaved(head, s_.rope.n_rot, angles, angles + half);
  }
}

void Pass::RotateAndStore(size_t layer, size_t token, size_t kv_head) {
  const LayerWeights& weights = e_.model_.weights.layers[layer];
  const BatchToken& b = e_.tokens_[token];
  float* row = e_.qkv_.data() + token * (s_.q_dim() + s_.k_dim() + s_.v_dim());
  float* k = row + s_.q_dim() + kv_head * s_.head_dim_k;
  const float* v = row + s_.q_dim() + s_.k_dim() + kv_head * s_.head_dim_v;
  Rotate(weights.k_norm, layer, token, k);
  KvCache& cache = *b.cache;
  StoreKv(cache.shape().type, k, s_.head_dim_k, cache.KeyAt(layer, kv_head, b.pos));
  StoreKv(cache.shape().type, v, s_.head_dim_v, cache.ValueAt(layer, kv_head, b.pos));
}

// The query heads that share kv_head.
void Pass::PrepareQueries(size_t layer, size_t token, size_t kv_head) {
  const LayerWeights& weights = e_.model_.weights.layers[layer];
  float* row = e_.qkv_.data() + token * (s_.q_dim() + s_.k_dim() + s_.v_dim());
  const size_t group = s_.n_heads / s_.n_kv_heads;
  for (size_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
    Rotate(weights.q_norm, layer, token, row + h * s_.head_dim_k);
  }
}

// First position that a query at `pos` sees.
size_t Pass::FirstVisible(size_t layer, size_t pos) const {
  return s_.layer_windowed[layer] && pos + 1 > s_.window ? pos + 1 - s_.window : 0;
}

AttentionShape Pass::Shape() const {
  return {.head_dim_k = s_.head_dim_k,
          .head_dim_v = s_.head_dim_v,
          .scale = s_.attn_scale,
          .soft_cap = s_.attn_soft_cap};
}

static_assert(kKvBlock % kAttnBlock == 0);  // a block of the kernel's is never cut by a ring's end

KvHeadView Pass::Kv(KvCache& cache, size_t layer, size_t kv_head) const {
  return {.type = cache.shape().type,
          .k = cache.K(layer, kv_head),
          .v = cache.V(layer, kv_head),
          .k_stride = cache.k_stride(),
          .v_stride = cache.v_stride(),
          .ring = cache.ring(layer)};
}

// Head h of token `token` of the batch, into row `row` of attn_.
AttentionQuery Pass::Query(size_t layer, size_t token, size_t row, size_t h) const {
  const size_t stride = s_.q_dim() + s_.k_dim() + s_.v_dim();
  const size_t pos = e_.tokens_[token].pos;
  return {.q = e_.qkv_.data() + token * stride + h * s_.head_dim_k,
          .out = e_.attn_.Row(row) + h * s_.head_dim_v,
          .first = FirstVisible(layer, pos),
          .pos = pos};
}

// Rotation of the queries of active tokens [first, last) whose heads share kv_head, their
// attention, and the quantisation of what they produce.
void Pass::AttendGroup(size_t layer, size_t kv_head, size_t first, size_t last) {
  const size_t group = s_.n_heads / s_.n_kv_heads;
  std::vector<AttentionQuery>& queries = state_.queries;
  for (size_t run = first; run < last;) {
    KvCache* cache = e_.tokens_[TokenOf(run)].cache;
    queries.clear();
    size_t t = run;
    for (; t < last && e_.tokens_[TokenOf(t)].cache == cache; ++t) {
      PrepareQueries(layer, TokenOf(t), kv_head);
      for (size_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
        queries.push_back(Query(layer, TokenOf(t), t, h));
      }
    }
    Attention(Shape(), Kv(*cache, layer, kv_head), queries, Scratch());
    run = t;
  }
  QuantiseGroup(kv_head, first, last);
}

// Where a KV head's rows are whole blocks of 32; FinishAttention sees to the others.
void Pass::QuantiseGroup(size_t kv_head, size_t first, size_t last) {
  const size_t width = s_.n_heads / s_.n_kv_heads * s_.head_dim_v;
  if (width % 32 != 0) return;
  for (size_t t = first; t < last; ++t) {
    e_.attn_.Quantise(t, kv_head * width, (kv_head + 1) * width);
  }
}

// Heads that are not whole blocks of 32 can only be quantised once all of them are there.
void Pass::FinishAttention() {
  const size_t group_dim = s_.n_heads / s_.n_kv_heads * s_.head_dim_v;
  attn_first_ = 0;
  if (group_dim % 32 == 0) return;
  if (solo_) {
    const ActForms& forms = e_.forms_.attn_out;
    if (!forms.blocks && !forms.bf16) return;  // one token of floats has no other form
    // Every worker quantises a copy of its own; row 0 holds the floats.
    attn_first_ = w_.index();
    if (attn_first_ != 0) {
      std::memcpy(e_.attn_.Row(attn_first_), e_.attn_.Row(0), s_.attn_out_dim() * sizeof(float));
    }
    e_.attn_.Quantise(attn_first_, 0, s_.attn_out_dim());
    return;
  }
  Tokenwise([&](size_t t) { e_.attn_.Quantise(t, 0, s_.attn_out_dim()); });
  Sync();
}

}  // namespace smallmind
