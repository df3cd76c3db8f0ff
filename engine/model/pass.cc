// The transformer layer as data flow; see pass.h for the barriers.
//
// Every result depends on its own token and weights only (kernels/order.h), so the split over
// workers, chunks and batches never shows in the bits. Tested by forward_test.cc.

#include "engine/model/pass.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/kernels/attention.h"
#include "engine/kernels/matmul.h"
#include "engine/kernels/ops.h"
#include "engine/model/executor_state.h"
#include "engine/model/rope.h"

namespace smallmind {

Pass::Pass(Executor& e, Worker& w)
    : e_(e),
      w_(w),
      s_(e.model_.spec),
      solo_(e.tokens_.size() == 1),
      n_(e.tokens_.size()),
      clock_(w.index() == 0 ? e.timers_ : nullptr) {}

void Pass::Run() {
  Embed();
  const auto& layers = e_.model_.weights.layers;
  const Norm* post = nullptr;  // of the block whose output waits in residual_
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerWeights& layer = layers[i];
    AddAndNorm(post != nullptr, post != nullptr ? *post : Norm{}, layer.attn_norm,
               e_.quantised_.attn_in);
    clock_.Mark(Stage::kNorm);
    SelfAttention(i);
    if (n_ == 0) return;  // nobody asked for logits: the cache is filled, the rest is not needed
    AddAndNorm(true, layer.post_attn_norm, layer.ffn_norm, e_.quantised_.ffn_in);
    clock_.Mark(Stage::kNorm);
    if (layer.router) {
      ExpertFeedForward(layer);
    } else {
      FeedForward(i);
    }
    post = &layer.post_ffn_norm;
  }
  AddAndNorm(true, *post, e_.model_.weights.output_norm, e_.quantised_.head);
  clock_.Mark(Stage::kNorm);
  Head();
}

template <typename Body>
void Pass::Tokenwise(Body&& body) {
  if (solo_) {
    body(size_t{0});
    return;
  }
  const size_t grain = std::max<size_t>(1, n_ / (w_.count() * 4));
  w_.For(n_, grain, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) body(t);
  });
}

float* Pass::X(size_t t) const { return e_.x_.data() + RowOf(TokenOf(t)) * s_.dim; }

const float* Pass::Angles(size_t t, bool local) const {
  const size_t half = s_.rope.n_rot / 2;
  return e_.angles_.data() + (RowOf(t) * 2 + (local ? 1 : 0)) * 2 * half;
}

std::span<uint8_t> Pass::Scratch() const {
  const size_t bytes = e_.matmul_scratch_ + e_.attn_scratch_;
  return {e_.scratch_.data() + w_.index() * bytes, bytes};
}

void Pass::Embed() {
  const ModelWeights& weights = e_.model_.weights;
  const size_t half = s_.rope.n_rot / 2;
  Tokenwise([&](size_t t) {
    const BatchToken& token = e_.tokens_[t];
    float* x = X(t);
    DecodeRow(weights.token_embedding, static_cast<size_t>(token.id), x);
    if (s_.embed_scale != 1.0f) ScaleInPlace(x, s_.embed_scale, s_.dim);
    if (weights.position_embedding) {
      float* row = e_.normed_.Row(RowOf(t));
      DecodeRow(weights.position_embedding, token.pos, row);
      AddInPlace(x, row, s_.dim);
    }
    if (half > 0) {
      float* angles = e_.angles_.data() + RowOf(t) * 4 * half;
      RopeAngles(s_.rope, token.pos, angles, angles + half);
      RopeAngles(s_.rope_local, token.pos, angles + 2 * half, angles + 3 * half);
    }
  });
  Sync();
  clock_.Mark(Stage::kEmbed);
}

void Pass::ApplyNorm(const Norm& norm, const float* x, size_t n, float* out) const {
  if (s_.arch->norm == NormKind::kRms) {
    RmsNorm(x, norm.weight, n, s_.norm_eps, out);
  } else {
    LayerNorm(x, norm.weight, norm.bias, n, s_.norm_eps, out);
  }
}

void Pass::AddAndNorm(bool add, const Norm& post, const Norm& norm, bool quantise) {
  Tokenwise([&](size_t t) {
    float* x = X(t);
    float* out = e_.normed_.Row(RowOf(t));
    if (add) {
      const float* residual = e_.residual_.data() + t * s_.dim;
      if (post.weight != nullptr) {
        ApplyNorm(post, residual, s_.dim, out);
        residual = out;
      }
      AddInPlace(x, residual, s_.dim);
    }
    ApplyNorm(norm, x, s_.dim, out);
    if (quantise) e_.normed_.Quantise(RowOf(t), 0, s_.dim);
  });
  Sync();
}

void Pass::MatMulRows(const Linear& linear, size_t begin, size_t end, ActBuffer& acts,
                      size_t first_row, size_t n, float* out, size_t stride,
                      const Upcoming& upcoming) {
  if (UsesQuantRows(linear.weight.type)) {
    MatMul(linear.weight, begin, end, acts.Quants(first_row, n), out, stride, Scratch(), upcoming);
  } else {
    MatMul(linear.weight, begin, end, acts.Floats(first_row, n), out, stride, Scratch());
  }
  if (linear.bias == nullptr) return;
  for (size_t t = 0; t < n; ++t)
    AddInPlace(out + t * stride + begin, linear.bias + begin, end - begin);
}

void Pass::Multiply(const Products& products, ActBuffer& acts, size_t first_row, ByteRange next) {
  const Worker::Share share = w_.ShareOf(products.chunks(), 1);
  w_.For(products.chunks(), 1, [&](size_t i, size_t) {
    const Products::Chunk chunk = products.At(i);
    const bool own = i >= share.begin && i < share.end;
    MatMulRows(*chunk.product->linear, chunk.begin, chunk.end, acts, first_row, n_,
               chunk.product->out, chunk.product->stride,
               {own ? products.Bytes(i + 1, share.end) : ByteRange{}, next});
  });
  w_.Barrier(next);
}

Products Pass::QkvProducts(const LayerWeights& layer) const {
  const size_t stride = s_.q_dim() + s_.k_dim() + s_.v_dim();
  float* qkv = e_.qkv_.data();
  const std::array<Product, 3> products = {
      Product{&layer.q, qkv, stride}, Product{&layer.k, qkv + s_.q_dim(), stride},
      Product{&layer.v, qkv + s_.q_dim() + s_.k_dim(), stride}};
  return {products, n_, w_.count()};
}

Products Pass::OutProducts(const LayerWeights& layer) const {
  const Product out{&layer.o, e_.residual_.data(), s_.dim};
  return {{&out, 1}, n_, w_.count()};
}

Products Pass::DownProducts(const LayerWeights& layer) const {
  const Product down{&layer.down, e_.residual_.data(), s_.dim};
  return {{&down, 1}, n_, w_.count()};
}

const Linear& Pass::FirstOfFfn(const LayerWeights& layer) const {
  return s_.arch->gated_ffn ? layer.gate : layer.up;
}

size_t Pass::FfnChunk(const LayerWeights& layer) const {
  return ChunkRows(FirstOfFfn(layer).weight, n_, w_.count(), e_.quantised_.ffn_mid ? 32 : 1);
}

ByteRange Pass::FfnStart(const LayerWeights& layer) const {
  if (layer.router) return {};  // which experts is not known yet
  return ShareStart(w_, FirstOfFfn(layer).weight, FfnChunk(layer));
}

ByteRange Pass::AfterLayer(size_t layer) const {
  const auto& layers = e_.model_.weights.layers;
  if (layer + 1 < layers.size()) return QkvProducts(layers[layer + 1]).Start(w_);
  const WeightView& head = e_.model_.weights.output.weight;
  return ShareStart(w_, head, HeadChunk());
}

size_t Pass::HeadChunk() const {
  return ChunkRows(e_.model_.weights.output.weight, n_, w_.count() * 2, 1);
}

void Pass::SelfAttention(size_t layer) {
  const LayerWeights& weights = e_.model_.weights.layers[layer];
  const ByteRange next = OutProducts(weights).Start(w_);
  Multiply(QkvProducts(weights), e_.normed_, RowOf(0), next);
  clock_.Mark(Stage::kQkv);

  const bool last = layer + 1 == s_.n_layers;
  if (solo_) {
    AttendAlone(layer, last && e_.wanted_.empty(), next);
    if (last) DropUnwanted();
  } else {
    Tokenwise([&](size_t t) {
      for (size_t h = 0; h < s_.n_kv_heads; ++h) RotateAndStore(layer, t, h);
      PrepareQueries(layer, t, 0, s_.n_heads);
    });
    w_.Barrier();
    clock_.Mark(Stage::kRope);
    if (last) DropUnwanted();
    // About four tasks a worker, of at most kQueryTile tokens.
    const size_t tile = std::clamp<size_t>(n_ * s_.n_kv_heads / (w_.count() * 4), 1, kQueryTile);
    const size_t tiles = (n_ + tile - 1) / tile;
    // Late tiles see the most positions: hand them out first.
    w_.For(tiles * s_.n_kv_heads, 1, [&](size_t task, size_t) {
      const size_t at = tiles - 1 - task / s_.n_kv_heads;
      AttendGroup(layer, task % s_.n_kv_heads, at * tile, std::min(n_, (at + 1) * tile));
    });
    w_.Barrier(next);
  }
  clock_.Mark(Stage::kAttention);
  if (n_ == 0) return;
  FinishAttention();
  Multiply(OutProducts(weights), e_.attn_, attn_first_, FfnStart(weights));
  clock_.Mark(Stage::kAttnOut);
}

// One token. A short context is one task a KV head, with its rotation. A longer one is cut into
// blocks of positions for all workers, at the price of two barriers more; the combination's order
// is fixed either way.
void Pass::AttendAlone(size_t layer, bool store_only, ByteRange next) {
  const size_t group = s_.n_heads / s_.n_kv_heads;
  const BatchToken& token = e_.tokens_[0];
  const size_t first_block = FirstVisible(layer, token.pos) / kAttnBlock;
  const size_t blocks = token.pos / kAttnBlock + 1 - first_block;
  const bool split = blocks > 1 && w_.count() > 1 && group <= kMaxSplitGroup && !store_only;
  w_.For(s_.n_kv_heads, 1, [&](size_t h, size_t) {
    RotateAndStore(layer, 0, h);
    if (store_only) return;
    PrepareQueries(layer, 0, h * group, (h + 1) * group);
    if (!split) AttendGroup(layer, h, 0, 1);
  });
  w_.Barrier(next);
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
  w_.Barrier(next);
  w_.For(s_.n_kv_heads, 1, [&](size_t h, size_t) {
    for (size_t g = 0; g < group; ++g) {
      AttentionCombine(s_.head_dim_v, partials + (h * blocks * group + g) * partial, blocks,
                       group * partial, e_.attn_.Row(0) + (h * group + g) * s_.head_dim_v);
    }
    QuantiseGroup(h, 0, 1);
  });
  w_.Barrier(next);
}

void Pass::RotateAndStore(size_t layer, size_t token, size_t kv_head) {
  const LayerWeights& weights = e_.model_.weights.layers[layer];
  const BatchToken& b = e_.tokens_[token];
  float* row = e_.qkv_.data() + token * (s_.q_dim() + s_.k_dim() + s_.v_dim());
  float* k = row + s_.q_dim() + kv_head * s_.head_dim_k;
  const float* v = row + s_.q_dim() + s_.k_dim() + kv_head * s_.head_dim_v;
  if (weights.k_norm.weight != nullptr) ApplyNorm(weights.k_norm, k, s_.head_dim_k, k);
  const bool local = s_.layer_windowed[layer];
  const size_t half = s_.rope.n_rot / 2;
  const float* angles = Angles(token, local);
  if (s_.rope.kind == RopeKind::kNeox) RopeNeox(k, s_.rope.n_rot, angles, angles + half);
  if (s_.rope.kind == RopeKind::kInterleaved) {
    RopeInterleaved(k, s_.rope.n_rot, angles, angles + half);
  }
  KvCache& cache = *b.cache;
  StoreKv(cache.shape().type, k, s_.head_dim_k, cache.K(layer, kv_head) + b.pos * cache.k_stride());
  StoreKv(cache.shape().type, v, s_.head_dim_v, cache.V(layer, kv_head) + b.pos * cache.v_stride());
}

void Pass::PrepareQueries(size_t layer, size_t token, size_t head_begin, size_t head_end) {
  const LayerWeights& weights = e_.model_.weights.layers[layer];
  float* row = e_.qkv_.data() + token * (s_.q_dim() + s_.k_dim() + s_.v_dim());
  const size_t half = s_.rope.n_rot / 2;
  const float* angles = Angles(token, s_.layer_windowed[layer]);
  for (size_t h = head_begin; h < head_end; ++h) {
    float* q = row + h * s_.head_dim_k;
    if (weights.q_norm.weight != nullptr) ApplyNorm(weights.q_norm, q, s_.head_dim_k, q);
    if (s_.rope.kind == RopeKind::kNeox) RopeNeox(q, s_.rope.n_rot, angles, angles + half);
    if (s_.rope.kind == RopeKind::kInterleaved) {
      RopeInterleaved(q, s_.rope.n_rot, angles, angles + half);
    }
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

KvHeadView Pass::Kv(KvCache& cache, size_t layer, size_t kv_head) const {
  return {.type = cache.shape().type,
          .k = cache.K(layer, kv_head),
          .v = cache.V(layer, kv_head),
          .k_stride = cache.k_stride(),
          .v_stride = cache.v_stride()};
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

// Attention of active tokens [first, last) for the query heads that share kv_head, and the
// quantisation of what they produce.
void Pass::AttendGroup(size_t layer, size_t kv_head, size_t first, size_t last) {
  const size_t group = s_.n_heads / s_.n_kv_heads;
  std::vector<AttentionQuery> queries;
  queries.reserve((last - first) * group);
  for (size_t run = first; run < last;) {
    KvCache* cache = e_.tokens_[TokenOf(run)].cache;
    queries.clear();
    size_t t = run;
    for (; t < last && e_.tokens_[TokenOf(t)].cache == cache; ++t) {
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
  if (!e_.quantised_.attn_out || width % 32 != 0) return;
  for (size_t t = first; t < last; ++t) {
    e_.attn_.Quantise(t, kv_head * width, (kv_head + 1) * width);
  }
}

void Pass::DropUnwanted() {
  n_ = e_.wanted_.size();
  dropped_ = true;
}

// Heads that are not whole blocks of 32 can only be quantised once all of them are there.
void Pass::FinishAttention() {
  const size_t group_dim = s_.n_heads / s_.n_kv_heads * s_.head_dim_v;
  attn_first_ = 0;
  if (!e_.quantised_.attn_out || group_dim % 32 == 0) return;
  if (solo_) {
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

void Pass::Activate(float* gate, const float* up, size_t n) const {
  if (!s_.arch->gated_ffn) {
    GeluTanh(gate, n, gate);
  } else if (s_.arch->activation == Activation::kSilu) {
    SiluMul(gate, up, n, gate);
  } else {
    GeluTanhMul(gate, up, n, gate);
  }
}

void Pass::FeedForward(size_t index) {
  // Gate and up rows of one chunk, their product and its quantisation stay with one worker: no
  // barrier between.
  const LayerWeights& layer = e_.model_.weights.layers[index];
  const Linear& gate = FirstOfFfn(layer);
  const size_t chunk = FfnChunk(layer);
  const Worker::Share share = w_.ShareOf(s_.ff, chunk);
  const Products down = DownProducts(layer);
  const ByteRange down_start = down.Start(w_);
  ActBuffer& mid = e_.mid_;
  w_.For(s_.ff, chunk, [&](size_t begin, size_t end) {
    const bool own = begin >= share.begin && end < share.end;
    const ByteRange rest = own ? gate.weight.Bytes(end, share.end) : down_start;
    if (s_.arch->gated_ffn) {
      MatMulRows(gate, begin, end, e_.normed_, RowOf(0), n_, mid.Row(0), mid.stride(),
                 {layer.up.weight.Bytes(begin, end), rest});
      MatMulRows(layer.up, begin, end, e_.normed_, RowOf(0), n_, e_.up_.data(), mid.stride(),
                 {rest, {}});
    } else {
      MatMulRows(gate, begin, end, e_.normed_, RowOf(0), n_, mid.Row(0), mid.stride(), {rest, {}});
    }
    for (size_t t = 0; t < n_; ++t) {
      Activate(mid.Row(t) + begin, e_.up_.data() + t * mid.stride() + begin, end - begin);
      if (e_.quantised_.ffn_mid) mid.Quantise(t, begin, end);
    }
  });
  w_.Barrier(down_start);
  clock_.Mark(Stage::kFfnUp);
  Multiply(down, mid, 0, AfterLayer(index));
  clock_.Mark(Stage::kFfnDown);
}

void Pass::Head() {
  const Linear& output = e_.model_.weights.output;
  const size_t chunk = HeadChunk();
  const Worker::Share share = w_.ShareOf(s_.vocab, chunk);
  float* logits = e_.logits_.data();
  w_.For(s_.vocab, chunk, [&](size_t begin, size_t end) {
    const bool own = begin >= share.begin && end < share.end;
    MatMulRows(output, begin, end, e_.normed_, RowOf(0), n_, logits, s_.vocab,
               {own ? output.weight.Bytes(end, share.end) : ByteRange{}, {}});
    if (s_.final_soft_cap == 0.0f) return;
    for (size_t t = 0; t < n_; ++t) {
      SoftCap(logits + t * s_.vocab + begin, s_.final_soft_cap, end - begin);
    }
  });
  w_.Barrier();
  clock_.Mark(Stage::kHead);
}

}  // namespace smallmind
