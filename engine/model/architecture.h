// The architecture table: what a GGUF's general.architecture means beyond its metadata numbers.
//
// One row per architecture drives the one forward pass. Optional tensors (biases, QK norms, fused
// projections, experts, post-norms) are found by name when the weights are bound and need no flag.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace smallmind {

enum class NormKind { kRms, kLayer };
enum class RopeKind { kNone, kInterleaved, kNeox };  // pairs (2i, 2i+1) or (i, i + n/2)
enum class Activation { kSilu, kGeluTanh };
enum class WindowKind {
  kNone,      // every layer sees everything
  kAll,       // every layer has the window
  kPeriodic,  // all but the last of every `window_period` layers
};

struct Architecture {
  std::string_view name;
  NormKind norm = NormKind::kRms;
  RopeKind rope = RopeKind::kNeox;
  Activation activation = Activation::kSilu;
  bool gated_ffn = true;            // act(gate)·up, else act(up)
  bool position_embedding = false;  // learned positions added to the embedding
  bool scaled_embedding = false;    // embedding × √dim
  WindowKind window = WindowKind::kNone;
  size_t default_window = 0;        // where the metadata gives none
  size_t window_period = 0;         // likewise
  double attn_soft_cap = 0.0;       // likewise
  double final_soft_cap = 0.0;      // likewise
  bool first_files_window = false;  // likewise: those of 4096 positions and 32 or 40 layers, 2047
  // Layer count whose attention scale is 1/√(dim/heads) instead of 1/√head_dim: the largest gemma2
  // and gemma3.
  size_t dim_scaled_layers = 0;
  float local_rope_base = 0;  // rope base of windowed layers where it differs (gemma3)
};

std::span<const Architecture> Architectures();
// Throws InputError naming `file` and the architectures that work.
const Architecture& FindArchitecture(std::string_view name, std::string_view file);

}  // namespace smallmind
