// `info`: what this binary is and, with -m, what a model is.

#include <cstdio>
#include <memory>

#include "engine/base/build_info.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include "engine/kernels/targets.h"
#include "engine/runtime/cpus.h"

namespace smallmind {
namespace {

struct Options {
  std::string model;
  bool json = false;
};

std::string Join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

JsonLine BuildFacts() {
  const BuildInfo& b = GetBuildInfo();
  const std::vector<std::string> targets = AttainableTargets();
  JsonLine line;
  line.Add("variant", b.variant)
      .Add("compiler", b.compiler)
      .Add("flags", b.flags)
      .Add("isa", b.isa)
      .Add("lto", b.lto)
      .Add("pgo", b.pgo)
      .Add("link", b.link)
      .Add("git", b.git)
      .Add("target", ChosenTarget())
      .Add("static_target", StaticTarget())
      .Add("dispatch", DispatchIsDynamic() ? "dynamic" : "static")
      .AddArray("targets", std::span<const std::string>(targets))
      .Add("cpus", UsableCpus());
  return line;
}

JsonLine ModelFacts(const Model& model) {
  const ModelSpec& s = model.spec;
  JsonLine line;
  line.Add("path", model.file.path())
      .Add("gguf_version", model.file.version())
      .Add("file_bytes", model.file.file_bytes())
      .Add("architecture", s.arch->name)
      .Add("name", s.name)
      .Add("parameters", model.weights.parameters)
      .Add("weight_type", Info(model.weights.main_type).name)
      .Add("weight_bytes", model.weights.bytes)
      .Add("layers", s.n_layers)
      .Add("dim", s.dim)
      .Add("ff", s.ff)
      .Add("heads", s.n_heads)
      .Add("kv_heads", s.n_kv_heads)
      .Add("head_dim", s.head_dim_k)
      .Add("vocab", s.vocab)
      .Add("context", s.context_train)
      .Add("experts", s.n_experts)
      .Add("window", s.window);
  return line;
}

void PrintText(const Model& model) {
  for (const GgufFile::Entry& entry : model.file.Describe()) {
    std::printf("%.*s = %s (%s)\n", static_cast<int>(entry.key.size()), entry.key.data(),
                entry.value.c_str(), entry.type.c_str());
  }
  for (const GgufTensor& t : model.file.tensors()) {
    std::string shape;
    for (uint32_t d = t.n_dims; d-- > 0;) shape += "[" + std::to_string(t.ne[d]) + "]";
    std::printf("%-40.*s %-7s %s\n", static_cast<int>(t.name.size()), t.name.data(),
                std::string(Info(t.type).name).c_str(), shape.c_str());
  }
  std::printf("%s\n", ModelFacts(model).str().c_str());
}

int Run(const Options& o) {
  JsonLine facts = BuildFacts();
  if (o.model.empty()) {
    if (o.json) {
      std::printf("%s\n", facts.str().c_str());
      return 0;
    }
    const BuildInfo& b = GetBuildInfo();
    std::printf("variant   %s\ncompiler  %s\nflags     %s\ngit       %s\n",
                std::string(b.variant).c_str(), std::string(b.compiler).c_str(),
                std::string(b.flags).c_str(), std::string(b.git).c_str());
    std::printf("target    %s (%s)\ntargets   %s\ncpus      %zu\n", ChosenTarget().c_str(),
                DispatchIsDynamic() ? "dynamic" : "static", Join(AttainableTargets()).c_str(),
                UsableCpus());
    return 0;
  }
  const Model model = Model::Load(o.model);
  if (o.json) {
    std::printf("%s\n", facts.AddRaw("model", ModelFacts(model).str()).str().c_str());
  } else {
    PrintText(model);
  }
  return 0;
}

}  // namespace

void AddInfo(Program& program) {
  auto o = std::make_shared<Options>();
  Command c = program.Add("info", "Facts about this build and about a model");
  c.Option("-m,--model", &o->model, "GGUF file");
  c.Flag("--json", &o->json, "One JSON object");
  c.Runs([o] { return Run(*o); });
}

}  // namespace smallmind
