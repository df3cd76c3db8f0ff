// Tested with a fake process runner that writes logits (verify_test.cc).
#include "harness/verify.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <sstream>

#include "harness/error.h"
#include "harness/files.h"

namespace smallmind::harness {
namespace {

namespace fs = std::filesystem;

constexpr double kTimeoutS = 300;

bool HasFma(const std::string& target) {
  constexpr std::array kWithout = {"SSE2", "SSSE3", "SSE4", "EMU128", "SCALAR"};
  return std::ranges::find(kWithout, target) == kWithout.end();
}

std::string WhyNot(const ProcessResult& result) {
  if (!result.started) return result.error;
  if (result.interrupted) return "interrupted";
  if (result.timed_out) return "no end within the time limit";
  if (result.too_much_output) return "too much output";
  if (result.signal != 0) return SignalName(result.signal);
  return "exit code " + std::to_string(result.exit_code) + ": " +
         result.err_tail.substr(0, result.err_tail.find('\n'));
}

std::vector<std::string> TargetsOf(const VariantInfo& variant, ProcessRunner& processes) {
  ProcessRequest request;
  request.argv = {variant.binary, "info", "--json"};
  const ProcessResult result = processes.Run(request);
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("targets")) continue;
    // A statically dispatched binary has its one target; forcing it changes nothing.
    if (json.value("dispatch", "") == "static") return {};
    return json.value("targets", std::vector<std::string>{});
  }
  return {};
}

class Verifier {
 public:
  Verifier(const VerifyPlan& plan, ProcessRunner& processes) : plan_(plan), processes_(processes) {}

  // The logits' bytes; empty with `detail` set where there are none.
  std::string Logits(const VariantInfo& variant, const ModelInfo& model,
                     const std::vector<std::string>& flags, std::string* detail) {
    const fs::path output = plan_.scratch / "logits.f32";
    std::error_code ignored;
    fs::remove(output, ignored);
    ProcessRequest request;
    request.argv = {variant.binary, "logits",     "-m",       model.path,
                    "--tokens",     plan_.tokens, "--output", output.string()};
    request.argv.insert(request.argv.end(), flags.begin(), flags.end());
    request.timeout_s = kTimeoutS;
    const ProcessResult result = processes_.Run(request);
    if (!result.Succeeded()) {
      *detail = WhyNot(result);
      return "";
    }
    std::string bytes = ReadFile(output);
    if (bytes.empty()) *detail = "no logits were written";
    return bytes;
  }

  VerifyCell Compare(const VariantInfo& variant, const ModelInfo& model, const std::string& setting,
                     const std::vector<std::string>& flags, const std::string& expected) {
    VerifyCell cell{variant.name, model.name, setting, VerifyStatus::kFailed, ""};
    const std::string actual = Logits(variant, model, flags, &cell.detail);
    if (actual.empty()) return cell;
    cell.detail = CompareFloats(expected, actual);
    cell.status = cell.detail.empty() ? VerifyStatus::kIdentical : VerifyStatus::kDifferent;
    return cell;
  }

 private:
  const VerifyPlan& plan_;
  ProcessRunner& processes_;
};

const char* Mark(VerifyStatus status) {
  switch (status) {
    case VerifyStatus::kIdentical:
      return "same";
    case VerifyStatus::kDifferent:
      return "DIFFERS";
    case VerifyStatus::kNotPromised:
      return "differs, not promised";
    case VerifyStatus::kFailed:
      return "FAILED";
  }
  return "?";
}

}  // namespace

std::string CompareFloats(const std::string& a, const std::string& b) {
  if (a == b) return "";
  if (a.size() != b.size()) {
    return std::to_string(b.size()) + " bytes of logits instead of " + std::to_string(a.size());
  }
  size_t different = 0;
  double square_error = 0, square = 0, largest = 0;
  const size_t count = a.size() / sizeof(float);
  for (size_t i = 0; i < count; ++i) {
    float x, y;
    std::memcpy(&x, a.data() + i * sizeof(float), sizeof x);
    std::memcpy(&y, b.data() + i * sizeof(float), sizeof y);
    different += std::memcmp(&x, &y, sizeof x) != 0;
    largest = std::max(largest, std::abs(double{x} - y));
    square_error += (double{x} - y) * (double{x} - y);
    square += double{x} * x;
  }
  char text[128];
  snprintf(text, sizeof text, "%zu of %zu logits, largest difference %.2g, NMSE %.2g", different,
           count, largest, square > 0 ? square_error / square : 0);
  return text;
}

std::vector<VerifyCell> VerifyBits(const VerifyPlan& plan, ProcessRunner& processes,
                                   const std::atomic<bool>& interrupt) {
  Verifier verifier(plan, processes);
  std::vector<VerifyCell> cells;
  std::map<std::string, std::vector<std::string>> targets;
  if (plan.all_targets) {
    for (const VariantInfo& variant : plan.variants) {
      targets[variant.name] = TargetsOf(variant, processes);
    }
  }
  for (const ModelInfo& model : plan.models) {
    std::string detail;
    const std::string expected = verifier.Logits(plan.variants.front(), model, {}, &detail);
    if (expected.empty()) {
      cells.push_back(
          {plan.variants.front().name, model.name, "default", VerifyStatus::kFailed, detail});
      continue;
    }
    for (const VariantInfo& variant : plan.variants) {
      if (interrupt.load()) return cells;
      cells.push_back(verifier.Compare(variant, model, "default", {}, expected));
      for (const int threads : plan.threads) {
        const std::string figure = std::to_string(threads);
        cells.push_back(
            verifier.Compare(variant, model, "threads " + figure, {"-t", figure}, expected));
      }
      for (const int batch : plan.batches) {
        const std::string figure = std::to_string(batch);
        cells.push_back(
            verifier.Compare(variant, model, "batch " + figure, {"--batch", figure}, expected));
      }
      for (const std::string& target : targets[variant.name]) {
        cells.push_back(
            verifier.Compare(variant, model, "target " + target, {"--target", target}, expected));
        if (cells.back().status == VerifyStatus::kDifferent && !HasFma(target)) {
          cells.back().status = VerifyStatus::kNotPromised;
        }
      }
    }
  }
  return cells;
}

std::string VerifyText(const std::vector<VerifyCell>& cells) {
  // variant x model -> counts
  std::vector<std::pair<std::string, std::string>> rows;
  std::map<std::pair<std::string, std::string>, std::map<VerifyStatus, int>> counts;
  size_t width = 7;
  for (const VerifyCell& cell : cells) {
    const auto key = std::pair(cell.model, cell.variant);
    if (!counts.contains(key)) rows.push_back(key);
    ++counts[key][cell.status];
    width = std::max({width, cell.model.size(), cell.variant.size()});
  }
  std::ostringstream text;
  const auto pad = [&](const std::string& word) {
    return word + std::string(width + 2 - std::min(width, word.size()), ' ');
  };
  text << pad("model") << pad("variant") << "settings  same  differ  not promised  failed\n";
  for (const auto& key : rows) {
    auto& count = counts[key];
    char numbers[96];
    snprintf(numbers, sizeof numbers, "%8d  %4d  %6d  %12d  %6d\n",
             count[VerifyStatus::kIdentical] + count[VerifyStatus::kDifferent] +
                 count[VerifyStatus::kNotPromised] + count[VerifyStatus::kFailed],
             count[VerifyStatus::kIdentical], count[VerifyStatus::kDifferent],
             count[VerifyStatus::kNotPromised], count[VerifyStatus::kFailed]);
    text << pad(key.first) << pad(key.second) << numbers;
  }
  for (const VerifyCell& cell : cells) {
    if (cell.status == VerifyStatus::kIdentical) continue;
    text << cell.model << ", " << cell.variant << ", " << cell.setting << ": " << Mark(cell.status)
         << ": " << cell.detail << "\n";
  }
  const int code = VerifyExitCode(cells);
  text << (code == 0   ? "all logits are bit-identical wherever the order contract promises it\n"
           : code == 3 ? "logits differ where they must not\n"
                       : "some logits could not be computed\n");
  return text.str();
}

int VerifyExitCode(const std::vector<VerifyCell>& cells) {
  const auto any = [&](VerifyStatus status) {
    return std::ranges::any_of(cells, [&](const VerifyCell& c) { return c.status == status; });
  };
  if (any(VerifyStatus::kDifferent)) return kExitRegression;
  return any(VerifyStatus::kFailed) || cells.empty() ? kExitError : kExitOk;
}

}  // namespace smallmind::harness
