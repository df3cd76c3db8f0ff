// Wall time of a forward pass by stage, seen from worker 0, its barriers included.
//
// Off unless asked for (a null pointer). On, it costs worker 0 a clock read a stage, 23 ns
// (barrier_bench, Mark): 5 µs of a token of a 135M model, 0.2 %.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/runtime/clock.h"

namespace smallmind {

enum class Stage {
  kEmbed,
  kNorm,
  kQkv,
  kRope,
  kAttention,
  kAttnOut,
  kFfnUp,
  kFfnDown,
  kHead,
  kCount
};

inline constexpr std::array<std::string_view, static_cast<size_t>(Stage::kCount)> kStageNames = {
    "embed", "norm", "qkv", "rope", "attention", "attn_out", "ffn_up", "ffn_down", "head"};

struct StageTimers {
  struct Entry {
    int64_t calls = 0;
    int64_t ns = 0;
  };
  std::array<Entry, static_cast<size_t>(Stage::kCount)> entries;
};

// Adds the time since the last mark to a stage.
class StageClock {
 public:
  explicit StageClock(StageTimers* timers) : timers_(timers) {
    if (timers_ != nullptr) last_ = NowNs();
  }
  void Mark(Stage stage) {
    if (timers_ == nullptr) return;
    const int64_t now = NowNs();
    StageTimers::Entry& entry = timers_->entries[static_cast<size_t>(stage)];
    ++entry.calls;
    entry.ns += now - last_;
    last_ = now;
  }

 private:
  StageTimers* timers_;
  int64_t last_ = 0;
};

}  // namespace smallmind
