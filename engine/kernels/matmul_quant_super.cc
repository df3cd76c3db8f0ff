// Products with the super-block types: traits of matmul_quant_super-inl.h under the drivers that
// matmul_quant.cc uses too, in a translation unit of their own. Tested in matmul_quant_test.cc.
#include "engine/kernels/matmul_quant.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/matmul_quant_super.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "engine/kernels/matmul_quant_run-inl.h"
#include "engine/kernels/matmul_quant_super-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

void Super(const QuantJob& job) {
  switch (job.w.type) {
    case DType::kQ2_K:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ2_K>>());
    case DType::kQ3_K:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ3_K>>());
    case DType::kQ4_K:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ4_K>>());
    case DType::kQ5_K:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ5_K>>());
    case DType::kQ6_K:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ6_K>>());
    case DType::kIQ4_XS:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kIQ4_XS>>());
    default:
      return;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smallmind {

HWY_EXPORT(Super);

void MatMulSuper(const QuantJob& job) { HWY_DYNAMIC_DISPATCH(Super)(job); }

}  // namespace smallmind
#endif  // HWY_ONCE
