#include "harness/report/text.h"

#include <cmath>

#include "harness/strings.h"

namespace smallmind::harness {
namespace {

struct Decoded {
  uint32_t code = 0;
  size_t bytes = 1;
};

Decoded Decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  size_t length = 1;
  uint32_t code = lead;
  if (lead >= 0xf0 && lead < 0xf8) {
    length = 4;
    code = lead & 0x07u;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    length = 3;
    code = lead & 0x0fu;
  } else if (lead >= 0xc2 && lead < 0xe0) {
    length = 2;
    code = lead & 0x1fu;
  }
  if (length == 1 || length > text.size()) return {lead, 1};
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  return {code, length};
}

// Unicode's main wide and zero-width ranges; the table's own symbols are all narrow.
size_t Width(uint32_t c) {
  const auto in = [c](uint32_t first, uint32_t last) { return c >= first && c <= last; };
  if (c == 0x200b || c == 0x200d || in(0x0300, 0x036f) || in(0x1ab0, 0x1aff) ||
      in(0x20d0, 0x20ff) || in(0xfe00, 0xfe0f)) {
    return 0;
  }
  if (in(0x1100, 0x115f) || in(0x2e80, 0x303e) || in(0x3041, 0xa4cf) || in(0xac00, 0xd7a3) ||
      in(0xf900, 0xfaff) || in(0xfe30, 0xfe6f) || in(0xff00, 0xff60) || in(0xffe0, 0xffe6) ||
      in(0x1f300, 0x1f64f) || in(0x1f900, 0x1f9ff) || in(0x20000, 0x3fffd)) {
    return 2;
  }
  return 1;
}

}  // namespace

std::string Figure(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  if (size == 0.0) return "0";
  if (size >= 999.5) return Print("%.0f", value);
  if (size >= 99.95) return Print("%.1f", value);
  if (size >= 9.995) return Print("%.1f", value);
  if (size >= 0.0995) return Print("%.2f", value);
  return Print("%.4f", value);
}

std::string IntervalText(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "[?]";
  return "[" + Figure(low) + (low < 0.0 ? " to " : "–") + Figure(high) + "]";
}

std::string RatioText(const stats::LogRatio& ratio) {
  if (!std::isfinite(ratio.log.estimate)) return "-";
  const double low = ratio.Low(), high = ratio.High();
  // Three decimals where the interval is finer than the second one.
  const char* format = ratio.Ratio() >= 9.995                        ? "%.1f"
                       : high - low < 0.01 || ratio.Ratio() < 0.0995 ? "%.3f"
                                                                     : "%.2f";
  if (!std::isfinite(low) || !std::isfinite(high)) return Print(format, ratio.Ratio()) + " [?]";
  return Print(format, ratio.Ratio()) + " [" + Print(format, low) + "–" + Print(format, high) + "]";
}

std::string PercentText(double fraction) {
  return std::isfinite(fraction) ? Print("%.1f %%", 100.0 * fraction) : "-";
}

std::string MegabyteText(int64_t bytes) {
  return bytes > 0 ? Print("%.2f", static_cast<double>(bytes) / 1e6) : "-";
}

std::string PValueText(double p) {
  if (!std::isfinite(p)) return "-";
  return p < 0.001 ? "<0.001" : Print("%.3f", p);
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Decoded d = Decode(text);
    width += Width(d.code);
    text.remove_prefix(d.bytes);
  }
  return width;
}

std::string Truncate(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string kept;
  size_t used = 0;
  while (!text.empty()) {
    const Decoded d = Decode(text);
    if (used + Width(d.code) > width - 1) break;
    used += Width(d.code);
    kept.append(text.substr(0, d.bytes));
    text.remove_prefix(d.bytes);
  }
  return kept + "…";
}

std::string PadRight(std::string_view text, size_t width) {
  std::string out = Truncate(text, width);
  const size_t used = DisplayWidth(out);
  return used < width ? out + std::string(width - used, ' ') : out;
}

std::string PadLeft(std::string_view text, size_t width) {
  const std::string out = Truncate(text, width);
  const size_t used = DisplayWidth(out);
  return used < width ? std::string(width - used, ' ') + out : out;
}

}  // namespace smallmind::harness
