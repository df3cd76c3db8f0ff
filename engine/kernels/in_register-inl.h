// Hints for GCC's and Clang's register allocation on x86: empty assembler statements, which cost
// nothing. Elsewhere they say nothing.
#if defined(SMALLMIND_ENGINE_KERNELS_IN_REGISTER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SMALLMIND_ENGINE_KERNELS_IN_REGISTER_INL_H_
#undef SMALLMIND_ENGINE_KERNELS_IN_REGISTER_INL_H_
#else
#define SMALLMIND_ENGINE_KERNELS_IN_REGISTER_INL_H_
#endif

#include "hwy/highway.h"

#undef SMALLMIND_HINTS_REGISTERS
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
#define SMALLMIND_HINTS_REGISTERS 1
#else
#define SMALLMIND_HINTS_REGISTERS 0
#endif

HWY_BEFORE_NAMESPACE();
namespace smallmind {
namespace HWY_NAMESPACE {

// Keeps a vector in its register, and the compiler from knowing what it is. GCC 12 with
// -march=znver4 otherwise loads a tile's activations anew for every row, more than its ports can:
// 20 % of F16 prefill.
template <class V>
HWY_INLINE V InRegister(V v) {
#if SMALLMIND_HINTS_REGISTERS
  asm("" : "+v"(v.raw));
#endif
  return v;
}

// The same, and what is in order before it stays before it: nothing is loaded ahead.
template <class V>
HWY_INLINE V InOrder(V v) {
#if SMALLMIND_HINTS_REGISTERS
  asm volatile("" : "+v"(v.raw));
#endif
  return v;
}

// What comes before cannot overwrite the register of v.
template <class V>
HWY_INLINE void StillUsed([[maybe_unused]] V v) {
#if SMALLMIND_HINTS_REGISTERS
  asm volatile("" : : "v"(v.raw));
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace smallmind
HWY_AFTER_NAMESPACE();

#endif  // toggle
