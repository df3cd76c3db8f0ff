// Open addressing from a 64-bit hash to an entry's number, 4 bytes a slot: what the tables of a
// vocabulary share. The texts themselves are the table's business.
//
// A slot holds an entry's number and as many bits of the hash as are left (14 with 150,000
// entries): entries are compared only where those agree, so a miss almost never touches their
// texts. Linear probing at a load of at most 2/3. A large table's slots are not in the cache:
// callers compute hashes and Prefetch kBatch of them before they insert. Tested through the tables,
// in tokenizer_test.cc and hostile_vocab_test.cc.
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
    const uint32_t slot = slots_[At(hash, is)];
    return slot == kNone ? kNone : slot & entry_mask_;
  }

  // Adds `entry` unless there is one like it: of equals the first wins.
  template <class Is>
  void Insert(uint32_t entry, uint64_t hash, Is is) {
    uint32_t& slot = slots_[At(hash, is)];
    if (slot == kNone) slot = Tag(hash) | entry;
  }

 private:
  // Where such an entry is, or would be.
  template <class Is>
  size_t At(uint64_t hash, Is is) const {
    const uint32_t tag = Tag(hash);
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const uint32_t slot = slots_[i];
      if (slot == kNone) return i;
      if ((slot & ~entry_mask_) == tag && is(slot & entry_mask_)) return i;
    }
  }
  uint32_t Tag(uint64_t hash) const { return static_cast<uint32_t>(hash >> 32) & ~entry_mask_; }

  std::vector<uint32_t> slots_;  // kNone is free: no entry has all ones
  uint32_t entry_mask_ = 0;      // an entry's bits in a slot; the others are the tag's
  size_t mask_ = 0;
};

}  // namespace smallmind
