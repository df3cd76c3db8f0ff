// Products with the quantised types: each type's trait under the common drivers. Tested in
// matmul_quant_test.cc against matmul_oracle.h, to the bit, for every type, odd shapes, 1 to 20
// tokens and every attainable target.
#ifndef HWY_COMPILE_ONLY_STATIC
// AVX3_ZEN4 is AVX3_DL and dots of BF16, which no kernel here has: there dispatch takes AVX3_DL's,
// a fifth of the time to compile and of the code less.
#undef SMALLMIND_NO_TARGETS
#define SMALLMIND_NO_TARGETS HWY_AVX3_ZEN4
#endif
#include "engine/kernels/matmul_quant.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/matmul_quant.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "engine/kernels/matmul_quant_run-inl.h"
#include "engine/kernels/matmul_quant_super-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

#if HWY_ARCH_X86 && !defined(HWY_COMPILE_ONLY_STATIC)
// What dispatch takes on the best processor does there what a build for that processor alone does.
static_assert(HWY_TARGET != (HWY_TARGETS & -HWY_TARGETS) || quant::kFetchesIntoL1);
#endif

template <DType kType>
void RunType(const QuantJob& job) {
  using W = quant::Weights<kType>;
  if constexpr (CanPack(kType)) {
    if (job.w.packed) return quant::Run(job, quant::KernelsOf<W, true>());
  }
  quant::Run(job, quant::KernelsOf<W, false>());
}

void MatMulQuant(const QuantJob& job) {
  switch (job.w.type) {
    case DType::kQ4_0:
      return RunType<DType::kQ4_0>(job);
    case DType::kQ4_1:
      return RunType<DType::kQ4_1>(job);
    case DType::kQ5_0:
      return RunType<DType::kQ5_0>(job);
    case DType::kQ5_1:
      return RunType<DType::kQ5_1>(job);
    case DType::kQ8_0:
      return RunType<DType::kQ8_0>(job);
    case DType::kQ2_K:
      return RunType<DType::kQ2_K>(job);
    case DType::kQ3_K:
      return RunType<DType::kQ3_K>(job);
    case DType::kQ4_K:
      return RunType<DType::kQ4_K>(job);
    case DType::kQ5_K:
      return RunType<DType::kQ5_K>(job);
    case DType::kQ6_K:
      return RunType<DType::kQ6_K>(job);
    case DType::kIQ4_NL:
      return RunType<DType::kIQ4_NL>(job);
    case DType::kIQ4_XS:
      return RunType<DType::kIQ4_XS>(job);
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      return;  // matmul_float's; a new type without a case does not compile
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(MatMulQuant);

void MatMulQuant(const QuantJob& job) { HWY_DYNAMIC_DISPATCH(MatMulQuant)(job); }

}  // namespace smallmind
#endif  // HWY_ONCE
