// Any bytes as a model: opened, described, walked, bound and asked for tokens, they may only be
// refused with InputError. Crashes, sanitizer reports, other exceptions, hangs and gigabyte
// allocations are bugs.
//
//   cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DSMALLMIND_FUZZ=ON
//   ninja -C build-fuzz gguf_fuzz fuzz-smoke
//   build-fuzz/fuzz/gguf_fuzz -dict=engine/fuzz/gguf.dict NEW_FINDS engine/fuzz/corpus/gguf
//
// Seeds: every case of gguf/parse_test.cc, whole models of either tokenizer kind among them; that
// test writes them again where SMALLMIND_SEED_DIR says.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/gguf/gguf.h"
#include "engine/gguf/parse.h"
#include "engine/model/spec.h"
#include "engine/model/weights.h"
#include "engine/tensor/decode.h"
#include "engine/tokenizer/tokenizer.h"

namespace smallmind {
namespace {

// Keeps results observable, so that reads are not optimised away.
volatile size_t g_sink = 0;

// Calls f, which may throw InputError; nothing else may leave it.
template <typename F>
void MayRefuse(const F& f) {
  try {
    f();
  } catch (const InputError& error) {
    g_sink = g_sink + std::string(error.what()).size();
  }
}

void WalkMetadata(const GgufFile& file) {
  for (const GgufValue& value : file.values()) g_sink = g_sink + ValueJson(value).size();
  for (const GgufFile::Entry& entry : file.Describe()) {
    g_sink = g_sink + entry.value.size() + entry.type.size();
    const std::string_view key = entry.key;
    MayRefuse([&] { g_sink = g_sink + file.Uint(key); });
    MayRefuse([&] { g_sink = g_sink + (file.Float(key) > 0); });
    MayRefuse([&] { g_sink = g_sink + file.Bool(key, true); });
    MayRefuse([&] { g_sink = g_sink + file.String(key).size(); });
    MayRefuse([&] {
      const GgufArray* array = file.Array(key);
      MayRefuse([&] { g_sink = g_sink + array->Ints().size(); });
      MayRefuse([&] {
        for (const std::string_view text : array->Strings()) g_sink = g_sink + text.size();
      });
    });
  }
}

// First and last row of every tensor through its decoder.
void WalkTensors(const GgufFile& file) {
  std::vector<float> row;
  for (const GgufTensor& tensor : file.tensors()) {
    const WeightView view = tensor.View();
    row.resize(view.cols);
    for (const size_t r : {size_t{0}, view.rows - 1}) {
      DecodeScalar(view.type, view.Row(r), view.cols, row.data());
      g_sink = g_sink + (row[0] > 0);
    }
    g_sink = g_sink + (file.Tensor(tensor.name) == &tensor);
  }
}

void UseTokenizer(const GgufFile& file) {
  const auto tokenizer = Tokenizer::Create(file);
  for (const bool special : {false, true}) {
    const EncodeOptions options = {.add_special = special, .parse_special = special};
    const auto ids = tokenizer->Encode("Once upon a time, 12345 déjà vu \xff<s>!", options);
    g_sink = g_sink + tokenizer->DecodeAll(ids, special).size();
  }
  const auto count = static_cast<TokenId>(std::min<size_t>(tokenizer->vocab_size(), 64));
  for (TokenId id = 0; id < count; ++id) {
    g_sink =
        g_sink + tokenizer->Decode(id, id == 0, true).size() + tokenizer->IsEndOfGeneration(id);
  }
}

}  // namespace
}  // namespace smallmind

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace smallmind;
  MayRefuse([&] {
    const GgufFile file = GgufFile::FromBytes({data, size}, "fuzz");
    WalkMetadata(file);
    WalkTensors(file);
    MayRefuse([&] { UseTokenizer(file); });
    MayRefuse([&] {
      const ModelSpec spec = ReadSpec(file, 0);
      g_sink = g_sink + BindWeights(file, spec).parameters;
    });
  });
  return 0;
}
