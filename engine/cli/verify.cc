// `verify A B`: how far two files of `logits` are apart. A is the reference.
//
// NMSE = Σ(b−a)²/Σa²; KL divergence of the softmaxes, mean over rows, in nats; top-1: rows with the
// same argmax. A value that is not finite is an error.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/base/error.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include "engine/cli/read_file.h"

namespace smallmind {
namespace {

struct VerifyFlags {
  std::string reference, other, model;
  size_t vocab = 0;
  bool json = false;
};

std::vector<float> ReadFloats(const std::string& path, size_t vocab) {
  const std::string bytes = ReadFileBytes(path);
  if (bytes.empty() || bytes.size() % (vocab * sizeof(float)) != 0) {
    throw InputError(path + ": " + std::to_string(bytes.size()) + " bytes are not whole rows of " +
                     std::to_string(vocab) + " float32");
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// A figure over rows that hold no numbers would say nothing.
void CheckFinite(const std::string& path, std::span<const float> values, size_t vocab) {
  size_t rows = 0, first = 0;
  for (size_t r = 0; r < values.size() / vocab; ++r) {
    const std::span<const float> row = values.subspan(r * vocab, vocab);
    if (std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); })) continue;
    if (rows++ == 0) first = r;
  }
  if (rows == 0) return;
  throw InputError(
      path + ": " + std::to_string(rows) + " of " + std::to_string(values.size() / vocab) +
      " rows hold values that are not finite, the first is row " + std::to_string(first));
}

// log softmax in double.
std::vector<double> LogSoftmax(std::span<const float> logits) {
  double max = -INFINITY, sum = 0;
  for (float x : logits) max = std::max(max, double{x});
  for (float x : logits) sum += std::exp(double{x} - max);
  std::vector<double> out(logits.begin(), logits.end());
  for (double& x : out) x -= max + std::log(sum);
  return out;
}

int RunVerify(const VerifyFlags& o) {
  size_t vocab = o.vocab;
  if (vocab == 0 && o.model.empty()) throw UsageError("verify needs --vocab or --model");
  if (vocab != 0 && !o.model.empty()) throw UsageError("give --vocab or --model, not both");
  if (vocab == 0) vocab = Model::Load(o.model).spec.vocab;
  const std::vector<float> a = ReadFloats(o.reference, vocab);
  const std::vector<float> b = ReadFloats(o.other, vocab);
  if (a.size() != b.size()) throw InputError(o.reference + " and " + o.other + " differ in length");
  CheckFinite(o.reference, a, vocab);
  CheckFinite(o.other, b, vocab);
  double error = 0, norm = 0, kl = 0;
  size_t agree = 0;
  const size_t rows = a.size() / vocab;
  for (size_t r = 0; r < rows; ++r) {
    const std::span<const float> ra(a.data() + r * vocab, vocab), rb(b.data() + r * vocab, vocab);
    const std::vector<double> la = LogSoftmax(ra), lb = LogSoftmax(rb);
    for (size_t i = 0; i < vocab; ++i) {
      const double d = double{rb[i]} - double{ra[i]};
      error += d * d;
      norm += double{ra[i]} * double{ra[i]};
      kl += std::exp(la[i]) * (la[i] - lb[i]);
    }
    agree += std::max_element(ra.begin(), ra.end()) - ra.begin() ==
             std::max_element(rb.begin(), rb.end()) - rb.begin();
  }
  const bool identical = std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  const double nmse = norm > 0 ? error / norm : error;
  const double n = static_cast<double>(rows);
  if (o.json) {
    std::printf("%s\n", JsonLine()
                            .Add("rows", rows)
                            .Add("identical", identical)
                            .Add("nmse", nmse)
                            .Add("kl", kl / n)
                            .Add("top1", static_cast<double>(agree) / n)
                            .str()
                            .c_str());
  } else {
    std::printf("rows %zu\nidentical %s\nnmse %.6e\nkl %.6e\ntop1 %.4f\n", rows,
                identical ? "yes" : "no", nmse, kl / n, static_cast<double>(agree) / n);
  }
  return 0;
}

}  // namespace

void AddVerify(Program& program) {
  program.Add("verify", "Compare two files of logits", [](Command& c) {
    auto o = std::make_shared<VerifyFlags>();
    c.Option("reference", &o->reference, "File from `logits`").Required();
    c.Option("other", &o->other, "File from `logits`").Required();
    c.Option("--vocab", &o->vocab, "Floats a row").Range(1, 1 << 30);
    c.Option("-m,--model", &o->model, "GGUF file that says the vocabulary's size instead")
        .NotEmpty();
    c.Flag("--json", &o->json, "One JSON object instead of text");
    c.Runs([o] { return RunVerify(*o); });
  });
}

}  // namespace smallmind
