// Products with the simple block types. The work is in matmul_quant_run-inl.h. Tested in
// matmul_quant_test.cc against matmul_oracle.h, to the bit, for every type, odd shapes, 1 to 20
// tokens and every attainable target.
#include "engine/kernels/matmul_quant.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels/matmul_quant.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "engine/kernels/matmul_quant_run-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {
namespace {

void Simple(const QuantJob& job) {
  switch (job.w.type) {
    case DType::kQ4_0:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ4_0>>());
    case DType::kQ4_1:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ4_1>>());
    case DType::kQ5_0:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ5_0>>());
    case DType::kQ5_1:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ5_1>>());
    case DType::kQ8_0:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kQ8_0>>());
    case DType::kIQ4_NL:
      return quant::Run(job, quant::KernelsOf<quant::Weights<DType::kIQ4_NL>>());
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

HWY_EXPORT(Simple);

void MatMulSimple(const QuantJob& job) { HWY_DYNAMIC_DISPATCH(Simple)(job); }

}  // namespace smallmind
#endif  // HWY_ONCE
