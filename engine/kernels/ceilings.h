// What the machine can do at most: work without a model around it, for one thread.
//
// Pure functions; a caller runs one on each of its threads at once and divides by the wall time.
// Arithmetic keeps everything in registers, reading touches every byte once; pick a buffer well
// beyond the last cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace smallmind {

// Operations done by one call: a multiply and an add count as two. `sink` keeps the compiler
// honest.
struct CeilingWork {
  double operations = 0.0;
  float sink = 0.0f;
};

CeilingWork FmaWork(size_t iterations);      // float32 fused multiply-add
CeilingWork Int8DotWork(size_t iterations);  // uint8 (of 4 bits where faster) × int8 into int32
CeilingWork Bf16DotWork(
    size_t iterations);  // pairs of BF16 into float32; emulated where not native

// Reads every 64-byte line of `bytes`; returns something that depends on all of them.
uint64_t ReadWork(std::span<const uint8_t> bytes);

}  // namespace smallmind
