// inv_freq[i] = base^(−2i/n_rot), then per scaling type:
//   linear   ÷ factor (Chen et al. 2023, position interpolation)
//   factors  ÷ rope_freqs.weight[i] (llama3) or the long or short factors (LongRoPE, phi3)
//   yarn     blend of interpolated and original by wavelength (Peng et al. 2023); magnitude ×
//            1 + 0.1·ln(factor)
// Whatever the type, the magnitude begins with the attention factor. Tested by rope_test.cc against
// the papers' formulas and by the golden models.

#include "engine/model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

struct Scaling {
  std::string type = "linear";
  double factor = 1.0;
  uint64_t original_context = 0;
  double attn_factor = 1.0;
  double beta_fast = 32.0;
  double beta_slow = 1.0;
};

// Pair index whose wavelength makes `turns` rotations over the original context.
double CorrectionDim(double n_rot, double original_context, double turns, double base) {
  return n_rot * std::log(original_context / (turns * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(base));
}

std::vector<double> BaseFrequencies(size_t n_rot, double base) {
  std::vector<double> freq(n_rot / 2);
  for (size_t i = 0; i < freq.size(); ++i) {
    freq[i] = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(n_rot));
  }
  return freq;
}

void ApplyYarn(const Scaling& s, size_t n_rot, double base, RopeSpec* rope) {
  const double last = static_cast<double>(n_rot) - 1.0;
  const double low = std::max(
      0.0, std::floor(CorrectionDim(double(n_rot), s.original_context, s.beta_fast, base)));
  const double high = std::min(
      last, std::ceil(CorrectionDim(double(n_rot), s.original_context, s.beta_slow, base)));
  for (size_t i = 0; i < rope->inv_freq.size(); ++i) {
    const double ramp = (static_cast<double>(i) - low) / std::max(0.001, high - low);
    const double extrapolate = 1.0 - std::clamp(ramp, 0.0, 1.0);
    const double original = rope->inv_freq[i];
    rope->inv_freq[i] = original / s.factor * (1.0 - extrapolate) + original * extrapolate;
  }
  rope->magnitude *= static_cast<float>(1.0 + 0.1 * std::log(s.factor));
}

// Divides by a tensor of per-pair factors: its name is the format's.
void ApplyFactors(const GgufFile& file, const GgufTensor& tensor, RopeSpec* rope) {
  if (tensor.type != DType::kF32 || tensor.elements() != rope->inv_freq.size()) {
    throw InputError(file.path() + ": tensor " + std::string(tensor.name) + " has " +
                     std::to_string(tensor.elements()) + " elements of " +
                     std::string(Info(tensor.type).name) + ", expected " +
                     std::to_string(rope->inv_freq.size()) + " of F32");
  }
  const auto* factors = reinterpret_cast<const float*>(tensor.data.data());
  for (size_t i = 0; i < rope->inv_freq.size(); ++i) {
    if (!(std::isfinite(factors[i]) && factors[i] > 0)) {
      throw InputError(file.path() + ": tensor " + std::string(tensor.name) +
                       " holds a factor that is not positive");
    }
    rope->inv_freq[i] /= factors[i];
  }
}

double ReadBase(const GgufFile& file, const std::string& key, double fallback) {
  const double base = file.Float(key, fallback);
  if (!(base > 1.0 && std::isfinite(base))) {
    throw InputError(file.path() + ": " + key + " must be a number above 1");
  }
  return base;
}

// What later becomes a float.
double ReadPositive(const GgufFile& file, const std::string& key, double fallback) {
  const double value = file.Float(key, fallback);
  if (!FitsFloat32(value)) {
    throw InputError(file.path() + ": " + key + " must be positive and finite");
  }
  return value;
}

}  // namespace

void ReadRope(const GgufFile& file, const std::string& prefix, size_t context, ModelSpec* spec) {
  if (spec->arch->rope == RopeKind::kNone) return;
  const size_t n_rot = file.Uint(prefix + "rope.dimension_count", spec->head_dim_k);
  if (n_rot == 0 || n_rot % 2 != 0 || n_rot > spec->head_dim_k) {
    throw InputError(file.path() + ": " + prefix + "rope.dimension_count is " +
                     std::to_string(n_rot) + ", allowed: even, 2 to the head size " +
                     std::to_string(spec->head_dim_k));
  }
  const double base = ReadBase(file, prefix + "rope.freq_base", 10000.0);
  Scaling s;
  // A factor without a type is linear; an explicit "none" scales nothing.
  s.type = std::string(file.String(prefix + "rope.scaling.type", "linear"));
  s.factor =
      file.Float(prefix + "rope.scaling.factor", file.Float(prefix + "rope.scale_linear", 1.0));
  if (s.factor == 0.0) s.factor = 1.0;
  if (!(s.factor > 0.0 && std::isfinite(s.factor))) {
    throw InputError(file.path() + ": " + prefix + "rope.scaling.factor must be positive");
  }
  s.original_context =
      file.Uint(prefix + "rope.scaling.original_context_length", spec->context_train);
  s.attn_factor = ReadPositive(file, prefix + "rope.scaling.attn_factor", 1.0);
  s.beta_fast = ReadPositive(file, prefix + "rope.scaling.yarn_beta_fast", 32.0);
  s.beta_slow = ReadPositive(file, prefix + "rope.scaling.yarn_beta_slow", 1.0);

  RopeSpec rope{.kind = spec->arch->rope,
                .n_rot = n_rot,
                .inv_freq = BaseFrequencies(n_rot, base),
                .magnitude = static_cast<float>(s.attn_factor)};
  const size_t positions = context == 0 ? DefaultContext(spec->context_train) : context;
  const bool long_context = positions > s.original_context;
  if (!long_context && file.Tensor("rope_factors_long.weight") != nullptr) {
    spec->rope_context = s.original_context;
  }
  for (const char* name : {"rope_freqs.weight", long_context ? "rope_factors_long.weight"
                                                             : "rope_factors_short.weight"}) {
    if (const GgufTensor* factors = file.Tensor(name)) ApplyFactors(file, *factors, &rope);
  }
  if (s.type == "yarn" && s.factor != 1.0 && s.original_context > 0) {
    ApplyYarn(s, n_rot, base, &rope);
  } else if (s.type == "linear" || s.type == "longrope") {
    for (double& f : rope.inv_freq) f /= s.factor;
  } else if (s.type != "none" && s.type != "yarn" && s.type != "llama3") {
    throw InputError(file.path() + ": " + prefix + "rope.scaling.type is " + Quote(s.type) +
                     ", allowed: none, linear, yarn, longrope, llama3");
  }
  spec->rope = rope;
  spec->rope_local = rope;
  if (spec->arch->local_rope_base > 0) {
    // Windowed layers of such models never see far, so their rotation is not scaled.
    const double local_base =
        ReadBase(file, prefix + "rope.freq_base_swa", spec->arch->local_rope_base);
    spec->rope_local.inv_freq = BaseFrequencies(n_rot, local_base);
    spec->rope_local.magnitude = static_cast<float>(s.attn_factor);
  }
}

void RopeAngles(const RopeSpec& rope, size_t position, float* cos_out, float* sin_out) {
  for (size_t i = 0; i < rope.inv_freq.size(); ++i) {
    const double angle = static_cast<double>(position) * rope.inv_freq[i];
    cos_out[i] = static_cast<float>(std::cos(angle)) * rope.magnitude;
    sin_out[i] = static_cast<float>(std::sin(angle)) * rope.magnitude;
  }
}

}  // namespace smallmind
