// The public face of the engine: open a model, prefill a prompt, decode tokens, generate text.
//
//   Engine engine = Engine::Open("model.gguf", {});
//   Session session(engine, {.threads = 4});
//   session.Generate("Once upon a time", {.max_tokens = 64}, [](std::string_view text) {
//     std::cout << text << std::flush;
//     return true;  // false cancels
//   });
//
// An Engine is const and may be shared by any number of sessions in any threads; a session owns its
// threads, its cache, its scratch and its random numbers, and is used by one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/executor.h"
#include "engine/model/model.h"
#include "engine/sampler/sampler.h"
#include "engine/tokenizer/tokenizer.h"

namespace smallmind {

struct EngineOptions {
  // Positions the longest of its sessions will have, which chooses the rotation factors of some
  // models; 0: SessionOptions' default.
  size_t context = 0;
  size_t repack_threads = 0;  // 0: matrices stay in the file; else so many threads repack them
};

// A model and its tokenizer.
class Engine {
 public:
  // Throws InputError for anything wrong with the file.
  static Engine Open(const std::filesystem::path& path, const EngineOptions& options);
  // The model alone, for tools that bring token ids; tokenizer() throws InputError until
  // LoadTokenizer().
  static Engine OpenWithoutTokenizer(const std::filesystem::path& path,
                                     const EngineOptions& options);

  void LoadTokenizer();

  const Model& model() const { return *model_; }
  const Tokenizer& tokenizer() const;

 private:
  std::unique_ptr<const Model> model_;
  std::unique_ptr<const Tokenizer> tokenizer_;
};

struct SessionOptions {
  size_t threads = 0;  // 0: UsableCpus()
  size_t context = 0;  // 0: the trained length, at most 4096
  // Tokens a forward pass takes at once; never changes a result. A cache of a sliding window has
  // room for the window and one batch. Twice as many read their activations from memory where the
  // last cache is shared (Zen 3, 1.1B, 512 tokens: F16 0.84 to 0.93, BF16 0.87, Q8_0 0.93, but
  // Q4_K_M 1.05).
  size_t batch = 256;
  DType kv_type = DType::kF16;
};

// Defaults filled in for a model. Throws InputError where the context is more than its learned
// positions, or than the rotation factors that it was opened with are for.
SessionOptions Resolved(SessionOptions options, const ModelSpec& spec);

// Throws InputError where so many tokens at `position` do not fit the context.
void CheckFits(size_t tokens, size_t position, size_t context);

enum class StopReason { kEndOfText, kStopString, kLength, kContextFull, kCancelled };

struct GenerateOptions {
  size_t max_tokens = 128;
  SamplerOptions sampler;
  std::vector<std::string> stop;  // text that ends generation; not part of the output
  bool parse_special = false;     // special tokens in the prompt's text
  bool ignore_eos = false;
  // Asked before every piece of the prompt and every token; true cancels, and the sequence stays as
  // far as it has come. Empty: never.
  std::function<bool()> should_stop;
};

struct GenerateResult {
  std::vector<TokenId> prompt;
  std::vector<TokenId> tokens;  // generated, the end token not included
  StopReason reason = StopReason::kLength;
};

class Session {
 public:
  Session(const Engine& engine, const SessionOptions& options);
  ~Session();

  // Forgets the sequence; the next Prefill starts at position 0.
  void Reset();
  // Tokens of the sequence, the last generated one included.
  size_t position() const { return tokens_.size(); }
  size_t context() const { return cache_.context(); }
  size_t threads() const { return executor_.threads(); }

  // Appends tokens to the sequence. Returns the last one's logits (vocab floats, valid until the
  // next call). Throws InputError where they do not fit the context. The last token of a Generate
  // is run here, in front of `tokens`.
  std::span<const float> Prefill(std::span<const TokenId> tokens);
  std::span<const float> Decode(TokenId token) { return Prefill({&token, 1}); }
  // Appends tokens and hands every one's logits to `sink`, in order.
  void PrefillAll(std::span<const TokenId> tokens,
                  const std::function<void(std::span<const float>)>& sink);

  // Appends the prompt, samples until a stop. `on_text` gets whole UTF-8 sequences; returning false
  // cancels. Starts from the present position, so that a conversation can go on: every generated
  // token belongs to the sequence (of a stop string's, too), an end token does not. An empty prompt
  // goes on where the sequence is; at its beginning it means BOS. Throws InputError where the
  // prompt does not fit the context.
  GenerateResult Generate(std::string_view prompt, const GenerateOptions& options,
                          const std::function<bool(std::string_view)>& on_text);

  void set_timers(StageTimers* timers) { executor_.set_timers(timers); }

 private:
  void Run(std::span<const TokenId> tokens, bool all_logits,
           const std::function<void(std::span<const float>)>& sink);

  const Engine& engine_;
  SessionOptions options_;
  Executor executor_;
  KvCache cache_;
  std::vector<TokenId> tokens_;  // of the sequence; the cache has all but a last generated one
  std::span<const float> last_;  // logits of the last token run; empty: none
};

// Finds the earliest stop string in streamed text and holds back what could still become one.
class StopMatcher {
 public:
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}
  // Adds text; returns what may be shown. stopped() tells whether a stop string was met.
  std::string Push(std::string_view text);
  std::string Flush();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace smallmind
