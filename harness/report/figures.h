// Figures inside the page: SVG of plots/ whose colours follow the reader's light or dark setting.
#pragma once

#include <string>

namespace smallmind::harness {

// An SVG file's root element alone, ids made unique by `name` so that inlining several is safe, and
// known colours replaced by variables that FigureStyle defines; "" where the text is no SVG.
std::string InlineSvg(const std::string& name, const std::string& file);

// CSS: the variables' light values and, for readers in the dark, their dark ones.
std::string FigureStyle();

}  // namespace smallmind::harness
