// Do all variants compute the same bits? `smallmind logits` of every variant, at several thread
// counts, batch splits and forced Highway targets, against the reference variant's own logits.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/process.h"
#include "harness/record.h"

namespace smallmind::harness {

struct VerifyPlan {
  std::vector<VariantInfo> variants;  // built ones; the first is the reference
  std::vector<ModelInfo> models;
  std::string tokens;  // "1,2,3"
  std::vector<int> threads;
  std::vector<int> batches;       // 0: the whole prompt
  bool all_targets = true;        // every target that a binary says it can run
  std::filesystem::path scratch;  // an existing folder for the logits
};

enum class VerifyStatus { kIdentical, kDifferent, kNotPromised, kFailed };

struct VerifyCell {
  std::string variant, model;
  std::string setting;  // "default", "threads 2", "batch 1", "target AVX2"
  VerifyStatus status = VerifyStatus::kFailed;
  std::string detail;  // how far apart, or why it failed
};

// One setting is varied at a time. A difference on a target without fused multiply-add is
// kNotPromised: the order contract names FMA-capable targets only.
std::vector<VerifyCell> VerifyBits(const VerifyPlan& plan, ProcessRunner& processes,
                                   const std::atomic<bool>& interrupt);

// A table of models (rows) by what was varied (columns) for each variant, then every deviation.
std::string VerifyText(const std::vector<VerifyCell>& cells);

// 0, 3 where bits differ that must not, 1 where something failed.
int VerifyExitCode(const std::vector<VerifyCell>& cells);

// "" for equal contents, else how they differ as little-endian float32.
std::string CompareFloats(const std::string& a, const std::string& b);

}  // namespace smallmind::harness
