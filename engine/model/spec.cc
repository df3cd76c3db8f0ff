// Reads the numbers, checks that they can describe a transformer, derives the rest.
//
// Limits are far above any published model and keep every later product inside 64 bits and the
// allocation sizes sane before the weights confirm the shapes. Tested in spec_test.cc and by the
// hostile-file tests.

#include "engine/model/spec.h"

#include <cmath>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/model/rope.h"

namespace smallmind {
namespace {

class Reader {
 public:
  Reader(const GgufFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  // An integer in [low, high]; a per-layer array is accepted where all its entries agree.
  size_t Count(const std::string& key, uint64_t low, uint64_t high) const {
    return Check(key, Raw(key), low, high);
  }
  size_t Count(const std::string& key, uint64_t low, uint64_t high, size_t fallback) const {
    return Check(key, file_.Has(prefix_ + key) ? Raw(key) : fallback, low, high);
  }
  float Positive(const std::string& key, double fallback) const {
    const double value = file_.Float(prefix_ + key, fallback);
    if (value == 0 || FitsFloat32(value)) return static_cast<float>(value);
    throw InputError(file_.path() + ": " + prefix_ + key +
                     " must be 0 or a positive number that a float32 holds");
  }

 private:
  uint64_t Raw(const std::string& key) const {
    const std::string full = prefix_ + key;
    if (!file_.IsArray(full)) return file_.Uint(full);
    const std::vector<int32_t> values = file_.Array(full)->Ints();
    for (int32_t v : values) {
      if (v != values[0]) {
        throw InputError(file_.path() + ": " + full +
                         " differs between layers, which is not supported");
      }
    }
    if (values.empty() || values[0] < 0) {
      throw InputError(file_.path() + ": " + full +
                       (values.empty() ? " is an empty array" : " has negative entries"));
    }
    return static_cast<uint64_t>(values[0]);
  }
  size_t Check(const std::string& key, uint64_t value, uint64_t low, uint64_t high) const {
    if (value < low || value > high) {
      throw InputError(file_.path() + ": " + prefix_ + key + " is " + std::to_string(value) +
                       ", allowed: " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value;
  }

  const GgufFile& file_;
  std::string prefix_;
};

// The window of a file that says none.
size_t UnsaidWindow(const ModelSpec& s) {
  const bool first = s.context_train == 4096 && (s.n_layers == 32 || s.n_layers == 40);
  return s.arch->first_files_window && first ? 2047 : s.arch->default_window;
}

void ReadWindows(const GgufFile& file, const std::string& prefix, const Reader& read,
                 ModelSpec* spec) {
  const Architecture& arch = *spec->arch;
  spec->layer_windowed.assign(spec->n_layers, false);
  if (arch.window == WindowKind::kNone) return;
  spec->window = read.Count("attention.sliding_window", 0, 1u << 30, UnsaidWindow(*spec));
  if (spec->window == 0) return;
  const std::string pattern_key = prefix + "attention.sliding_window_pattern";
  if (arch.window == WindowKind::kPeriodic && file.IsArray(pattern_key)) {
    // One flag a layer.
    const std::vector<int32_t> flags = file.Array(pattern_key)->Ints();
    if (flags.size() < spec->n_layers) {
      throw InputError(file.path() + ": " + pattern_key + " has " + std::to_string(flags.size()) +
                       " entries for " + std::to_string(spec->n_layers) + " layers");
    }
    for (size_t i = 0; i < spec->n_layers; ++i) spec->layer_windowed[i] = flags[i] != 0;
    return;
  }
  // A period of 0 has no last layer.
  const size_t period =
      arch.window == WindowKind::kAll
          ? 0
          : read.Count("attention.sliding_window_pattern", 0, 1024, arch.window_period);
  for (size_t layer = 0; layer < spec->n_layers; ++layer) {
    spec->layer_windowed[layer] = period == 0 || layer % period != period - 1;
  }
}

size_t VocabularySize(const GgufFile& file, const std::string& prefix) {
  if (const GgufTensor* embedding = file.Tensor("token_embd.weight")) {
    // The embedding decides; a stated size that disagrees is an error of the file.
    const uint64_t rows = embedding->ne[1];
    const uint64_t stated = file.Uint(prefix + "vocab_size", rows);
    if (stated != rows) {
      throw InputError(file.path() + ": " + prefix + "vocab_size is " + std::to_string(stated) +
                       " but token_embd.weight has " + std::to_string(rows) + " rows");
    }
    return rows;
  }
  throw InputError(file.path() + ": tensor token_embd.weight is missing");
}

}  // namespace

ModelSpec ReadSpec(const GgufFile& file, size_t context) {
  if (const uint64_t parts = file.Uint("split.count", 0); parts > 1) {
    throw InputError(file.path() + ": one of " + std::to_string(parts) +
                     " parts of a split model; join the parts to one file first");
  }
  ModelSpec spec;
  spec.arch = &FindArchitecture(file.String("general.architecture"), file.path());
  const std::string prefix = std::string(spec.arch->name) + ".";
  const Reader read(file, prefix);
  spec.name = std::string(file.String("general.name", "unnamed"));
  spec.n_layers = read.Count("block_count", 1, 1024);
  spec.dim = read.Count("embedding_length", 1, 1u << 20);
  spec.ff = read.Count("feed_forward_length", 0, 1u << 22, 0);
  spec.n_heads = read.Count("attention.head_count", 1, 4096);
  spec.n_kv_heads = read.Count("attention.head_count_kv", 1, 4096, spec.n_heads);
  spec.context_train = read.Count("context_length", 1, 1u << 30, 2048);
  if (spec.n_heads % spec.n_kv_heads != 0) {
    throw InputError(file.path() + ": " + std::to_string(spec.n_heads) + " heads cannot share " +
                     std::to_string(spec.n_kv_heads) + " KV heads evenly");
  }
  if (spec.dim % spec.n_heads != 0 && !file.Has(prefix + "attention.key_length")) {
    throw InputError(file.path() + ": embedding length " + std::to_string(spec.dim) +
                     " is not a multiple of " + std::to_string(spec.n_heads) +
                     " heads and attention.key_length is missing");
  }
  const size_t even = std::max<size_t>(1, spec.dim / spec.n_heads);
  spec.head_dim_k = read.Count("attention.key_length", 1, 65536, even);
  spec.head_dim_v = read.Count("attention.value_length", 1, 65536, even);
  spec.vocab = VocabularySize(file, prefix);

  const bool rms = spec.arch->norm == NormKind::kRms;
  spec.norm_eps = read.Positive(
      rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", 1e-5);
  const double per_head = spec.arch->dim_scaled_layers == spec.n_layers
                              ? static_cast<double>(spec.dim) / static_cast<double>(spec.n_heads)
                              : static_cast<double>(spec.head_dim_k);
  spec.attn_scale = read.Positive("attention.scale", 0.0);
  if (spec.attn_scale == 0.0f) spec.attn_scale = static_cast<float>(1.0 / std::sqrt(per_head));
  spec.attn_soft_cap = read.Positive("attn_logit_softcapping", spec.arch->attn_soft_cap);
  spec.final_soft_cap = read.Positive("final_logit_softcapping", spec.arch->final_soft_cap);
  if (spec.arch->scaled_embedding) spec.embed_scale = std::sqrt(static_cast<float>(spec.dim));

  spec.n_experts = read.Count("expert_count", 0, 1024, 0);
  if (spec.n_experts > 0) {
    spec.n_experts_used = read.Count("expert_used_count", 1, spec.n_experts);
    spec.expert_ff = read.Count("expert_feed_forward_length", 1, 1u << 22, spec.ff);
  }
  if (spec.ff == 0 && spec.expert_ff == 0) {
    throw InputError(file.path() + ": " + prefix + "feed_forward_length is missing or 0");
  }
  ReadWindows(file, prefix, read, &spec);
  ReadRope(file, prefix, context, &spec);
  return spec;
}

}  // namespace smallmind
