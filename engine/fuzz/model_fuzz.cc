// A real small model with some of its numbers changed, run: what loads must compute, whatever it
// computes.
//
// gguf_fuzz rarely gets a file past the checks of shape; this one starts from files that pass (the
// repository's golden models; qwen3moe, gemma and gemma3 have none) and patches metadata values,
// tensor dimensions and types, and weights. Only InputError may come out; a forward pass may give
// any numbers but must stay inside its memory.
//
//   cmake --preset fuzz && cmake --build --preset fuzz
//   ninja -C build-fuzz model_fuzz && build-fuzz/fuzz/model_fuzz NEW_FINDS engine/fuzz/corpus/model
//
// Input: a byte that picks the model, a byte that picks the cache type, then patches of 6 bytes:
// kind and place (16 bits each), value (16 bits).

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/gguf/gguf.h"
#include "engine/gguf/parse.h"
#include "engine/model/executor.h"
#include "engine/model/model.h"

namespace smallmind {
namespace {

constexpr std::array kModels = {
    "llama", "llama-tied-ropefreqs", "mixtral", "gpt2", "phi3", "qwen2", "qwen3", "gemma2"};

std::vector<std::vector<uint8_t>> LoadModels() {
  std::vector<std::vector<uint8_t>> models;
  for (const char* name : kModels) {
    std::ifstream in(std::string(SMALLMIND_SOURCE_DIR "/engine/testdata/arch/") + name + ".gguf",
                     std::ios::binary);
    models.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (models.back().empty()) throw InternalError(std::string("no golden model ") + name);
  }
  return models;
}

// The interesting numbers near which checks sit, and the raw value.
uint64_t Number(uint16_t raw) {
  constexpr uint64_t kEdges[] = {0,
                                 1,
                                 2,
                                 3,
                                 31,
                                 33,
                                 255,
                                 256,
                                 65535,
                                 65536,
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 uint64_t{1} << 32,
                                 ~uint64_t{0} >> 1,
                                 ~uint64_t{0}};
  if (raw >= 0xff00) return kEdges[raw & 15];
  return raw;
}

class Patcher {
 public:
  explicit Patcher(std::vector<uint8_t>* bytes)
      : bytes_(bytes), parsed_(ParseGguf(*bytes, "golden")) {}

  void Apply(uint16_t kind, uint16_t place, uint16_t value) {
    switch (kind % 4) {
      case 0:
        return Metadata(place, value);
      case 1:
        return Dimension(place, value);
      case 2:
        return Type(place, value);
      case 3:
        return Weight(place, value);
    }
  }

 private:
  template <typename T>
  void Store(size_t offset, T value) {
    std::memcpy(bytes_->data() + offset, &value, sizeof(T));
  }
  size_t OffsetOf(const void* p) const {
    return static_cast<size_t>(static_cast<const uint8_t*>(p) - bytes_->data());
  }

  void Metadata(uint16_t place, uint16_t value) {
    const GgufValue& v = parsed_.values[place % parsed_.values.size()];
    if (v.scalar.empty()) return;
    const size_t offset = OffsetOf(v.scalar.data());
    if (v.type == GgufType::kF32) {
      const auto half = static_cast<float>(static_cast<int16_t>(value));
      Store(offset, value < 0xff00 ? half / 16.0f : static_cast<float>(Number(value)) * 1e12f);
      return;
    }
    const uint64_t number = v.type == GgufType::kBool ? Number(value) & 1 : Number(value);
    std::memcpy(bytes_->data() + offset, &number, v.scalar.size());
  }

  // Behind a tensor's name: number of dimensions, dimensions, type, offset.
  void Dimension(uint16_t place, uint16_t value) {
    const GgufTensor& t = parsed_.tensors[place % parsed_.tensors.size()];
    const size_t info = OffsetOf(t.name.data()) + t.name.size();
    Store(info + 4 + 8 * (place / parsed_.tensors.size() % t.n_dims), Number(value));
  }

  void Type(uint16_t place, uint16_t value) {
    const GgufTensor& t = parsed_.tensors[place % parsed_.tensors.size()];
    const size_t info = OffsetOf(t.name.data()) + t.name.size();
    Store(info + 4 + 8 * t.n_dims, static_cast<uint32_t>(value % 32));
  }

  void Weight(uint16_t place, uint16_t value) {
    const GgufTensor& t = parsed_.tensors[place % parsed_.tensors.size()];
    const size_t at = value % t.data.size();
    const size_t count = std::min<size_t>(4, t.data.size() - at);
    std::memset(bytes_->data() + OffsetOf(t.data.data()) + at, value % 3 == 0 ? 0xff : value & 255,
                count);
  }

  std::vector<uint8_t>* bytes_;
  ParsedGguf parsed_;
};

void Run(std::span<const uint8_t> bytes, DType cache_type) {
  constexpr size_t kContext = 8;
  GgufFile file = GgufFile::FromBytes(bytes, "patched");
  ModelSpec spec = ReadSpec(file, kContext);
  ModelWeights weights = BindWeights(file, spec);
  const Model model = {std::move(file), std::move(spec), std::move(weights)};
  // A patched shape may be right and enormous (a window of 2^31 changes nothing else); keep runs
  // short.
  if (model.spec.n_layers * model.spec.dim > size_t{1} << 16) return;
  Executor executor(model, 1);
  KvCache cache(Executor::CacheShape(model.spec, cache_type, kContext));
  std::vector<BatchToken> batch;
  for (size_t i = 0; i < 4; ++i) {
    batch.push_back({static_cast<int32_t>(i % model.spec.vocab), &cache, i, i == 3});
  }
  executor.Forward(batch);
  cache.set_length(4);
  const BatchToken next = {0, &cache, 4, true};
  executor.Forward({&next, 1});

  // Far into a context whose windowed layers are rings, around a turn of the smallest.
  constexpr size_t kFar = 2 * kKvBlock - 2;
  KvCache far(Executor::CacheShape(model.spec, cache_type, kFar + 8, 4));
  if (far.ring(0) == 0) return;
  std::memset(far.K(0, 0), 0, far.bytes());
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].cache = &far;
    batch[i].pos = kFar + i;
  }
  executor.Forward(batch);
  const BatchToken last = {0, &far, kFar + 4, true};
  executor.Forward({&last, 1});
}

}  // namespace
}  // namespace smallmind

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace smallmind;
  static const std::vector<std::vector<uint8_t>> models = LoadModels();
  if (size < 2) return 0;
  std::vector<uint8_t> bytes = models[data[0] % models.size()];
  constexpr DType kCacheTypes[] = {DType::kF32, DType::kF16, DType::kQ8_0};
  const DType cache_type = kCacheTypes[data[1] % 3];
  Patcher patcher(&bytes);
  for (size_t at = 2; at + 6 <= size && at < 2 + 6 * 16; at += 6) {
    std::array<uint16_t, 3> patch;
    std::memcpy(patch.data(), data + at, 6);
    patcher.Apply(patch[0], patch[1], patch[2]);
  }
  try {
    Run(bytes, cache_type);
  } catch (const InputError&) {
  }
  return 0;
}
