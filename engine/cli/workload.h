// One measured repetition: prompt text to tokens, prefill, greedy decode, with a timestamp a token.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/cli/instant.h"
#include "engine/sequence_group.h"
#include "engine/session.h"

namespace smallmind {

struct Repetition {
  std::vector<TokenId> prompt;
  std::vector<TokenId> generated;
  int64_t start_ns = 0;           // text handed over
  int64_t prefill_ns = 0;         // tokenised → first token's logits
  std::vector<int64_t> token_ns;  // when each generated token was known
  Instant first_token;            // the same of the first one, with faults
  uint64_t token_hash = 0;        // of the generated ids
  uint64_t logits_hash = 0;       // of the logits behind the first and the last generated token
};

// n_prompt ≥ 1; n_gen may be 0 (prefill alone). slowdown: this share of every forward pass's time
// is spent again in a busy loop (0.05: 5 % slower), to prove that a gate sees it.
Repetition RunRepetition(const Engine& engine, Session& session, std::string_view text,
                         size_t n_prompt, size_t n_gen, double slowdown);

// Several sequences decoded together.
struct BatchRepetition {
  size_t prompt_tokens = 0;  // of the first sequence; each later one has a token less
  int64_t prefill_ns = 0;    // of all, one after the other
  int64_t decode_ns = 0;     // of n_gen steps
  uint64_t token_hash = 0;   // of the generated ids, step by step
};

// Every sequence starts with the same text, cut one token shorter than the one before where it is
// long enough, so that no two are alike. slowdown: as above.
BatchRepetition RunBatchRepetition(const Engine& engine, SequenceGroup& group,
                                   std::string_view text, size_t n_prompt, size_t n_gen,
                                   double slowdown);

// 64 bits of FNV-1a over 8-byte words, four lanes wide so that a vocabulary of logits costs
// microseconds.
uint64_t HashBytes(const void* data, size_t bytes, uint64_t seed = 0);

}  // namespace smallmind
