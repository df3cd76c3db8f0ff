// File facts come from the directory alone; the model's shape is added where specification and
// weights bind. Tested in model_report_test.cc.
#include "engine/cli/model_report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <map>

#include "engine/base/error.h"
#include "engine/base/json_writer.h"
#include "engine/base/quote.h"
#include "engine/gguf/parse.h"
#include "engine/model/spec.h"
#include "engine/model/token_work.h"
#include "engine/model/weights.h"

namespace smallmind {
namespace {

constexpr double kMiB = 1 << 20;

__attribute__((format(printf, 2, 3))) void Append(std::string* out, const char* format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  const size_t length = static_cast<size_t>(std::vsnprintf(nullptr, 0, format, arguments));
  const size_t at = out->size();
  out->resize(at + length + 1);  // a name of control bytes is four times as long when shown
  std::vsnprintf(out->data() + at, length + 1, format, again);
  out->resize(at + length);
  va_end(again);
  va_end(arguments);
}

struct TypeTotal {
  size_t tensors = 0;
  uint64_t elements = 0, bytes = 0;
};

std::map<std::string, TypeTotal> TotalsByType(const GgufFile& file) {
  std::map<std::string, TypeTotal> totals;
  for (const GgufTensor& tensor : file.tensors()) {
    TypeTotal& total = totals[std::string(Info(tensor.type).name)];
    ++total.tensors;
    total.elements += tensor.elements();
    total.bytes += tensor.data.size();
  }
  return totals;
}

// ", window 4096 in 13 layers".
std::string WindowText(const ModelSpec& s) {
  const auto layers = std::count(s.layer_windowed.begin(), s.layer_windowed.end(), true);
  if (s.window == 0 || layers == 0) return "";
  return ", window " + std::to_string(s.window) + " in " + std::to_string(layers) + " layers";
}

void AppendSpec(const ModelSpec& s, std::string* out) {
  Append(out,
         "shape       %zu layers, dim %zu, feed-forward %zu, %zu heads of %zu (%zu for keys and "
         "values)\n",
         s.n_layers, s.dim, s.ff, s.n_heads, s.head_dim_k, s.n_kv_heads);
  if (s.n_experts > 0) {
    Append(out, "experts     %zu, %zu used for a token\n", s.n_experts, s.n_experts_used);
  }
  Append(out, "vocabulary  %zu tokens\n", s.vocab);
  Append(out, "context     %zu positions trained%s; %.1f KiB of F16 cache each\n", s.context_train,
         WindowText(s).c_str(), static_cast<double>(CacheBytesOfPosition(s, DType::kF16)) / 1024);
}

void AddSpec(const ModelSpec& s, const ModelWeights& w, JsonLine* line) {
  line->Add("architecture", s.arch->name)
      .Add("name", s.name)
      .Add("parameters", w.parameters)
      .Add("weight_type", Info(w.main_type).name)
      .Add("weight_bytes", w.bytes)
      .Add("bits_per_weight", static_cast<double>(w.bytes) * 8 / static_cast<double>(w.parameters))
      .Add("layers", s.n_layers)
      .Add("dim", s.dim)
      .Add("ff", s.ff)
      .Add("heads", s.n_heads)
      .Add("kv_heads", s.n_kv_heads)
      .Add("head_dim", s.head_dim_k)
      .Add("vocab", s.vocab)
      .Add("context", s.context_train)
      .Add("cache_bytes_per_position_f16", CacheBytesOfPosition(s, DType::kF16))
      .Add("experts", s.n_experts)
      .Add("window", s.window);
}

std::string MetadataJson(const GgufFile& file) {
  JsonLine line;
  for (const GgufValue& value : file.values()) line.AddRaw(value.key, ValueJson(value));
  return line.str();
}

std::string TensorsJson(const GgufFile& file) {
  std::string out = "[";
  for (const GgufTensor& t : file.tensors()) {
    JsonLine line;
    line.Add("name", t.name).Add("type", Info(t.type).name);
    line.AddArray("shape", std::span(t.ne).first(t.n_dims)).Add("bytes", t.data.size());
    out += (out.size() > 1 ? "," : "") + line.str();
  }
  return out + "]";
}

std::string Summary(const GgufFile& file) {
  std::string out;
  Append(&out, "file        %s, %.1f MiB, GGUF v%u\n", Printable(file.path()).c_str(),
         static_cast<double>(file.file_bytes()) / kMiB, file.version());
  for (const GgufValue& value : file.values()) {
    if (value.key != "general.name") continue;
    Append(&out, "name        %s\n", Printable(value.text).c_str());
  }
  uint64_t elements = 0, bytes = 0;
  for (const auto& [type, total] : TotalsByType(file)) {
    elements += total.elements;
    bytes += total.bytes;
  }
  if (elements == 0) return out + "weights     none: a bare vocabulary\n";
  Append(&out, "weights     %.2f M in %zu tensors, %.1f MiB, %.2f bits each\n",
         static_cast<double>(elements) / 1e6, file.tensors().size(),
         static_cast<double>(bytes) / kMiB,
         static_cast<double>(bytes) * 8 / static_cast<double>(elements));
  for (const auto& [type, total] : TotalsByType(file)) {
    Append(&out, "  %-9s %4zu tensors %10.1f MiB %5.1f %%\n", type.c_str(), total.tensors,
           static_cast<double>(total.bytes) / kMiB,
           100 * static_cast<double>(total.bytes) / static_cast<double>(bytes));
  }
  return out;
}

std::string Details(const GgufFile& file) {
  std::string out = "\n";
  for (const GgufFile::Entry& entry : file.Describe()) {
    out += Printable(entry.key) + " = " + entry.value + " (" + entry.type + ")\n";
  }
  out += "\n";
  for (const GgufTensor& t : file.tensors()) {
    std::string shape;  // rows first, as in the code
    for (uint32_t d = t.n_dims; d-- > 0;) shape += "[" + std::to_string(t.ne[d]) + "]";
    Append(&out, "%-40s %-7s %s\n", Printable(t.name).c_str(),
           std::string(Info(t.type).name).c_str(), shape.c_str());
  }
  return out;
}

}  // namespace

ModelReport ReportModel(const GgufFile& file) {
  ModelReport report;
  report.text = Summary(file);
  JsonLine line;
  line.Add("path", file.path())
      .Add("gguf_version", file.version())
      .Add("file_bytes", file.file_bytes());
  try {
    const ModelSpec spec = ReadSpec(file, 0);
    const ModelWeights weights = BindWeights(file, spec);
    Append(&report.text, "arch        %s\n", std::string(spec.arch->name).c_str());
    AppendSpec(spec, &report.text);
    AddSpec(spec, weights, &line);
  } catch (const InputError& error) {
    if (!file.tensors().empty()) {  // a bare vocabulary is not meant to run
      report.problem = error.what();
      line.Add("problem", report.problem);
    }
  }
  report.text += Details(file);
  report.json =
      line.AddRaw("metadata", MetadataJson(file)).AddRaw("tensors", TensorsJson(file)).str();
  return report;
}

}  // namespace smallmind
