// `info`: what this binary is and, with -m, what a model is.

#include <cstdio>
#include <memory>

#include "engine/base/build_info.h"
#include "engine/base/error.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include "engine/cli/model_report.h"
#include "engine/kernels/targets.h"
#include "engine/runtime/cpus.h"

namespace smallmind {
namespace {

struct InfoFlags {
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

int RunInfo(const InfoFlags& o) {
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
  const ModelReport report = ReportModel(GgufFile::Open(o.model));
  if (o.json) {
    std::printf("%s\n", facts.AddRaw("model", report.json).str().c_str());
  } else {
    std::fputs(report.text.c_str(), stdout);
  }
  // The facts stand; that the model cannot run is said, and told by the exit code.
  if (!report.problem.empty()) throw InputError(report.problem);
  return 0;
}

}  // namespace

void AddInfo(Program& program) {
  program.Add("info", "Facts about this build and about a model", [](Command& c) {
    auto o = std::make_shared<InfoFlags>();
    c.Option("-m,--model", &o->model, "GGUF file").NotEmpty();
    c.Flag("--json", &o->json, "One JSON object");
    c.Runs([o] { return RunInfo(*o); });
  });
}

}  // namespace smallmind
