// plots/style.py draws for white paper. On a dark page ink must be light, and the colours that were
// chosen dark against white must be light too; hues stay, so that a variant keeps its colour.
// Tested in report_test.cc.
#include "harness/report/figures.h"

#include "harness/strings.h"

namespace smallmind::harness {
namespace {

struct Colour {
  const char* light;  // as plots/style.py writes it
  const char* dark;
};

constexpr Colour kColours[] = {
    {"#1b1f24", "#e4e7ea"},                                                  // ink
    {"#5b6470", "#9aa4af"},                                                  // notes
    {"#ffffff", "#1a1e22"},                                                  // paper
    {"#dddddd", "#343b43"},                                                  // grid
    {"#bbbbbb", "#5b6470"}, {"#4d4d4d", "#b8bec6"},                          // o2
    {"#a6a6a6", "#78808a"},                                                  // tier0
    {"#0072b2", "#4aa8e8"},                                                  // native
    {"#56b4e9", "#8ad0f7"},                                                  // lto
    {"#009e73", "#22c296"},                                                  // size
    {"#d55e00", "#ff8a3d"},                                                  // native-pgo
    {"#1f4e79", "#7d9fd6"},                                                  // native-lto
    {"#9c6b00", "#c79a3a"},                                                  // lto-pgo
    {"#7b3294", "#b58ad6"},                                                  // o3
    {"#882255", "#d76a9e"},                                                  // scalar
    {"#661100", "#cf7d6b"},                                                  // bolt
    {"#332288", "#8f86d9"},                                                  // and those of peers
    {"#117733", "#5fbf7d"}, {"#aa4499", "#cf7dc2"}, {"#bcd9ea", "#2b5573"},  // mapped memory
};

std::string Variable(const Colour& colour) { return std::string("--c") + (colour.light + 1); }

}  // namespace

std::string InlineSvg(const std::string& name, const std::string& file) {
  const size_t begin = file.find("<svg");
  if (begin == std::string::npos) return "";
  std::string svg = file.substr(begin);
  for (const char* reference : {" id=\"", "url(#", "href=\"#"}) {
    ReplaceAll(svg, reference, reference + name + "-");
  }
  for (const Colour& colour : kColours) {
    ReplaceAll(svg, colour.light, "var(" + Variable(colour) + ")");
  }
  return svg;
}

std::string FigureStyle() {
  std::string light, dark;
  for (const Colour& colour : kColours) {
    light += Variable(colour) + ":" + colour.light + ";";
    dark += Variable(colour) + ":" + colour.dark + ";";
  }
  return ":root{" + light + "}\n@media(prefers-color-scheme:dark){:root{" + dark + "}}\n";
}

}  // namespace smallmind::harness
