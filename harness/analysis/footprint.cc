// Tested on planted symbol tables; folding on the suffixes that GCC and Clang are known to add.
#include "harness/analysis/footprint.h"

#include <cxxabi.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "harness/error.h"
#include "harness/stats/interval.h"

namespace smallmind::harness {
namespace {

constexpr const char* kSuffixes[] = {"cold", "part",  "isra",       "constprop", "lto_priv",
                                     "llvm", "clone", "localalias", "warm",      "unlikely"};
constexpr size_t kMostFunctions = 20;

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::string Demangle(const std::string& symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  std::string name = status == 0 && text != nullptr ? text : symbol;
  std::free(text);
  return name;
}

std::map<std::string, int64_t> ByFunction(const std::vector<SymbolSize>& symbols) {
  std::map<std::string, int64_t> bytes;
  for (const SymbolSize& s : symbols) {
    if (s.function) bytes[FoldSymbol(s.name)] += s.bytes;
  }
  return bytes;
}

std::map<std::string, int64_t> ByHeat(const std::vector<SymbolSize>& symbols,
                                      const std::string& target) {
  std::map<std::string, int64_t> bytes;
  for (const SymbolSize& s : symbols) {
    if (s.function) bytes[ToString(HeatOf(s, target))] += s.bytes;
  }
  return bytes;
}

std::map<std::string, int64_t> Difference(const std::map<std::string, int64_t>& ours,
                                          const std::map<std::string, int64_t>& theirs) {
  std::map<std::string, int64_t> delta = ours;
  for (const auto& [name, bytes] : theirs) delta[name] -= bytes;
  std::erase_if(delta, [](const auto& entry) { return entry.second == 0; });
  return delta;
}

}  // namespace

std::string ToString(Heat heat) {
  switch (heat) {
    case Heat::kRunningTarget:
      return "running target";
    case Heat::kOtherTarget:
      return "other targets";
    case Heat::kCold:
      return "cold";
    case Heat::kOther:
      return "other code";
  }
  return "other code";
}

std::string FoldSymbol(const std::string& symbol, bool* cold) {
  std::string name = symbol;
  if (cold != nullptr) *cold = false;
  while (true) {
    size_t dot = name.rfind('.');
    if (dot == std::string::npos || dot == 0) return name;
    std::string last = name.substr(dot + 1);
    const bool numbered = AllDigits(last);
    if (numbered) {
      const size_t before = name.rfind('.', dot - 1);
      if (before == std::string::npos || before == 0)
        return name;  // "x.1": a local static, not a part
      last = name.substr(before + 1, dot - before - 1);
      dot = before;
    }
    if (std::find(std::begin(kSuffixes), std::end(kSuffixes), last) == std::end(kSuffixes))
      return name;
    if (cold != nullptr && (last == "cold" || last == "unlikely")) *cold = true;
    name.resize(dot);
  }
}

Heat HeatOf(const SymbolSize& symbol, const std::string& running_target) {
  bool cold = false;
  const std::string name = FoldSymbol(symbol.name, &cold);
  if (cold || symbol.section == ".text.unlikely") return Heat::kCold;
  // In a mangled name a namespace stands behind its length: 8N_SSE2.. is "N_" and the target's
  // name.
  const size_t at = name.find("N_");
  if (at != std::string::npos && at > 0 && std::isdigit(static_cast<unsigned char>(name[at - 1]))) {
    size_t digits = at;
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) --digits;
    const size_t length = static_cast<size_t>(std::atoi(name.c_str() + digits));
    const std::string target = name.substr(at, length);
    if (target.size() == length && length > 2) {
      return target == "N_" + running_target ? Heat::kRunningTarget : Heat::kOtherTarget;
    }
  }
  return Heat::kOther;
}

std::vector<Footprint> MeasureFootprints(
    const RunInfo& run, const std::map<std::string, std::vector<SymbolSize>>& symbols,
    const std::vector<Comparison>& comparisons) {
  std::vector<Footprint> results;
  const VariantInfo* reference = FindVariant(run, run.reference);
  if (reference == nullptr) return results;
  const ModelInfo* largest = nullptr;
  for (const ModelInfo& m : run.models) {
    if (largest == nullptr || m.weight_bytes > largest->weight_bytes) largest = &m;
  }
  const auto base = symbols.find(run.reference);
  for (const VariantInfo& v : run.variants) {
    if (v.size.stripped_bytes <= 0) continue;
    Footprint f;
    f.variant = v.name;
    f.stripped_bytes = v.size.stripped_bytes;
    f.reference_bytes = reference->size.stripped_bytes;
    f.section_delta = Difference(v.size.sections, reference->size.sections);
    for (const auto* list : {&v.size.sections, &reference->size.sections}) {
      for (const auto& [name, bytes] : *list) {
        if (name.rfind(".debug", 0) == 0 || name == ".symtab" || name == ".strtab")
          f.section_delta.erase(name);
      }
    }
    f.speed_gain = f.gain_per_kib = stats::kNan;
    for (const Comparison& c : comparisons) {
      if (largest != nullptr && c.variant == v.name && c.regime.model == largest->name &&
          c.metric == "decode_tps") {
        f.regime = c.regime;
        f.speed_gain = c.ratio().Ratio() - 1.0;
      }
    }
    const double kib = static_cast<double>(f.stripped_bytes - f.reference_bytes) / 1024.0;
    if (kib >= 1.0) f.gain_per_kib = f.speed_gain / kib;
    const auto own = symbols.find(v.name);
    if (own != symbols.end() && !own->second.empty()) {
      f.heat_bytes = ByHeat(own->second, v.target);
      if (base != symbols.end() && !base->second.empty()) {
        f.heat_delta = Difference(f.heat_bytes, ByHeat(base->second, reference->target));
        const auto ours = ByFunction(own->second), theirs = ByFunction(base->second);
        for (const auto& [name, delta] : Difference(ours, theirs)) {
          FunctionDelta d;
          d.name = name;
          d.variant_bytes = ours.count(name) != 0 ? ours.at(name) : 0;
          d.reference_bytes = theirs.count(name) != 0 ? theirs.at(name) : 0;
          f.functions.push_back(std::move(d));
        }
        std::sort(f.functions.begin(), f.functions.end(),
                  [](const FunctionDelta& x, const FunctionDelta& y) {
                    return std::llabs(x.variant_bytes - x.reference_bytes) >
                           std::llabs(y.variant_bytes - y.reference_bytes);
                  });
        if (f.functions.size() > kMostFunctions) f.functions.resize(kMostFunctions);
        for (FunctionDelta& d : f.functions) d.name = Demangle(d.name);
      }
    }
    results.push_back(std::move(f));
  }
  return results;
}

std::map<std::string, std::vector<SymbolSize>> ReadSymbols(const RunInfo& run) {
  std::map<std::string, std::vector<SymbolSize>> symbols;
  for (const VariantInfo& v : run.variants) {
    if (v.kind != VariantKind::kVariant || v.binary.empty()) continue;
    try {
      // The file may be another build by now: the sections say whether it is the one that was
      // measured.
      const std::string unstripped = v.binary + ".unstripped";
      const std::string& file = std::filesystem::exists(unstripped) ? unstripped : v.binary;
      if (SectionSizes(file).text_hash == v.size.text_hash) symbols[v.name] = SymbolSizes(file);
    } catch (const BadInput&) {
      continue;
    }
  }
  return symbols;
}

void RestoreSymbols(std::vector<Footprint>& footprints, const Json& earlier_analysis) {
  if (!earlier_analysis.is_object() || !earlier_analysis.contains("footprint")) return;
  for (const Json& old : earlier_analysis["footprint"]) {
    for (Footprint& f : footprints) {
      if (!f.heat_bytes.empty() || old.value("variant", "") != f.variant ||
          old.value("stripped_bytes", int64_t{0}) != f.stripped_bytes)
        continue;
      f.heat_bytes = old.value("heat_bytes", std::map<std::string, int64_t>());
      f.heat_delta = old.value("heat_delta", std::map<std::string, int64_t>());
      for (const Json& d : old.value("functions", Json::array())) {
        f.functions.push_back({d.value("name", ""), d.value("reference_bytes", int64_t{0}),
                               d.value("variant_bytes", int64_t{0})});
      }
    }
  }
}

void to_json(Json& json, const Footprint& f) {
  Json functions = Json::array();
  for (const FunctionDelta& d : f.functions) {
    functions.push_back({{"name", d.name},
                         {"reference_bytes", d.reference_bytes},
                         {"variant_bytes", d.variant_bytes}});
  }
  json = {{"variant", f.variant},
          {"stripped_bytes", f.stripped_bytes},
          {"reference_bytes", f.reference_bytes},
          {"section_delta", f.section_delta},
          {"heat_bytes", f.heat_bytes},
          {"heat_delta", f.heat_delta},
          {"functions", functions},
          {"speed_gain", Number(f.speed_gain)},
          {"gain_per_kib", Number(f.gain_per_kib)}};
}

}  // namespace smallmind::harness
