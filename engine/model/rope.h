// Rotary frequencies from metadata: plain, linear, llama3 and longrope factor tensors, YaRN.
#pragma once

#include <cstddef>
#include <string>

#include "engine/model/spec.h"

namespace smallmind {

// Fills spec.rope and spec.rope_local. Needs arch, head sizes and n_layers to be set.
void ReadRope(const GgufFile& file, const std::string& prefix, size_t context, ModelSpec* spec);

// cos and sin (n_rot/2 each) of one position, in double until the last rounding, so that every
// build that shares a libm agrees.
void RopeAngles(const RopeSpec& rope, size_t position, float* cos_out, float* sin_out);

}  // namespace smallmind
