// Open addressing from a 64-bit hash to an entry's number, 4 bytes a slot: what the tables of a
// vocabulary share. The texts themselves are the table's business.
//
// A slot holds an entry's number and as many bits of the hash as are left (14 with 150,000
// entries): entries are compared only where those agree, so a miss almost never touches their
// texts. Linear probing at a load of at most 2/3. A large table's slots are not in the cache:
// callers compute hashes and Prefetch kBatch of them before they insert.
//
// An entry lies within kReach slots of its hash's own, so that texts chosen to collide cost a
// look-up that much and no more; a table that would need more is refused. Random hashes of a
// million entries need about 190, ln(n) / (2/3 − 1 − ln(2/3)). Tested through the tables, in
// tokenizer_test.cc and hostile_vocab_test.cc.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace smallmind {

class TaggedSlots {
 public:
  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr size_t kBatch = 32;
  static constexpr size_t kReach = 512;

  TaggedSlots() = default;
  // For entries 0 … count − 1, count below 2^31.
  explicit TaggedSlots(size_t count)
      : slots_(std::bit_ceil(count + count / 2 + 2), kNone),
        entry_mask_((uint32_t{1} << std::bit_width(count)) - 1),
        mask_(slots_.size() - 1) {}

  void Prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_], 1); }

  // The entry of this hash for which is(entry) holds; kNone where there is none.
  template <class Is>
  uint32_t Find(uint64_t hash, Is is) const {
    if (slots_.empty()) return kNone;
    const size_t at = At(hash, is);
    if (at == kFull || slots_[at] == kNone) return kNone;
    return slots_[at] & entry_mask_;
  }

  // Adds `entry` unless there is one like it: of equals the first wins. False where no slot within
  // reach is free.
  template <class Is>
  [[nodiscard]] bool Insert(uint32_t entry, uint64_t hash, Is is) {
    const size_t at = At(hash, is);
    if (at == kFull) return false;
    if (slots_[at] == kNone) slots_[at] = Tag(hash) | entry;
    return true;
  }

 private:
  static constexpr size_t kFull = ~size_t{0};

  // Where such an entry is, or would be; kFull where neither is within reach.
  template <class Is>
  size_t At(uint64_t hash, Is is) const {
    const uint32_t tag = Tag(hash);
    for (size_t i = hash & mask_, left = kReach; left > 0; i = (i + 1) & mask_, --left) {
      const uint32_t slot = slots_[i];
      if (slot == kNone) return i;
      if ((slot & ~entry_mask_) == tag && is(slot & entry_mask_)) return i;
    }
    return kFull;
  }
  uint32_t Tag(uint64_t hash) const { return static_cast<uint32_t>(hash >> 32) & ~entry_mask_; }

  std::vector<uint32_t> slots_;  // kNone is free: no entry has all ones
  uint32_t entry_mask_ = 0;      // an entry's bits in a slot; the others are the tag's
  size_t mask_ = 0;
};

}  // namespace smallmind
