// Tested with the fake variant as the maker (models_test.cc). Weights are the same everywhere: the
// seed is fixed and the engine's generator portable.
#include "harness/models.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "harness/error.h"
#include "harness/page_cache.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelSeed = "1";
constexpr double kMakeTimeoutS = 600;

class FileLock {
 public:
  explicit FileLock(const fs::path& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw RunError(path.string() + ": " + strerror(errno));
    flock(fd_, LOCK_EX);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { close(fd_); }

 private:
  int fd_;
};

void MakeModel(const std::string& name, const fs::path& path, const std::string& maker,
               ProcessRunner& processes) {
  const size_t dash = name.rfind('-');
  if (dash == std::string::npos || dash == 0) {
    throw BadInput("unknown model \"" + name +
                   "\": neither a .gguf file nor PRESET-QUANT such as " + kDefaultModels);
  }
  fs::create_directories(path.parent_path());
  const FileLock lock(path.parent_path() / ".lock");
  if (fs::exists(path)) return;  // another harness made it while we waited
  std::string quant = name.substr(dash + 1);
  std::ranges::transform(quant, quant.begin(), [](unsigned char c) { return std::toupper(c); });
  const std::string temporary = path.string() + ".making";
  ProcessRequest request;
  request.argv = {maker, "make-model", "--preset", name.substr(0, dash), "--quant",
                  quant, "--seed",     kModelSeed, "--output",           temporary};
  request.timeout_s = kMakeTimeoutS;
  const ProcessResult result = processes.Run(request);
  if (result.interrupted) throw HarnessError(kExitInterrupted, "interrupted while making " + name);
  if (!result.Succeeded()) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    std::string reason = result.started ? result.err_tail : result.error;
    reason = reason.substr(0, reason.find('\n'));
    if (reason.empty()) reason = "make-model failed";
    throw BadInput("model \"" + name + "\": " + reason);
  }
  fs::rename(temporary, path);
}

}  // namespace

std::vector<ModelInfo> ResolveModels(const std::string& wanted, const fs::path& build_dir,
                                     const std::string& maker, ProcessRunner& processes) {
  std::vector<ModelInfo> models;
  std::istringstream parts(wanted);
  for (std::string part; std::getline(parts, part, ',');) {
    if (part.empty()) continue;
    ModelInfo model;
    const bool is_path = part.find('/') != std::string::npos || part.ends_with(".gguf");
    const fs::path path = is_path ? fs::absolute(part) : build_dir / "models" / (part + ".gguf");
    if (!is_path && !fs::exists(path)) MakeModel(part, path, maker, processes);
    if (!fs::exists(path)) throw BadInput(path.string() + ": no such model");
    if (!fs::is_regular_file(path)) throw BadInput(path.string() + ": not a file");
    if (!std::ifstream(path)) throw BadInput(path.string() + ": cannot be read");
    model.path = fs::canonical(path).string();
    model.name = path.stem().string();
    model.file_bytes = static_cast<int64_t>(fs::file_size(path));
    for (const ModelInfo& other : models) {
      if (other.name == model.name) throw RunError("--models names \"" + model.name + "\" twice");
    }
    model.huge_mapped_pct = SettleFile(model.path);
    models.push_back(model);
  }
  if (models.empty()) throw RunError("--models is empty");
  return models;
}

}  // namespace smallmind::harness
