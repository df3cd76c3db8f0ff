// Glue between tokenizer, executor and sampler. A prompt is cut into batches here; logits are
// computed only for the tokens that somebody asked for. Tested by session_test.cc through this
// interface alone.

#include "engine/session.h"

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/repack.h"
#include "engine/runtime/cpus.h"

namespace smallmind {

Engine Engine::OpenWithoutTokenizer(const std::filesystem::path& path,
                                    const EngineOptions& options) {
  Engine engine;
  auto model = std::make_unique<Model>(Model::Load(path, options.context));
  if (options.repack_threads != 0) Repack(*model, options.repack_threads);
  engine.model_ = std::move(model);
  return engine;
}

void Engine::LoadTokenizer() {
  tokenizer_ = Tokenizer::Create(model_->file);
  if (tokenizer_->vocab_size() > model_->spec.vocab) {
    throw InputError(
        model_->file.path() + ": the tokenizer has " + std::to_string(tokenizer_->vocab_size()) +
        " tokens but token_embd.weight only " + std::to_string(model_->spec.vocab) + " rows");
  }
}

Engine Engine::Open(const std::filesystem::path& path, const EngineOptions& options) {
  Engine engine = OpenWithoutTokenizer(path, options);
  engine.LoadTokenizer();
  return engine;
}

const Tokenizer& Engine::tokenizer() const {
  if (tokenizer_ == nullptr) throw InputError(model_->file.path() + ": opened without a tokenizer");
  return *tokenizer_;
}

SessionOptions Resolved(SessionOptions options, const ModelSpec& spec) {
  if (options.threads == 0) options.threads = UsableCpus();
  if (options.context == 0) options.context = DefaultContext(spec.context_train);
  if (spec.arch->position_embedding && options.context > spec.context_train) {
    throw InputError("a context of " + std::to_string(options.context) +
                     " positions is more than the " + std::to_string(spec.context_train) +
                     " that the model has embeddings for");
  }
  if (options.context > spec.rope_context) {
    throw InputError(
        "a context of " + std::to_string(options.context) +
        " positions needs other rotation factors than the model was opened with, for " +
        std::to_string(spec.rope_context) + " at most: open it for that context");
  }
  if (options.batch == 0) options.batch = 1;
  options.batch = std::min(options.batch, options.context);
  return options;
}

void CheckFits(size_t tokens, size_t position, size_t context) {
  if (position <= context && tokens <= context - position) return;
  throw InputError(std::to_string(tokens) + " tokens at position " + std::to_string(position) +
                   " do not fit the context of " + std::to_string(context) +
                   "; they need a larger one");
}

Session::Session(const Engine& engine, const SessionOptions& options)
    : engine_(engine),
      options_(Resolved(options, engine.model().spec)),
      executor_(engine.model(), options_.threads),
      cache_(Executor::CacheShape(engine.model().spec, options_.kv_type, options_.context,
                                  options_.batch)) {}

Session::~Session() = default;

void Session::Reset() {
  cache_.set_length(0);
  tokens_.clear();
  last_ = {};
}

void Session::Run(std::span<const TokenId> tokens, bool all_logits,
                  const std::function<void(std::span<const float>)>& sink) {
  CheckFits(tokens.size(), position(), context());
  const size_t before = tokens_.size();
  size_t unasked = all_logits ? before - cache_.length() : 0;  // rows of what was generated
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  if (tokens_.size() == cache_.length()) return;
  last_ = {};
  try {
    executor_.Append(cache_, std::span(tokens_).subspan(cache_.length()), options_.batch,
                     all_logits, [&](std::span<const float> logits) {
                       last_ = logits;
                       if (unasked == 0) return sink(logits);
                       --unasked;
                     });
  } catch (...) {
    tokens_.resize(std::max(before, cache_.length()));
    last_ = {};
    throw;
  }
}

std::span<const float> Session::Prefill(std::span<const TokenId> tokens) {
  Run(tokens, false, [](std::span<const float>) {});
  return last_;
}

void Session::PrefillAll(std::span<const TokenId> tokens,
                         const std::function<void(std::span<const float>)>& sink) {
  Run(tokens, true, sink);
}

GenerateResult Session::Generate(std::string_view prompt, const GenerateOptions& options,
                                 const std::function<bool(std::string_view)>& on_text) {
  const Tokenizer& tokenizer = engine_.tokenizer();
  GenerateResult result;
  result.prompt = tokenizer.Encode(
      prompt, {.add_special = position() == 0, .parse_special = options.parse_special});
  if (result.prompt.empty() && position() == 0) {
    if (tokenizer.bos() < 0) {
      throw InputError("the prompt is empty and the model has no BOS token");
    }
    result.prompt.push_back(tokenizer.bos());
  }

  Sampler sampler(options.sampler);
  StopMatcher stops(options.stop);
  Utf8Joiner joiner;
  std::vector<float> logits;  // a copy: samplers edit them
  const auto asked_to_stop = [&] {
    if (options.should_stop && options.should_stop()) result.reason = StopReason::kCancelled;
    return result.reason == StopReason::kCancelled;
  };
  CheckFits(result.prompt.size(), position(), context());
  // Each piece costs a row of logits: of 64 tokens or more, so that they are no part of the time.
  const size_t piece = (63 / options_.batch + 1) * options_.batch;
  std::span<const TokenId> rest = result.prompt;
  while (!rest.empty() || cache_.length() < position()) {
    if (asked_to_stop()) return result;
    const size_t n = std::min(piece, rest.size());
    Prefill(rest.first(n));
    rest = rest.subspan(n);
  }
  if (options.max_tokens == 0) return result;
  if (last_.empty())
    throw InputError("the sequence was cut by an error: there is nothing to go on from");
  const auto emit = [&](const std::string& text) {
    if (text.empty() || on_text(text)) return true;
    result.reason = StopReason::kCancelled;
    return false;
  };
  while (true) {
    if (asked_to_stop()) break;
    // Rows of the embedding beyond the vocabulary are padding: no text, no meaning.
    const std::span<const float> known = last_.first(tokenizer.vocab_size());
    logits.assign(known.begin(), known.end());
    const TokenId token = sampler.Sample(logits, tokens_);
    if (!options.ignore_eos && tokenizer.IsEndOfGeneration(token)) {
      result.reason = StopReason::kEndOfText;
      break;
    }
    const bool first =
        result.tokens.empty() && result.prompt.size() == 1 && result.prompt[0] == tokenizer.bos();
    result.tokens.push_back(token);
    tokens_.push_back(token);
    if (!emit(stops.Push(joiner.Push(tokenizer.Decode(token, first, false))))) return result;
    if (stops.stopped()) {
      result.reason = StopReason::kStopString;
      return result;
    }
    if (result.tokens.size() >= options.max_tokens) {
      result.reason = StopReason::kLength;
      break;
    }
    if (position() > context()) {
      result.reason = StopReason::kContextFull;
      break;
    }
    Prefill({});
  }
  if (emit(stops.Push(joiner.Flush()))) emit(stops.Flush());
  return result;
}

std::string StopMatcher::Push(std::string_view text) {
  if (stopped_) return "";
  held_ += text;
  size_t cut = std::string::npos;
  for (const std::string& stop : stops_) {
    if (!stop.empty()) cut = std::min(cut, held_.find(stop));
  }
  if (cut != std::string::npos) {
    stopped_ = true;
    std::string out = held_.substr(0, cut);
    held_.clear();
    return out;
  }
  // The longest tail that is a proper prefix of a stop string stays.
  size_t keep = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(held_.size(), stop.empty() ? 0 : stop.size() - 1); n > keep; --n) {
      if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) keep = n;
    }
  }
  std::string out = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return out;
}

std::string StopMatcher::Flush() { return stopped_ ? "" : std::exchange(held_, {}); }

}  // namespace smallmind
