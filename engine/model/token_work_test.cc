#include "engine/model/token_work.h"

#include <gtest/gtest.h>

#include "engine/base/testing.h"
#include "engine/model/model.h"

namespace smallmind {
namespace {

// From names and shapes in the file's directory alone.
TokenWork FromDirectory(const Model& model) {
  bool untied = false;
  for (const GgufTensor& t : model.file.tensors()) untied |= t.name == "output.weight";
  TokenWork work;
  for (const GgufTensor& t : model.file.tensors()) {
    if (t.n_dims < 2 || t.name == "position_embd.weight") continue;
    const bool experts = t.name.find("_exps.") != std::string::npos;
    const size_t parts = experts ? model.spec.n_experts : 1;
    const size_t used = experts ? model.spec.n_experts_used : 1;
    const bool in_layer = t.name.starts_with("blk.");
    if (in_layer) work.prompt_ops += 2 * t.elements() / parts * used;
    if (in_layer || t.name == (untied ? "output.weight" : "token_embd.weight")) {
      work.weight_bytes += t.data.size() / parts * used;
    }
  }
  return work;
}

TEST(TokenWork, IsTheDirectorysSum) {
  for (const char* name : {"llama", "gemma2", "mixtral", "qwen3", "phi3"}) {
    SCOPED_TRACE(name);
    const Model model = Model::Load(TestdataDir() / "arch" / (std::string(name) + ".gguf"));
    const TokenWork work = WorkOfToken(model.spec, model.weights), want = FromDirectory(model);
    EXPECT_EQ(work.prompt_ops, want.prompt_ops);
    EXPECT_EQ(work.weight_bytes, want.weight_bytes);
    EXPECT_GT(work.prompt_ops, 0u);
  }
}

TEST(TokenWork, CountsTheCachesBytes) {
  ModelSpec spec;
  spec.n_layers = 22;
  spec.n_kv_heads = 4;
  spec.head_dim_k = spec.head_dim_v = 64;
  EXPECT_EQ(CacheBytesOfPosition(spec, DType::kF16), 22u * 4 * 2 * 64 * 2);
  EXPECT_EQ(CacheBytesOfPosition(spec, DType::kQ8_0), 22u * 4 * 2 * 68);
}

}  // namespace
}  // namespace smallmind
