// Every architecture in unusual shapes, against a float64 pass by a formula that each case states
// anew: what metadata and tensors of a file are taken to mean, beyond the golden models. The
// formulas were compared with two other engines' logits for the same kind of file.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "engine/base/testing.h"
#include "engine/model/double_forward.h"
#include "engine/model/forward_testing.h"
#include "engine/model/tiny_model.h"

namespace smallmind {
namespace {

using Turn = std::function<double(size_t, size_t)>;

Turn Plain(double base, size_t n_rot) {
  return [=](size_t, size_t pair) {
    return std::pow(base, -2.0 * static_cast<double>(pair) / static_cast<double>(n_rot));
  };
}
Turn Scaled(const Turn& turn, double factor) {
  return [=](size_t layer, size_t pair) { return turn(layer, pair) / factor; };
}
Turn Divided(const Turn& turn, const std::vector<float>& factors) {
  return [=](size_t layer, size_t pair) { return turn(layer, pair) / double{factors[pair]}; };
}

struct ArchCase {
  std::string name;
  TinyShape shape;
  Formula formula;  // sizes and epsilon are filled from the shape
  size_t context = 0;
};

// A formula's parts that follow from the shape.
Formula Complete(const TinyShape& s, Formula f) {
  f.layers = s.layers;
  f.heads = s.heads;
  f.kv_heads = s.kv_heads;
  f.head = s.head;
  f.head_v = s.head_v;
  f.layer_norm = s.layer_norm;
  f.gated = s.gated;
  f.experts_used = s.experts_used;
  f.eps = 1e-5f;
  if (f.n_rot == 0) f.n_rot = s.head;
  if (!f.turn && !s.positions) f.turn = Plain(10000, f.n_rot);
  return f;
}

void AddLlama(std::vector<ArchCase>* cases) {
  const Formula pairs{.halves = false};
  const auto add = [&](const std::string& name, TinyShape shape, Turn turn = {},
                       double magnitude = 1) {
    Formula formula = pairs;
    formula.turn = std::move(turn);
    formula.magnitude = magnitude;
    cases->push_back({"llama_" + name, std::move(shape), formula});
  };
  add("one_kv_head", {.kv_heads = 1, .tied = true});
  add("wide_heads", {.dim = 36, .heads = 3, .kv_heads = 1, .head = 20, .vocab = 71});
  add("narrow_values", {.kv_heads = 2, .head = 20, .head_v = 7});
  add("wide_values", {.kv_heads = 1, .head_v = 33, .fused = true});
  add("biases", {.kv_heads = 2, .qkv_bias = true, .other_bias = true});
  add("base", {.keys = {{"rope.freq_base", 5e5f}}}, Plain(5e5, 12));
  const std::vector<float> factors = {1, 1, 2, 4, 8, 8};
  add("factors", {.factors = {{"rope_freqs.weight", factors}}}, Divided(Plain(1e4, 12), factors));
  add("linear", {.keys = {{"rope.scaling.type", "linear"}, {"rope.scaling.factor", 4.0f}}},
      Scaled(Plain(1e4, 12), 4));
  add("factor_without_type", {.keys = {{"rope.scaling.factor", 4.0f}}}, Scaled(Plain(1e4, 12), 4));
  add("old_linear_key", {.keys = {{"rope.scale_linear", 2.0f}}}, Scaled(Plain(1e4, 12), 2));
  add("explicit_none", {.keys = {{"rope.scaling.type", "none"}, {"rope.scaling.factor", 4.0f}}});
  add("attention_factor", {.keys = {{"rope.scaling.attn_factor", 1.25f}}}, {}, 1.25);
  // Pairs that turn more than 32 times over the original 64 positions keep their speed, those that
  // turn less than once are slowed by 4, between them a ramp over the pairs' numbers.
  const auto pair_of = [](double turns) {
    return 12 * std::log(64 / (turns * 2 * std::numbers::pi)) / (2 * std::log(1e4));
  };
  const double low = std::max(0.0, std::floor(pair_of(32))), high = std::ceil(pair_of(1));
  const Turn yarn = [=](size_t layer, size_t pair) {
    const double slow = std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
    return Plain(1e4, 12)(layer, pair) * (slow / 4 + 1 - slow);
  };
  add("yarn",
      {.keys = {{"rope.scaling.type", "yarn"},
                {"rope.scaling.factor", 4.0f},
                {"rope.scaling.original_context_length", uint32_t{64}},
                {"rope.scaling.attn_factor", 0.75f}}},
      yarn, 0.75 * (1 + 0.1 * std::log(4.0)));
  const auto partial = [&](const std::string& name, TinyShape shape, uint32_t n_rot) {
    Formula formula = pairs;
    formula.n_rot = n_rot;
    shape.keys.emplace_back("rope.dimension_count", n_rot);
    cases->push_back({"llama_" + name, std::move(shape), formula});
  };
  partial("partial_rotation", {.kv_heads = 2}, 6);
  partial("odd_heads", {.dim = 40, .heads = 5, .kv_heads = 1, .head = 11}, 10);
  add("experts", {.experts = 5, .experts_used = 3});
  add("one_expert", {.kv_heads = 2, .experts = 4, .experts_used = 1});
  add("unstacked_experts", {.experts = 4, .experts_used = 2, .stacked_experts = false});
}

void AddQwen(std::vector<ArchCase>* cases) {
  cases->push_back({"qwen2", {.arch = "qwen2", .kv_heads = 2, .tied = true, .qkv_bias = true}, {}});
  cases->push_back({"qwen3",
                    {.arch = "qwen3",
                     .kv_heads = 2,
                     .head = 20,
                     .qk_norm = true,
                     .keys = {{"rope.freq_base", 1e6f}}},
                    {.turn = Plain(1e6, 20)}});
  cases->push_back({"qwen3moe",
                    {.arch = "qwen3moe",
                     .kv_heads = 1,
                     .head = 16,
                     .qk_norm = true,
                     .experts = 8,
                     .experts_used = 4,
                     .expert_ff = 24},
                    {}});
}

void AddPhi3(std::vector<ArchCase>* cases) {
  TinyShape phi3{.arch = "phi3", .kv_heads = 2, .fused = true};
  phi3.keys = {{"attention.sliding_window", uint32_t{7}}};
  cases->push_back({"phi3_window", phi3, {.window = [](size_t) { return 7; }}});
  phi3.keys = {{"attention.sliding_window", uint32_t{1}}};
  cases->push_back({"phi3_sees_itself_alone", phi3, {.window = [](size_t) { return 1; }}});
  phi3.keys = {{"attention.sliding_window", uint32_t{0}}};
  cases->push_back({"phi3_no_window", phi3, {}});
  phi3.keys = {{"attention.sliding_window", uint32_t{1000}}};
  cases->push_back({"phi3_window_past_context", phi3, {}});
  phi3.qkv_bias = phi3.other_bias = true;
  cases->push_back({"phi3_biases", phi3, {}});
  phi3.qkv_bias = phi3.other_bias = false;
  phi3.keys = {{"rope.dimension_count", uint32_t{8}}};
  cases->push_back({"phi3_partial_rotation", phi3, {.n_rot = 8}});
  // Long factors from the first position on where the session is longer than the original context.
  const std::vector<float> longer = {1, 2, 3, 4, 5, 6}, shorter = {1, 1, 1.1f, 1.2f, 1.3f, 1.5f};
  phi3.context = 131072;
  phi3.keys = {{"rope.scaling.original_context_length", uint32_t{4096}},
               {"rope.scaling.attn_factor", 1.19f}};
  phi3.factors = {{"rope_factors_long.weight", longer}, {"rope_factors_short.weight", shorter}};
  const double magnitude = 1.19f;
  cases->push_back({"phi3_short_factors",
                    phi3,
                    {.turn = Divided(Plain(1e4, 12), shorter), .magnitude = magnitude},
                    4096});
  cases->push_back({"phi3_short_by_default",
                    phi3,
                    {.turn = Divided(Plain(1e4, 12), shorter), .magnitude = magnitude}});
  cases->push_back({"phi3_long_factors",
                    phi3,
                    {.turn = Divided(Plain(1e4, 12), longer), .magnitude = magnitude},
                    4097});
}

void AddGemma(std::vector<ArchCase>* cases) {
  TinyShape gemma{.arch = "gemma", .kv_heads = 1, .head = 20, .tied = true};
  Formula formula{.gelu = true, .embed_scale = std::sqrt(48.0)};
  cases->push_back({"gemma", gemma, formula});

  gemma = {
      .arch = "gemma2", .layers = 3, .kv_heads = 2, .head = 20, .tied = true, .post_norm = true};
  gemma.keys = {{"attention.sliding_window", uint32_t{5}},
                {"attn_logit_softcapping", 3.0f},
                {"final_logit_softcapping", 2.0f}};
  formula.window = [](size_t layer) { return layer % 2 == 0 ? 5 : 0; };
  formula.attn_cap = 3;
  formula.final_cap = 2;
  cases->push_back({"gemma2", gemma, formula});
  gemma.keys = {{"attention.sliding_window", uint32_t{5}}};
  gemma.layers = 46;  // the largest, which scales queries by the embedding's share of a head
  formula.attn_cap = 50;
  formula.final_cap = 30;
  formula.scale = 1 / std::sqrt(48.0 / 4);
  cases->push_back({"gemma2_largest", gemma, formula});

  gemma = {.arch = "gemma3",
           .layers = 7,
           .kv_heads = 2,
           .head = 20,
           .tied = true,
           .qk_norm = true,
           .post_norm = true};
  gemma.keys = {{"attention.sliding_window", uint32_t{5}},
                {"rope.freq_base", 1e6f},
                {"rope.scaling.type", "linear"},
                {"rope.scaling.factor", 8.0f}};
  formula = {.gelu = true, .embed_scale = std::sqrt(48.0)};
  formula.window = [](size_t layer) { return layer % 6 != 5 ? 5 : 0; };
  formula.turn = [](size_t layer, size_t pair) {
    return layer % 6 != 5 ? Plain(1e4, 20)(layer, pair) : Plain(1e6, 20)(layer, pair) / 8;
  };
  cases->push_back({"gemma3", gemma, formula});
  gemma.keys.emplace_back("attention.sliding_window_pattern", uint32_t{3});
  formula.window = [](size_t layer) { return layer % 3 != 2 ? 5 : 0; };
  formula.turn = [](size_t layer, size_t pair) {
    return layer % 3 != 2 ? Plain(1e4, 20)(layer, pair) : Plain(1e6, 20)(layer, pair) / 8;
  };
  cases->push_back({"gemma3_period", gemma, formula});
  gemma.keys = {{"attention.sliding_window", uint32_t{5}}};
  gemma.layers = 62;  // the largest: as gemma2's
  formula.window = [](size_t layer) { return layer % 6 != 5 ? 5 : 0; };
  formula.turn = [](size_t layer, size_t pair) { return Plain(1e4, 20)(layer, pair); };
  formula.scale = 1 / std::sqrt(48.0 / 4);
  cases->push_back({"gemma3_largest", gemma, formula});
}

std::vector<ArchCase> ArchCases() {
  std::vector<ArchCase> cases;
  AddLlama(&cases);
  AddQwen(&cases);
  AddPhi3(&cases);
  AddGemma(&cases);
  TinyShape gpt2{.arch = "gpt2",
                 .dim = 45,
                 .ff = 130,
                 .layers = 3,
                 .heads = 5,
                 .kv_heads = 5,
                 .head = 9,
                 .fused = true,
                 .gated = false,
                 .qkv_bias = true,
                 .other_bias = true,
                 .layer_norm = true,
                 .positions = true};
  cases.push_back({"gpt2", gpt2, {.gelu = true}});
  gpt2.tied = true;
  cases.push_back({"gpt2_tied", gpt2, {.gelu = true}});
  gpt2.norm_bias = gpt2.qkv_bias = gpt2.other_bias = false;
  cases.push_back({"gpt2_no_biases", gpt2, {.gelu = true}});
  gpt2.fused = false;
  gpt2.qkv_bias = true;
  cases.push_back({"gpt2_apart", gpt2, {.gelu = true}});
  return cases;
}

class ArchShapes : public testing::TestWithParam<ArchCase> {};

TEST_P(ArchShapes, MatchesAFloat64Pass) {
  const ArchCase& c = GetParam();
  const auto path = TestTempDir() / ("arch_shapes_" + c.name + ".gguf");
  TinyModel::Write(c.shape, path);
  const Model model = Model::Load(path, c.context);
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < 20; ++i) {
    tokens.push_back((i * i * 3 + i) % static_cast<int32_t>(c.shape.vocab));
  }
  std::vector<float> expected;
  for (const auto& row : DoubleForward(model.file, Complete(c.shape, c.formula)).Logits(tokens)) {
    expected.insert(expected.end(), row.begin(), row.end());
  }
  const std::vector<float> whole = Logits(model, tokens, {});
  const double nmse = Nmse(expected, whole);
  // A step of the tabulated GELU may fall to either side: each costs what an F16 rounding costs.
  const bool steps = c.formula.gelu;
  EXPECT_LE(nmse, (steps ? 2e-9 : 1e-13) * static_cast<double>(c.shape.layers));
  EXPECT_TRUE(SameBits(whole, Logits(model, tokens, {.threads = 3, .batch = 1})));
  EXPECT_TRUE(SameBits(whole, Logits(model, tokens, {.threads = 2, .batch = 6})));
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(All, ArchShapes, testing::ValuesIn(ArchCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace smallmind
