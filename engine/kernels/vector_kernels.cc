// The translation unit of every kernel but the quantised products (matmul_quant.cc). Highway's
// headers take 4.5 CPU seconds a unit to parse for five targets, more than any of these kernels
// takes to compile; so they share one.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/vector_kernels.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "engine/kernels/attention-inl.h"
#include "engine/kernels/ceilings-inl.h"
#include "engine/kernels/matmul_float-inl.h"
#include "engine/kernels/ops-inl.h"
#include "engine/kernels/quantize_acts-inl.h"
