// Tested on synthetic runs: planted effects recovered, a planted interaction found, none invented.
#include "harness/analysis/factorial.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "harness/report/text.h"

namespace smallmind::harness {
namespace {

constexpr const char* kFactor[] = {"native", "LTO", "PGO"};
constexpr int kBit[] = {4, 2, 1};

using Cells = std::array<double, 8>;  // logs of one round
using Contrast = std::function<double(const Cells&)>;

// Of the contrast's weights on the eight.
double SumOfSquares(const Contrast& contrast) {
  double sum = 0.0;
  for (size_t i = 0; i < 8; ++i) {
    Cells only{};
    only[i] = 1.0;
    sum += contrast(only) * contrast(only);
  }
  return sum;
}

double MeanEffect(const Cells& y, int bit) {
  double sum = 0.0;
  for (int i = 0; i < 8; ++i)
    sum += (i & bit) != 0 ? y[static_cast<size_t>(i)] : -y[static_cast<size_t>(i)];
  return sum / 4.0;
}

// Effect of `bit` averaged over the cells in which all of `on` are set.
double EffectGiven(const Cells& y, int bit, int on) {
  double sum = 0.0;
  int pairs = 0;
  for (int i = 0; i < 8; ++i) {
    if ((i & bit) != 0 || (i & on) != on) continue;
    sum += y[static_cast<size_t>(i | bit)] - y[static_cast<size_t>(i)];
    ++pairs;
  }
  return sum / pairs;
}

// (y11 - y10 - y01 + y00), averaged over the third factor.
double PairInteraction(const Cells& y, int a, int b) {
  double sum = 0.0;
  for (int i = 0; i < 8; ++i) {
    const int signs = ((i & a) != 0 ? 1 : -1) * ((i & b) != 0 ? 1 : -1);
    sum += signs * y[static_cast<size_t>(i)];
  }
  return sum / 2.0;
}

double TripleInteraction(const Cells& y) {
  double sum = 0.0;
  for (int i = 0; i < 8; ++i) {
    const int signs = ((i & 4) != 0 ? 1 : -1) * ((i & 2) != 0 ? 1 : -1) * ((i & 1) != 0 ? 1 : -1);
    sum += signs * y[static_cast<size_t>(i)];
  }
  return sum;
}

struct NamedContrast {
  std::string name;
  bool interaction = false;
  Contrast contrast;
};

// Orthogonal, and each with weights of one size on all eight.
std::vector<NamedContrast> EffectContrasts() {
  std::vector<NamedContrast> list;
  for (int a = 0; a < 3; ++a) {
    list.push_back({kFactor[a], false, [a](const Cells& y) { return MeanEffect(y, kBit[a]); }});
  }
  for (int a = 0; a < 3; ++a) {
    for (int b = a + 1; b < 3; ++b) {
      list.push_back({std::string(kFactor[a]) + " × " + kFactor[b], true,
                      [a, b](const Cells& y) { return PairInteraction(y, kBit[a], kBit[b]); }});
    }
  }
  list.push_back({"native × LTO × PGO", true, TripleInteraction});
  return list;
}

// A list a link layout, in it what all eight finished, a round each. A row that lacks a layout
// plays with its own binary, as in Series::Pairs.
std::vector<std::vector<Cells>> Rounds(const std::array<std::string, 8>& variants,
                                       const Series& series, const Regime& regime,
                                       const std::string& metric) {
  using Slot = std::pair<int, int>;  // layout, round
  std::array<std::map<Slot, double>, 8> logs;
  std::set<Slot> slots;
  for (size_t i = 0; i < 8; ++i) {
    for (const Sample* sample : series.Cell(variants[i], regime)) {
      const auto value = sample->metrics.find(metric);
      if (value == sample->metrics.end() || value->second <= 0.0) continue;
      logs[i][{sample->layout, sample->round}] = std::log(value->second);
      slots.insert({sample->layout, sample->round});
    }
  }
  std::map<int, std::vector<Cells>> by_layout;
  for (const Slot& slot : slots) {
    Cells cells{};
    bool whole = true;
    for (size_t i = 0; i < 8; ++i) {
      auto found = logs[i].find(slot);
      if (found == logs[i].end()) found = logs[i].find({0, slot.second});
      whole = whole && found != logs[i].end();
      if (whole) cells[i] = found->second;
    }
    if (whole) by_layout[slot.first].push_back(cells);
  }
  std::vector<std::vector<Cells>> layouts;
  for (auto& [layout, rounds] : by_layout) layouts.push_back(std::move(rounds));
  return layouts;
}

// Centres of contrasts over the rounds or, where there are several link layouts, over these; few of
// them get their scatter from the whole table (stats/pooling.h).
class ContrastCentres {
 public:
  ContrastCentres(const std::vector<std::vector<Cells>>& layouts, stats::RatioOptions options)
      : layouts_(layouts), options_(options) {
    if (!Few()) return;
    std::vector<std::vector<double>> orthonormal;
    for (const NamedContrast& c : EffectContrasts()) {
      std::vector<double>& values = orthonormal.emplace_back(OfLayouts(c.contrast));
      for (double& value : values) value /= std::sqrt(SumOfSquares(c.contrast));
    }
    programs_ = stats::ContrastScatter(orthonormal);
  }

  stats::LogRatio operator()(const Contrast& contrast) const {
    if (Few()) {
      return stats::ContrastLocation(OfLayouts(contrast), SumOfSquares(contrast), programs_,
                                     options_);
    }
    std::vector<std::vector<double>> values;
    for (const std::vector<Cells>& rounds : layouts_) values.push_back(OfRounds(rounds, contrast));
    return stats::HierarchicalLocation(values, options_);
  }

 private:
  bool Few() const { return layouts_.size() >= 2 && layouts_.size() < stats::kRobustFrom; }

  static std::vector<double> OfRounds(const std::vector<Cells>& rounds, const Contrast& contrast) {
    std::vector<double> values;
    for (const Cells& y : rounds) values.push_back(contrast(y));
    return values;
  }

  std::vector<double> OfLayouts(const Contrast& contrast) const {
    std::vector<double> centres;
    for (const std::vector<Cells>& rounds : layouts_)
      centres.push_back(stats::Centre(OfRounds(rounds, contrast)));
    return centres;
  }

  const std::vector<std::vector<Cells>>& layouts_;
  stats::RatioOptions options_;
  stats::Scatter programs_;
};

// `with`: which toolchain, where there are several.
std::vector<std::string> Sentences(const Factorial& f, const std::string& with,
                                   const AnalysisOptions& options) {
  std::vector<std::string> said;
  const std::string what =
      (f.metric == "decode_tps" ? "decode" : "prefill") + (" of " + f.regime.model) + with;
  for (const FactorialEffect& e : f.effects) {
    if (e.interaction) continue;
    if (e.verdict == Verdict::kSame) {
      said.push_back(e.name + " changes nothing for " + what + ": " + RatioText(e.effect));
    } else if (e.verdict == Verdict::kBetter || e.verdict == Verdict::kWorse) {
      said.push_back(e.name + (e.verdict == Verdict::kBetter ? " speeds up " : " slows down ") +
                     what + ": " + RatioText(e.effect));
    }
  }
  for (const FactorialEffect& e : f.given) {
    if (e.verdict == Verdict::kSame) {
      const size_t cut = e.name.find(" given ");
      said.push_back(e.name.substr(0, cut) + " adds nothing to " + what + " once " +
                     e.name.substr(cut + 7) + " is on: " + RatioText(e.effect));
    }
  }
  for (const FactorialEffect& e : f.effects) {
    if (e.interaction && (e.verdict == Verdict::kBetter || e.verdict == Verdict::kWorse)) {
      const bool triple = &e == &f.effects.back();
      said.push_back(e.name + " interact for " + what + ": " +
                     (triple ? "the interaction of any two is " + RatioText(e.effect) +
                                   " times as large with the third"
                             : "together " + RatioText(e.effect) + " times the product of both"));
    }
  }
  const double margin = std::log1p(options.equal_within);
  if (f.surplus.log.low > margin || f.surplus.log.high < -margin) {
    said.push_back("all three together give " + RatioText(f.measured) + " for " + what + ", " +
                   (f.surplus.log.low > 0 ? "more" : "less") + " than the " +
                   RatioText(f.predicted) + " that each alone predicts");
  }
  return said;
}

// Nothing where the eight have fewer than two rounds together.
std::optional<Factorial> AnalyzeOne(const std::array<std::string, 8>& variants,
                                    const Series& series, const Regime& regime,
                                    const std::string& metric, const AnalysisOptions& options) {
  // Contaminated samples too: a round counts with all eight rows or not at all, and one sample in
  // eight marked would leave a third of the rounds, selected by what disturbed them.
  const std::vector<std::vector<Cells>> layouts = Rounds(variants, series, regime, metric);
  Factorial f;
  for (const std::vector<Cells>& rounds : layouts) f.rounds = std::max(f.rounds, rounds.size());
  if (f.rounds < 2) return std::nullopt;
  f.layouts = layouts.size();
  f.regime = regime;
  f.metric = metric;
  f.variants = variants;
  const ContrastCentres centre(layouts, {options.level, options.resamples, options.seed});
  for (const NamedContrast& c : EffectContrasts()) {
    f.effects.push_back({c.name, c.interaction, centre(c.contrast), Verdict::kUnclear});
  }
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      if (a == b) continue;
      f.given.push_back(
          {std::string(kFactor[a]) + " given " + kFactor[b], false,
           centre([a, b](const Cells& y) { return EffectGiven(y, kBit[a], kBit[b]); }),
           Verdict::kUnclear});
    }
  }
  f.predicted = centre([](const Cells& y) { return y[4] + y[2] + y[1] - 3.0 * y[0]; });
  f.measured = centre([](const Cells& y) { return y[7] - y[0]; });
  f.surplus = centre([](const Cells& y) { return y[7] - y[4] - y[2] - y[1] + 2.0 * y[0]; });
  return f;
}

// Every effect of every table is one question of one family.
void JudgeAll(std::vector<Factorial>& tables, const AnalysisOptions& options) {
  std::vector<FactorialEffect*> family;
  for (Factorial& f : tables) {
    for (FactorialEffect& e : f.effects) family.push_back(&e);
    for (FactorialEffect& e : f.given) family.push_back(&e);
  }
  std::vector<double> p;
  for (const FactorialEffect* e : family) p.push_back(e->effect.p_value);
  const std::vector<double> adjusted = stats::HolmAdjust(p);
  for (size_t i = 0; i < family.size(); ++i) {
    family[i]->verdict = Judge(family[i]->effect, adjusted[i], Direction::kHigherIsBetter, options);
  }
}

}  // namespace

std::array<std::string, 8> FactorialVariants(const RunInfo& run, const std::string& toolchain) {
  std::array<std::string, 8> names;
  for (const VariantInfo& v : run.variants) {
    if (v.kind != VariantKind::kVariant || v.toolchain != toolchain || v.group == "extra") continue;
    if (v.isa != "native" && v.isa != "baseline") continue;
    if (v.pgo != "use" && v.pgo != "none") continue;
    if (v.raw.is_object() && v.raw.contains("opt") && v.raw["opt"] != Json::array({"-O2"}))
      continue;
    const bool lto = v.lto != "none" && !v.lto.empty();
    const size_t index =
        (v.isa == "native" ? 4u : 0u) | (lto ? 2u : 0u) | (v.pgo == "use" ? 1u : 0u);
    if (names[index].empty() || v.name == run.reference) names[index] = v.name;
  }
  return names;
}

std::vector<Factorial> AnalyzeFactorial(const RunInfo& run, const Series& series,
                                        const AnalysisOptions& options) {
  std::vector<Factorial> results;
  std::vector<std::string> toolchains;
  for (const VariantInfo& v : run.variants) {
    if (v.kind == VariantKind::kVariant && v.status == "built" &&
        std::ranges::find(toolchains, v.toolchain) == toolchains.end())
      toolchains.push_back(v.toolchain);
  }
  for (const std::string& toolchain : toolchains) {
    for (const Regime& regime : series.regimes()) {
      for (const char* metric : {"decode_tps", "prefill_tps"}) {
        auto found = AnalyzeOne(FactorialVariants(run, toolchain), series, regime, metric, options);
        if (!found) continue;
        found->toolchain = toolchain;
        results.push_back(std::move(*found));
      }
    }
  }
  JudgeAll(results, options);
  for (Factorial& f : results) {
    f.sentences = Sentences(f, toolchains.size() > 1 ? " with " + f.toolchain : "", options);
  }
  return results;
}

void to_json(Json& json, const Factorial& f) {
  const auto list = [](const std::vector<FactorialEffect>& effects) {
    Json array = Json::array();
    for (const FactorialEffect& e : effects) {
      array.push_back({{"name", e.name},
                       {"interaction", e.interaction},
                       {"effect", RatioJson(e.effect)},
                       {"verdict", ToString(e.verdict)}});
    }
    return array;
  };
  json = {{"toolchain", f.toolchain},
          {"model", f.regime.model},
          {"workload", f.regime.workload},
          {"metric", f.metric},
          {"variants", f.variants},
          {"rounds", f.rounds},
          {"effects", list(f.effects)},
          {"given", list(f.given)},
          {"predicted", RatioJson(f.predicted)},
          {"measured", RatioJson(f.measured)},
          {"surplus", RatioJson(f.surplus)},
          {"sentences", f.sentences}};
}

}  // namespace smallmind::harness
