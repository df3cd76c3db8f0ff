// Whatever a variant, a peer or a killed run left behind as JSON lines: a sample, a reason, or
// BadInput, never a crash; and every sample can be written, read again, and is then the same.
//
//   scripts/fuzz 600 protocol_fuzz
//
// First byte: whose output it is. The rest is the text. Seeds: real transcripts and samples, and
// the cases of protocol_test.cc.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness/error.h"
#include "harness/load_run.h"
#include "harness/peer.h"
#include "harness/protocol.h"
#include "harness/record.h"

namespace smallmind::harness {
namespace {

Workload Asked() {
  Workload workload;
  workload.prompt_tokens = 4;
  workload.gen_tokens = 2;
  workload.threads = 1;
  workload.reps = 2;
  return workload;
}

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "protocol_fuzz: %s\n", what);
  std::abort();
}

std::string Line(const Sample& sample) {
  return Json(sample).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void CheckRoundTrip(const Sample& sample) {
  const std::string line = Line(sample);
  const std::vector<Sample> again = ParseSamples(line, "samples.jsonl");
  Check(again.size() == 1 && Line(again[0]) == line, "a sample does not come back");
}

void Judge(const std::string& reason, Sample& sample) {
  sample.reason = reason;
  if (reason.empty()) {
    for (const auto& [name, value] : sample.metrics) {
      Check(std::isfinite(value), "a metric is no number");
    }
  }
  CheckRoundTrip(sample);
}

void TryLines(uint8_t whose, const std::string& text) {
  Sample sample;
  VariantInfo competitor;
  if (whose % 3 == 0) {
    ModelInfo model;
    Judge(MeasureVariant(text, Asked(), competitor, model, sample), sample);
  } else if (whose % 3 == 1) {
    ProcessResult result;
    result.out = text;
    Judge(MeasurePeer(result, Asked(), competitor, sample), sample);
  } else {
    try {
      for (const Sample& read : ParseSamples(text, "samples.jsonl")) CheckRoundTrip(read);
    } catch (const BadInput&) {
    }
  }
}

}  // namespace
}  // namespace smallmind::harness

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  smallmind::harness::TryLines(data[0],
                               std::string(reinterpret_cast<const char*>(data + 1), size - 1));
  return 0;
}
