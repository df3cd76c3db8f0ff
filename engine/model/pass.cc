// The transformer layer as data flow; see pass.h for the barriers.
//
// Every result depends on its own token and weights only (kernels/order.h), so the split over
// workers, chunks and batches never shows in the bits. Tested by forward_test.cc.

#include "engine/model/pass.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/kernels/matmul.h"
#include "engine/kernels/ops.h"
#include "engine/model/executor_state.h"
#include "engine/model/pass_tokenwise.h"
#include "engine/model/rope.h"

namespace smallmind {

Pass::Pass(Executor& e, Worker& w)
    : e_(e),
      w_(w),
      s_(e.model_.spec),
      solo_(e.tokens_.size() == 1),
      n_(e.tokens_.size()),
      clock_(w.index() == 0 ? e.timers_ : nullptr),
      state_(e.workers_[w.index()]),
      fetch_(state_.fetch) {
  fetch_.Restart(FetchStream::kFirstLead);
}

void Pass::Run() {
  const auto& layers = e_.model_.weights.layers;
  mark_ = QkvProducts(layers[0]).Plan(w_, fetch_);
  Embed();
  const Norm* post = nullptr;  // of the block whose output waits in residual_
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerWeights& layer = layers[i];
    AddAndNorm(post != nullptr, post != nullptr ? *post : Norm{}, layer.attn_norm);
    clock_.Mark(Stage::kNorm);
    SelfAttention(i);
    if (n_ == 0) return;  // nobody asked for logits: the cache is filled, the rest is not needed
    AddAndNorm(true, layer.post_attn_norm, layer.ffn_norm);
    clock_.Mark(Stage::kNorm);
    layer.router ? ExpertFeedForward(i) : FeedForward(i);
    post = &layer.post_ffn_norm;
  }
  AddAndNorm(true, *post, e_.model_.weights.output_norm);
  clock_.Mark(Stage::kNorm);
  Head();
}

float* Pass::X(size_t t) const { return e_.x_.data() + RowOf(TokenOf(t)) * s_.dim; }

const float* Pass::Angles(size_t t, bool local) const {
  const size_t half = s_.rope.n_rot / 2;
  const bool second = local && s_.arch->local_rope_base > 0;
  return e_.angles_.data() + (RowOf(t) * 2 + (second ? 1 : 0)) * 2 * half;
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
      if (s_.arch->local_rope_base > 0) {
        RopeAngles(s_.rope_local, token.pos, angles + 2 * half, angles + 3 * half);
      }
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

void Pass::AddAndNorm(bool add, const Norm& post, const Norm& norm) {
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
    e_.normed_.Quantise(RowOf(t), 0, s_.dim);
  });
  Sync();
}

void Pass::MatMulRows(const Linear& linear, size_t begin, size_t end, ActBuffer& acts,
                      size_t first_row, size_t n, float* out, size_t stride, FetchStream* fetch) {
  if (UsesQuantRows(linear.weight.type)) {
    MatMul(linear.weight, begin, end, acts.Quants(first_row, n), out, stride, Scratch(), fetch);
  } else {
    MatMul(linear.weight, begin, end, acts.Floats(first_row, n, linear.weight.type), out, stride,
           Scratch(), fetch);
  }
  if (linear.bias == nullptr) return;
  for (size_t t = 0; t < n; ++t) AddInPlace(out + t * stride, linear.bias + begin, end - begin);
}

void Pass::Multiply(const Products& products, ActBuffer& acts, size_t first_row) {
  const Worker::Share share = w_.ShareOf(products.chunks(), 1);
  w_.For(products.chunks(), 1, [&](size_t i, size_t) {
    const Products::Chunk chunk = products.At(i);
    const bool own = i >= share.begin && i < share.end;
    const Linear& linear = *chunk.product->linear;
    FetchStream* fetch = Reading(own, start_ + products.Bytes(share.begin, i),
                                 std::array{linear.weight.Bytes(chunk.begin, chunk.end)});
    MatMulRows(linear, chunk.begin, chunk.end, acts, first_row, n_,
               chunk.product->out + chunk.begin, chunk.product->stride, fetch);
  });
  w_.Barrier(&fetch_);
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

size_t Pass::FfnChunk(const FfnInput& in) const { return FfnChunkRows(in, n_, w_.count()); }

size_t Pass::HeadChunk() const {
  return ChunkRows(e_.model_.weights.output.weight, s_.vocab, n_, w_.count() * 2, 1);
}

uint64_t Pass::PlanFfn(const LayerWeights& layer) {
  if (layer.router) return RouterProducts(layer).Plan(w_, fetch_);
  const uint64_t mark = fetch_.end();
  const FfnInput in = FfnInputOf(layer);
  const size_t chunk = FfnChunk(in);
  const Worker::Share share = w_.ShareOf(s_.ff, chunk);
  for (size_t begin = share.begin; begin < share.end; begin += chunk) {
    const size_t end = std::min(begin + chunk, share.end);
    for (const ByteRange& bytes : in.Bytes(begin, end)) fetch_.Push(bytes);
  }
  return mark;
}

uint64_t Pass::PlanAfterLayer(size_t layer) {
  const auto& layers = e_.model_.weights.layers;
  if (layer + 1 < layers.size()) return QkvProducts(layers[layer + 1]).Plan(w_, fetch_);
  const WeightView& head = e_.model_.weights.output.weight;
  const Worker::Share share = w_.ShareOf(s_.vocab, HeadChunk());
  return fetch_.Push(head.Bytes(share.begin, share.end));
}

void Pass::Begin(uint64_t next_mark) {
  start_ = mark_;
  mark_ = next_mark;
}

FetchStream* Pass::Reading(bool own, uint64_t at, std::span<const ByteRange> chunk) {
  if (own) {
    fetch_.Reach(at);
    return &fetch_;
  }
  state_.stolen.Restart(fetch_.lead());
  for (const ByteRange& range : chunk) state_.stolen.Push(range);
  return &state_.stolen;
}

void Pass::DropUnwanted() {
  n_ = e_.wanted_.size();
  dropped_ = true;
}

void Pass::Activate(float* gate, const float* up, size_t n) const {
  if (up == nullptr) {
    GeluTanh(gate, n, gate);
  } else if (s_.arch->activation == Activation::kSilu) {
    SiluMul(gate, up, n, gate);
  } else {
    GeluTanhMul(gate, up, n, gate);
  }
}

void Pass::ActivatedRows(const FfnInput& in, const FfnTokens& tokens, size_t begin, size_t end,
                         const Linear& down, FetchStream* fetch) {
  const size_t width = end - begin;
  float* gate = e_.ffn_.data() + w_.index() * e_.ffn_floats_;
  float* up = in.up ? gate + tokens.n * width : nullptr;
  MatMulRows(in.first, begin, end, *tokens.acts, tokens.acts_row, tokens.n, gate, width, fetch);
  if (up != nullptr) {
    MatMulRows(in.up, begin, end, *tokens.acts, tokens.acts_row, tokens.n, up, width, fetch);
  }
  for (size_t t = 0; t < tokens.n; ++t) {
    float* row = gate + t * width;
    Activate(row, up == nullptr ? nullptr : up + t * width, width);
    const size_t mid_row = tokens.mid_row + t;
    tokens.mid->Quantise(mid_row, begin, end, row);
    if (!UsesQuantRows(down.weight.type)) {
      std::copy_n(row, width, tokens.mid->Row(mid_row) + begin);
    }
  }
}

void Pass::FeedForward(size_t index) {
  const LayerWeights& layer = e_.model_.weights.layers[index];
  const FfnInput in = FfnInputOf(layer);
  const size_t chunk = FfnChunk(in);
  const Worker::Share share = w_.ShareOf(s_.ff, chunk);
  const Products down = DownProducts(layer);
  Begin(down.Plan(w_, fetch_));
  const FfnTokens tokens{&e_.normed_, RowOf(0), n_, &e_.mid_, 0};
  w_.For(s_.ff, chunk, [&](size_t begin, size_t end) {
    const bool own = begin >= share.begin && end <= share.end;
    FetchStream* fetch =
        Reading(own, start_ + (begin - share.begin) * in.row_bytes(), in.Bytes(begin, end));
    ActivatedRows(in, tokens, begin, end, layer.down, fetch);
  });
  w_.Barrier(&fetch_);
  clock_.Mark(Stage::kFfnUp);
  Begin(PlanAfterLayer(index));
  Multiply(down, e_.mid_, 0);
  clock_.Mark(Stage::kFfnDown);
}

void Pass::Head() {
  const Linear& output = e_.model_.weights.output;
  const size_t chunk = HeadChunk();
  const Worker::Share share = w_.ShareOf(s_.vocab, chunk);
  float* logits = e_.logits_.data();
  w_.For(s_.vocab, chunk, [&](size_t begin, size_t end) {
    const bool own = begin >= share.begin && end <= share.end;
    FetchStream* fetch = Reading(own, mark_ + (begin - share.begin) * output.weight.row_bytes,
                                 std::array{output.weight.Bytes(begin, end)});
    MatMulRows(output, begin, end, e_.normed_, RowOf(0), n_, logits + begin, s_.vocab, fetch);
    if (s_.final_soft_cap == 0.0f) return;
    for (size_t t = 0; t < n_; ++t) {
      SoftCap(logits + t * s_.vocab + begin, s_.final_soft_cap, end - begin);
    }
  });
  w_.Barrier();
  clock_.Mark(Stage::kHead);
}

}  // namespace smallmind
