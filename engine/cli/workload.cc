// The only timed code of `bench`. Nothing is printed and nothing hashed between the clock reads
// that count, except the first token's logits hash, which falls into the first inter-token gap: 10
// µs for 49,152 logits.

#include "engine/cli/workload.h"

#include <cstring>

#include "engine/cli/texts.h"
#include "engine/runtime/clock.h"
#include "engine/sampler/sampler.h"

namespace smallmind {
namespace {

void SpendAgain(int64_t since_ns, double share) {
  if (share <= 0) return;
  const int64_t now = NowNs();
  const int64_t until = now + static_cast<int64_t>(static_cast<double>(now - since_ns) * share);
  while (NowNs() < until) {
  }
}

}  // namespace

uint64_t HashBytes(const void* data, size_t bytes, uint64_t seed) {
  constexpr uint64_t kPrime = 0x100000001b3;
  const auto* at = static_cast<const uint8_t*>(data);
  uint64_t lanes[4];
  for (uint64_t i = 0; i < 4; ++i) lanes[i] = (0xcbf29ce484222325 ^ seed) + i;
  for (; bytes >= 32; bytes -= 32, at += 32) {
    for (size_t i = 0; i < 4; ++i) {
      uint64_t word;
      std::memcpy(&word, at + i * 8, 8);
      lanes[i] = (lanes[i] ^ word) * kPrime;
      lanes[i] ^= lanes[i] >> 29;
    }
  }
  uint64_t hash = bytes;
  for (uint64_t lane : lanes) hash = (hash ^ lane) * kPrime;
  for (; bytes > 0; --bytes, ++at) hash = (hash ^ *at) * kPrime;
  return hash ^ (hash >> 32);
}

Repetition RunRepetition(const Engine& engine, Session& session, std::string_view text,
                         size_t n_prompt, size_t n_gen, double slowdown) {
  Repetition r;
  r.token_ns.reserve(n_gen);
  session.Reset();
  r.start_ns = NowNs();
  r.prompt = PromptTokens(engine.tokenizer(), text, n_prompt);
  const int64_t tokenised_ns = NowNs();
  std::span<const float> logits = session.Prefill(r.prompt);
  SpendAgain(tokenised_ns, slowdown);
  TokenId token = GreedyToken(logits);
  r.first_token = Instant::Now();
  const int64_t first_ns = r.first_token.t_ns;
  r.prefill_ns = first_ns - tokenised_ns;
  r.logits_hash = HashBytes(logits.data(), logits.size_bytes());
  for (size_t i = 0; i < n_gen; ++i) {
    r.token_ns.push_back(i == 0 ? first_ns : NowNs());
    r.generated.push_back(token);
    if (i + 1 == n_gen) break;
    const int64_t begin_ns = r.token_ns.back();
    logits = session.Decode(token);
    token = GreedyToken(logits);
    SpendAgain(begin_ns, slowdown);
  }
  r.token_hash = HashBytes(r.generated.data(), r.generated.size() * sizeof(TokenId));
  r.logits_hash = HashBytes(logits.data(), logits.size_bytes(), r.logits_hash);
  return r;
}

BatchRepetition RunBatchRepetition(const Engine& engine, SequenceGroup& group,
                                   std::string_view text, size_t n_prompt, size_t n_gen,
                                   double slowdown) {
  BatchRepetition r;
  group.Reset();
  const std::vector<TokenId> prompt = PromptTokens(engine.tokenizer(), text, n_prompt);
  r.prompt_tokens = prompt.size();
  std::vector<TokenId> tokens(group.size());
  const int64_t start_ns = NowNs();
  for (size_t i = 0; i < group.size(); ++i) {
    const size_t n = prompt.size() > group.size() ? prompt.size() - i : prompt.size();
    tokens[i] = GreedyToken(group.Prefill(i, std::span(prompt).first(n)));
  }
  SpendAgain(start_ns, slowdown);
  const int64_t first_ns = NowNs();
  r.prefill_ns = first_ns - start_ns;
  const size_t vocab = engine.model().spec.vocab;
  for (size_t step = 0; step < n_gen; ++step) {
    r.token_hash = HashBytes(tokens.data(), tokens.size() * sizeof(TokenId), r.token_hash);
    const int64_t begin_ns = NowNs();
    const std::span<const float> logits = group.Decode(tokens);
    for (size_t i = 0; i < group.size(); ++i) {
      tokens[i] = GreedyToken(logits.subspan(i * vocab, vocab));
    }
    SpendAgain(begin_ns, slowdown);
  }
  r.decode_ns = NowNs() - first_ns;
  return r;
}

}  // namespace smallmind
