// Vector operations of a transformer layer: norms, activations, rotary embedding. Pure,
// single-threaded.
#pragma once

#include <cstddef>

namespace smallmind {

// out = x / rms(x) · weight; rms over n, sum of squares in the contract's order, eps inside the
// root. weight may be null (all ones). out may alias x.
void RmsNorm(const float* x, const float* weight, size_t n, float eps, float* out);
// out = (x − mean)/sqrt(var + eps) · weight + bias; weight and bias may be null.
void LayerNorm(const float* x, const float* weight, const float* bias, size_t n, float eps,
               float* out);

void AddInPlace(float* x, const float* y, size_t n);                     // x += y
void ScaleInPlace(float* x, float s, size_t n);                          // x *= s
void ScaledAddInPlace(float* x, const float* y, float s, size_t n);      // x = fma(s, y, x)
void SiluMul(const float* gate, const float* up, size_t n, float* out);  // silu(gate)·up
// GELU (tanh form) of F16 values, as the field's engines tabulate it: argument and result rounded
// to F16.
void GeluTanhMul(const float* gate, const float* up, size_t n, float* out);  // gelu_tanh(gate)·up
void GeluTanh(const float* x, size_t n, float* out);
void SoftCap(float* x, float cap, size_t n);  // x = cap·tanh(x/cap)
// In place; returns nothing. Max first, then exp, sum in the contract's order, then divide.
void Softmax(float* x, size_t n);

// Index of the highest, the lowest index among equals; NaN is never chosen. n where no element is
// above −infinity.
size_t ArgMax(const float* x, size_t n);

// Rotates one head of n_rot leading elements (even). cos/sin have n_rot/2 entries.
// Neox pairs (i, i + n_rot/2); interleaved (llama's "norm") pairs (2i, 2i + 1).
void RopeNeox(float* head, size_t n_rot, const float* cos, const float* sin);
void RopeInterleaved(float* head, size_t n_rot, const float* cos, const float* sin);

}  // namespace smallmind
