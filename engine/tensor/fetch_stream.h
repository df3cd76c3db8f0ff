// The order in which one thread is going to read weights, so that memory works ahead of it.
//
// A planner pushes the ranges to come; kernels say how much they read and are told what to
// prefetch meanwhile, `lead` bytes ahead, across the ends of matrices; a thread that waits for
// others fetches more. What another thread reads in its stead is caught up with at the next mark.
// Nothing here changes a result.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/tensor/view.h"

namespace smallmind {

// Memory to fetch while something else is worked on, `step` bytes at a time: into L2 and no nearer,
// because prefetches into L1 are bounded by its miss buffers (one thread on Zen 4: 11 GB/s against
// 17). A step of 0 fetches nothing.
struct Ahead {
  const uint8_t* at = nullptr;
  size_t step = 0;
  [[gnu::always_inline]] void Fetch() {
    for (size_t i = 0; i < step; i += 64) __builtin_prefetch(at + i, 0, 2);
    at += step;
  }
};

// Whether L1 has room and miss buffers for what is fetched ahead in steady steps. Zen 5 has, and no
// AMD processor before it has AVX512_VP2INTERSECT.
inline bool FetchesIntoL1() {
#if defined(__x86_64__)
  return __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512vp2intersect");
#else
  return false;
#endif
}

class FetchStream {
 public:
  static constexpr size_t kFirstLead = size_t{64} << 10;  // until a kernel knows better
  // Short rows are read before what is nearer arrives (576 columns: Q4_0 on Zen 5 1.1 times as fast
  // as with 5 KiB, F16 1.3 and BF16 1.1 on Zen 4; no difference on Zen 3).
  static constexpr size_t kLeastLead = size_t{16} << 10;

  // lead: bytes between what is read and what is fetched; to cover the rows that are read abreast.
  explicit FetchStream(size_t lead = 0) : lead_(lead) {}
  size_t lead() const { return lead_; }

  // `bytes` from now on, kLeastLead at the least: for kernels that know what they read abreast of
  // one matrix. `stream` may be null.
  static void SetLead(FetchStream* stream, size_t bytes) {
    if (stream != nullptr) stream->lead_ = std::max(bytes, kLeastLead);
  }

  // Forgets everything but its memory.
  void Restart(size_t lead) {
    lead_ = lead;
    ranges_.clear();
    next_ = 0;
    pushed_ = taken_ = read_ = 0;
  }

  // Where what is pushed next starts.
  uint64_t end() const { return pushed_; }

  // What is read after everything pushed so far. Returns the mark of its start.
  uint64_t Push(ByteRange range) {
    const uint64_t mark = pushed_;
    pushed_ += range.bytes;
    if (next_ == ranges_.size()) {
      ranges_.clear();
      next_ = 0;
    } else if (ranges_.back().data + ranges_.back().bytes == range.data) {
      ranges_.back().bytes += range.bytes;
      return mark;
    }
    ranges_.push_back(range);
    return mark;
  }

  // Everything pushed before `mark` has been read, by whomever.
  void Reach(uint64_t mark) { read_ = mark; }

  // `bytes` more are about to be read: what to fetch meanwhile, at most twice as much.
  ByteRange Read(size_t bytes) {
    read_ += bytes;
    return Take(2 * bytes, lead_);
  }

  // As Read, in `steps` ≥ 1 pieces. `stream` may be null.
  static Ahead Beside(FetchStream* stream, size_t bytes, size_t steps) {
    const ByteRange piece = stream == nullptr ? ByteRange{} : stream->Read(bytes);
    return {piece.data, (piece.bytes + steps - 1) / steps};
  }

  // `bytes` were read, and what comes next was fetched without asking here.
  void Skip(size_t bytes) { read_ += bytes; }

  // Nothing is read now: up to `bytes` more to fetch, as long as no more than four leads are ahead.
  ByteRange Wait(size_t bytes) { return Take(bytes, 4 * lead_); }

 private:
  ByteRange Take(size_t most, size_t lead) {
    while (next_ < ranges_.size()) {
      ByteRange& range = ranges_[next_];
      const uint64_t end = taken_ + range.bytes;
      if (range.bytes == 0 || end <= read_) {  // read before it could be fetched
        taken_ = end;
        ++next_;
        continue;
      }
      if (taken_ < read_) {
        const size_t late = static_cast<size_t>(read_ - taken_);
        range = {range.data + late, range.bytes - late};
        taken_ = read_;
      }
      const uint64_t ahead = taken_ - read_;
      if (ahead >= lead) return {};
      const size_t want = std::min(most, static_cast<size_t>(lead - ahead));
      const ByteRange piece = {range.data, std::min(want, range.bytes)};
      range = {range.data + piece.bytes, range.bytes - piece.bytes};
      taken_ += piece.bytes;
      return piece;
    }
    return {};
  }

  size_t lead_;
  std::vector<ByteRange> ranges_;
  size_t next_ = 0;  // the first range that is not all taken
  uint64_t pushed_ = 0, taken_ = 0, read_ = 0;
};

}  // namespace smallmind
