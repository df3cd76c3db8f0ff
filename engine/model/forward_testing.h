// What tests of whole forward passes share: logits of every position for a way of running, and how
// two sets compare.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "engine/model/executor.h"
#include "engine/model/model.h"

namespace smallmind {

struct RunOptions {
  size_t threads = 1;
  size_t batch = 1000;
  DType kv = DType::kF32;
  size_t prefix = 0;  // leading tokens that go through as one batch, whatever `batch` says
  size_t cache_batch = SIZE_MAX;  // what the cache is made for; the prefix is cut by it
};

// tokens × vocab.
inline std::vector<float> Logits(const Model& model, std::span<const int32_t> tokens,
                                 const RunOptions& o) {
  Executor executor(model, o.threads);
  KvCache cache(Executor::CacheShape(model.spec, o.kv, tokens.size(), o.cache_batch));
  std::vector<float> all;
  for (size_t at = 0; at < tokens.size();) {
    const size_t cut = at < o.prefix ? std::min(o.prefix - at, o.cache_batch) : o.batch;
    const size_t end = std::min(tokens.size(), at + cut);
    std::vector<BatchToken> batch;
    for (; at < end; ++at) batch.push_back({tokens[at], &cache, at, true});
    const std::span<const float> out = executor.Forward(batch);
    all.insert(all.end(), out.begin(), out.end());
    cache.set_length(at);
  }
  return all;
}

// Σ(actual − reference)² / Σ reference².
inline double Nmse(std::span<const float> reference, std::span<const float> actual) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double d = double{actual[i]} - double{reference[i]};
    error += d * d;
    norm += double{reference[i]} * double{reference[i]};
  }
  return error / norm;
}

inline bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace smallmind
