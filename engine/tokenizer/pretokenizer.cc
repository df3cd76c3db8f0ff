// PCRE2's own \s would do but for U+180E, which it counts as white space and Unicode no longer
// does; so \s and \S are spelled out and the UCP option is not needed. A piece is its own subject:
// look-aheads must not see past its end. Tested by pretokenizer_test.cc and, through expected ids,
// by tokenizer_test.cc.
#include "engine/tokenizer/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <limits>
#include <mutex>

#include "engine/base/error.h"
#include "engine/base/utf8.h"

namespace smallmind {
namespace {

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct ContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using Code = std::unique_ptr<pcre2_code, CodeDeleter>;

// Compiling to machine code costs about as much as interpreting this many bytes.
constexpr size_t kJitPays = 16384;

std::string SpellOutSpaces(std::string_view expression) {
  constexpr std::string_view kWhiteSpace = "\\t-\\r\\x{85}\\p{Z}";
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      const char escaped = expression[++i];
      if (escaped == 's') {
        (out += in_class ? "" : "[") += kWhiteSpace;
        out += in_class ? "" : "]";
      } else if (escaped == 'S') {
        ((out += "[^") += kWhiteSpace) += "]";
      } else {
        (out += c) += escaped;
      }
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

Code Compile(const std::string& expression) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                          PCRE2_UTF | PCRE2_NO_UTF_CHECK, &error, &offset, nullptr));
  if (code == nullptr) {
    throw InternalError("pre-tokeniser expression fails at offset " + std::to_string(offset) +
                        " (PCRE2 error " + std::to_string(error) + "): " + expression);
  }
  return code;
}

}  // namespace

struct PreTokenizer::Expression {
  explicit Expression(std::string_view text) : source(SpellOutSpaces(text)) {}

  const pcre2_code* Interpreted() {
    std::call_once(interpreted_once, [this] { interpreted = Compile(source); });
    return interpreted.get();
  }
  // A second object: code in use by other threads must not be handed to the JIT compiler. Null
  // where this PCRE2 has none.
  const pcre2_code* Jit() {
    std::call_once(jit_once, [this] {
      Code code = Compile(source);
      if (pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE) == 0) jit = std::move(code);
    });
    return jit.get();
  }

  std::string source;
  std::once_flag interpreted_once, jit_once;
  Code interpreted, jit;
};

PreTokenizer::PreTokenizer(std::span<const std::string_view> expressions) {
  for (const std::string_view text : expressions) {
    expressions_.push_back(std::make_unique<Expression>(text));
  }
}

PreTokenizer::~PreTokenizer() = default;

std::vector<uint32_t> PreTokenizer::Split(std::string_view text) const {
  std::vector<uint32_t> ends, next;
  if (text.empty()) return ends;
  ends.push_back(static_cast<uint32_t>(text.size()));
  const std::unique_ptr<pcre2_match_data, MatchDeleter> match(pcre2_match_data_create(1, nullptr));
  const std::unique_ptr<pcre2_match_context, ContextDeleter> context(
      pcre2_match_context_create(nullptr));
  if (match == nullptr || context == nullptr) throw std::bad_alloc();
  // A run of a million spaces backtracks a million times, once: linear, so no limit is wanted.
  pcre2_set_match_limit(context.get(), std::numeric_limits<uint32_t>::max());
  const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(match.get());

  for (const auto& expression : expressions_) {
    const pcre2_code* const jit = text.size() >= kJitPays ? expression->Jit() : nullptr;
    const pcre2_code* const interpreted = expression->Interpreted();
    next.clear();
    uint32_t begin = 0;
    for (const uint32_t end : ends) {
      const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data() + begin);
      const size_t size = end - begin;
      size_t at = 0, cut = 0;
      while (at < size) {
        int found = PCRE2_ERROR_JIT_STACKLIMIT;
        if (jit != nullptr) {
          found = pcre2_jit_match(jit, subject, size, at, PCRE2_NO_UTF_CHECK, match.get(),
                                  context.get());
        }
        if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
          found = pcre2_match(interpreted, subject, size, at, PCRE2_NO_UTF_CHECK, match.get(),
                              context.get());
        }
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0) throw InternalError("PCRE2 match error " + std::to_string(found));
        if (range[0] > cut) next.push_back(begin + static_cast<uint32_t>(range[0]));
        if (range[1] > range[0]) next.push_back(begin + static_cast<uint32_t>(range[1]));
        cut = range[1];
        at = range[1] > at ? range[1] : at + Utf8Announced(text[begin + at]);
      }
      if (cut < size) next.push_back(end);
      begin = end;
    }
    ends.swap(next);
  }
  return ends;
}

}  // namespace smallmind
