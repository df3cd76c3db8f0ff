// Tested end to end with fake variants by testing/test_run.py and test_failures.py.
#include "harness/run_session.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/ceilings.h"
#include "harness/elf.h"
#include "harness/environment.h"
#include "harness/error.h"
#include "harness/instruction_counts.h"
#include "harness/load_run.h"
#include "harness/manifest.h"
#include "harness/models.h"
#include "harness/peer.h"
#include "harness/runner.h"
#include "harness/selftest.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

void ReadSizes(std::vector<VariantInfo>& variants, int layouts) {
  for (VariantInfo& variant : variants) {
    if (variant.kind == VariantKind::kPeer || variant.status != "built") continue;
    if (access(variant.binary.c_str(), X_OK) != 0) {
      throw BadInput(variant.binary + ": no such program, though the manifest calls " +
                     variant.name + " built; build again");
    }
    try {
      variant.size = SectionSizes(variant.binary);
    } catch (const BadInput&) {  // a script, say: it has a file size and no sections
      variant.size.file_bytes = static_cast<int64_t>(fs::file_size(variant.binary));
    }
    // A row that is laid out after linking has one layout: the linker's order is not its own.
    const bool own_layout = variant.raw.is_object() && variant.raw.value("post", "none") != "none";
    std::set<std::string> hashes = {variant.size.text_hash};
    for (int k = 1; k <= layouts && !own_layout; ++k) {
      const fs::path binary = fs::path(variant.binary).parent_path() / "layouts" /
                              std::to_string(k) / fs::path(variant.binary).filename();
      if (!fs::exists(binary)) {
        throw BadInput(binary.string() + ": no layout replicate; variants/layouts.py links it");
      }
      if (!hashes.insert(SectionSizes(binary).text_hash).second) {
        throw BadInput(binary.string() + ": its code is that of another layout: no replicate");
      }
      variant.layouts.push_back(binary);
    }
  }
}

std::string ChooseReference(const std::vector<VariantInfo>& variants, const std::string& wanted) {
  std::string first;
  bool has_o2 = false;
  for (const VariantInfo& variant : variants) {
    if (variant.status != "built") continue;
    if (variant.name == wanted) return wanted;
    has_o2 |= variant.name == "o2";
    if (first.empty()) first = variant.name;
  }
  if (!wanted.empty()) throw RunError("--reference " + wanted + " is not among the variants");
  return has_o2 ? "o2" : first;
}

// A peer, which may be the reference, makes no models.
std::string MakerOf(const std::vector<VariantInfo>& variants) {
  const auto found = std::ranges::find_if(variants, [](const VariantInfo& v) {
    return v.kind == VariantKind::kVariant && v.status == "built";
  });
  return found == variants.end() ? "" : found->binary;
}

void CheckNames(const std::vector<VariantInfo>& variants, const PlanInfo& plan) {
  for (size_t i = 0; i < variants.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (variants[i].name == variants[j].name) {
        throw RunError("two competitors are called \"" + variants[i].name + "\"");
      }
    }
  }
  std::istringstream injections(plan.inject);
  for (std::string part; std::getline(injections, part, ',');) {
    const std::string name = part.substr(0, part.find('='));
    if (std::ranges::none_of(variants, [&](const VariantInfo& v) { return v.name == name; })) {
      throw RunError("--inject names \"" + name + "\", which is not among the variants");
    }
  }
}

// The machine's latest operating curve, where `harness selftest` ever ran here.
Json LatestSelftest(const fs::path& results_dir, const Environment& environment) {
  std::ifstream file(SelftestPath(results_dir, environment));
  const Json json = file ? Json::parse(file, nullptr, false) : Json();
  return json.is_object() ? json : Json::object();
}

RunInfo Prepare(const RunOptions& options, const std::vector<std::string>& command_line,
                std::vector<VariantInfo> variants, ProcessRunner& processes, Clock& clock) {
  RunInfo run;
  run.created = UtcTime(clock.UnixSeconds());
  run.command = command_line;
  const auto built = std::ranges::count(variants, "built", &VariantInfo::status);
  run.plan =
      MakePlan(options, clock.UnixSeconds(), static_cast<size_t>(built * (1 + options.layouts)));
  run.environment = ReadEnvironment();
  run.selftest = LatestSelftest(ResultsDirOf(options), run.environment);
  run.workloads = WorkloadsOf(options, run.environment.usable_cpus);
  CheckNames(variants, run.plan);
  run.reference = ChooseReference(variants, options.reference);
  ReadSizes(variants, run.plan.layouts);
  const auto reference = std::ranges::find_if(
      variants, [&](const VariantInfo& variant) { return variant.name == run.reference; });
  run.environment.compiler = reference->compiler;
  run.environment.git = reference->git;
  run.environment.dirty = reference->dirty;
  run.models = ResolveModels(ModelsOf(options), BuildDirOf(options), MakerOf(variants), processes);
  run.variants = std::move(variants);
  int threads = 0;
  for (const Workload& workload : run.workloads) threads = std::max(threads, workload.threads);
  run.warnings = EnvironmentWarnings(run.environment, threads);
  return run;
}

bool IsUnchanged(const VariantInfo& variant) {
  if (!fs::exists(variant.binary)) return false;
  if (variant.size.text_hash.empty()) {
    return static_cast<int64_t>(fs::file_size(variant.binary)) == variant.size.file_bytes;
  }
  try {
    return SectionSizes(variant.binary).text_hash == variant.size.text_hash;
  } catch (const BadInput&) {  // being written just now
    return false;
  }
}

// The first variant whose binary is not the one that the run began with; "" where all are.
std::string RebuiltVariant(const RunInfo& run) {
  for (const VariantInfo& variant : run.variants) {
    if (variant.kind == VariantKind::kPeer || variant.status != "built") continue;
    if (!IsUnchanged(variant)) return variant.name;
  }
  return "";
}

// A resumed run goes on with the binaries that it began with, or not at all.
void CheckUnchanged(const RunInfo& run) {
  if (const std::string name = RebuiltVariant(run); !name.empty()) {
    throw BadInput("--resume: " + name +
                   " is not the binary that this run began with; start a new run");
  }
  for (const ModelInfo& model : run.models) {
    if (!fs::exists(model.path) ||
        static_cast<int64_t>(fs::file_size(model.path)) != model.file_bytes) {
      throw BadInput("--resume: " + model.path + " is gone or changed; start a new run");
    }
  }
}

std::unique_ptr<Progress> MakeProgress() {
  if (isatty(STDERR_FILENO)) return std::make_unique<TerminalProgress>(stderr);
  return std::make_unique<PlainProgress>(stderr);
}

void Announce(const RunInfo& run, const fs::path& directory, Progress& progress) {
  int built = 0;
  for (const VariantInfo& variant : run.variants) {
    if (variant.status == "built") {
      ++built;
    } else {
      progress.Message("skipped: " + variant.name + ": " + variant.reason);
    }
  }
  progress.Message(std::to_string(built) + " competitors, " + std::to_string(run.models.size()) +
                   " models, " + std::to_string(run.workloads.size()) + " workloads; seed " +
                   run.plan.seed + "; results in " + directory.string());
  for (const std::string& warning : run.warnings) progress.Message("warning: " + warning);
}

}  // namespace

fs::path BuildDirOf(const RunOptions& options) {
  return options.build_dir.empty() ? BuildDirectory() : fs::absolute(options.build_dir);
}

fs::path ResultsDirOf(const RunOptions& options) {
  if (!options.results_dir.empty()) return options.results_dir;
  const fs::path source = SMALLMIND_SOURCE_DIR;
  return fs::exists(source / "results") ? source / "results" : BuildDirOf(options) / "results";
}

std::vector<VariantInfo> CompetitorsOf(const RunOptions& options) {
  auto variants = SelectVariants(options.manifests.empty() ? ReadManifest(BuildDirOf(options))
                                                           : ReadManifests(options.manifests),
                                 options.variants);
  for (const std::string& peer : options.peers) variants.push_back(ParsePeer(peer));
  return variants;
}

RunOutcome ExecuteRun(const RunOptions& options, const std::vector<std::string>& command_line,
                      const std::atomic<bool>& interrupt) {
  return ExecuteRunWith(
      options, command_line,
      options.resume.empty() ? CompetitorsOf(options) : std::vector<VariantInfo>{}, interrupt);
}

RunOutcome ExecuteRunWith(const RunOptions& options, const std::vector<std::string>& command_line,
                          std::vector<VariantInfo> competitors,
                          const std::atomic<bool>& interrupt) {
  RealClock clock;
  RealSystemProbe probe;
  RealProcessRunner processes((BuildDirOf(options) / "bin" / "launcher").string(), &interrupt);
  const std::unique_ptr<Progress> progress = MakeProgress();

  RunOutcome outcome;
  std::vector<Sample> earlier;
  if (options.resume.empty()) {
    outcome.info = Prepare(options, command_line, std::move(competitors), processes, clock);
  } else {
    Run run = LoadRun(options.resume);
    CheckUnchanged(run.info);
    outcome.info = std::move(run.info);
    earlier = std::move(run.samples);
  }
  RunInfo& run = outcome.info;
  RunDirectory directory = options.resume.empty()
                               ? RunDirectory::Create(ResultsDirOf(options), clock.UnixSeconds())
                               : RunDirectory::Open(options.resume);
  run.id = directory.id();
  outcome.directory = directory.path();
  if (run.rule.calibration_ns == 0) run.rule.calibration_ns = CalibrationBaseline(probe);
  if (options.resume.empty()) {
    const std::string others = WarnOfOthers(run.rule, probe);
    if (!others.empty()) run.warnings.push_back(others);
  }
  directory.WriteInfo(run);
  Announce(run, directory.path(), *progress);
  const auto ceilings = [&](int round) { MeasureCeilings(run, processes, round); };
  Runner runner(run, std::move(earlier), directory,
                {processes, clock, probe, *progress, interrupt, ceilings});
  try {
    runner.Execute();
    if (const std::string name = RebuiltVariant(run); !name.empty()) {
      outcome.failure = name + " was rebuilt during the run, which mixes two programs; start again";
      run.status = RunStatus::kFailed;
      run.status_reason = outcome.failure;
    }
    const bool ended = run.status == RunStatus::kComplete || run.status == RunStatus::kBudget;
    if (options.instructions && ended && run.environment.hardware_counters != "available") {
      progress->Message("counting instructions");
      CountInstructions(run, processes, {FindValgrind(), 20, run.environment.usable_cpus});
    }
    directory.WriteInfo(run);
  } catch (const RunError& error) {
    progress->Finish();
    outcome.failure = error.what();
    run.status = RunStatus::kFailed;
    run.status_reason = error.what();
  }
  outcome.samples = runner.samples();
  return outcome;
}

std::vector<std::string> RunOutcome::FailedVariants() const {
  std::vector<std::string> failed;
  for (const VariantInfo& variant : info.variants) {
    if (variant.kind == VariantKind::kPeer || variant.status != "built") continue;
    for (const ModelInfo& model : info.models) {
      for (const Workload& workload : info.workloads) {
        if (workload.training) continue;
        const bool usable = std::ranges::any_of(samples, [&](const Sample& sample) {
          return sample.Usable() && sample.variant == variant.name && sample.model == model.name &&
                 sample.workload == workload.name;
        });
        if (!usable) failed.push_back(variant.name + " on " + model.name + ", " + workload.name);
      }
    }
  }
  return failed;
}

int RunOutcome::ExitCode() const {
  if (!failure.empty()) return kExitError;
  if (info.status == RunStatus::kInterrupted) return kExitInterrupted;
  return FailedVariants().empty() ? kExitOk : kExitError;
}

}  // namespace smallmind::harness
