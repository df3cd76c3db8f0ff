// The table of element types. Tested through decode_test.cc.
#include "engine/tensor/dtype.h"

#include <array>
#include <string>

#include "engine/base/ascii_case.h"
#include "engine/base/error.h"
#include "engine/tensor/blocks.h"

namespace smallmind {
namespace {

constexpr std::array<DTypeInfo, 15> kTypes = {{
    {DType::kF32, "F32", 1, 4},
    {DType::kF16, "F16", 1, 2},
    {DType::kBF16, "BF16", 1, 2},
    {DType::kQ4_0, "Q4_0", kBlock, sizeof(BlockQ4_0)},
    {DType::kQ4_1, "Q4_1", kBlock, sizeof(BlockQ4_1)},
    {DType::kQ5_0, "Q5_0", kBlock, sizeof(BlockQ5_0)},
    {DType::kQ5_1, "Q5_1", kBlock, sizeof(BlockQ5_1)},
    {DType::kQ8_0, "Q8_0", kBlock, sizeof(BlockQ8_0)},
    {DType::kQ2_K, "Q2_K", kSuperBlock, sizeof(BlockQ2_K)},
    {DType::kQ3_K, "Q3_K", kSuperBlock, sizeof(BlockQ3_K)},
    {DType::kQ4_K, "Q4_K", kSuperBlock, sizeof(BlockQ4_K)},
    {DType::kQ5_K, "Q5_K", kSuperBlock, sizeof(BlockQ5_K)},
    {DType::kQ6_K, "Q6_K", kSuperBlock, sizeof(BlockQ6_K)},
    {DType::kIQ4_NL, "IQ4_NL", kBlock, sizeof(BlockIQ4_NL)},
    {DType::kIQ4_XS, "IQ4_XS", kSuperBlock, sizeof(BlockIQ4_XS)},
}};

}  // namespace

std::span<const DTypeInfo> AllDTypes() { return kTypes; }

const DTypeInfo* FindDType(uint32_t ggml_id) {
  for (const DTypeInfo& info : kTypes) {
    if (static_cast<uint32_t>(info.type) == ggml_id) return &info;
  }
  return nullptr;
}

const DTypeInfo* FindDType(std::string_view name) {
  for (const DTypeInfo& info : kTypes) {
    if (SameIgnoringCase(info.name, name)) return &info;
  }
  return nullptr;
}

const DTypeInfo& Info(DType type) {
  const DTypeInfo* info = FindDType(static_cast<uint32_t>(type));
  if (info == nullptr) {
    throw InternalError("no dtype with id " + std::to_string(static_cast<uint32_t>(type)));
  }
  return *info;
}

}  // namespace smallmind
