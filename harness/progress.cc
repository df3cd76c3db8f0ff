// Tested through ProgressLine and FormatDuration (progress_test.cc); the rest only prints them.
#include "harness/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace smallmind::harness {

std::string FormatDuration(double seconds) {
  const int64_t whole = std::max<int64_t>(0, std::llround(seconds));
  char text[32];
  if (whole >= 3600) {
    snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(whole / 3600),
             static_cast<long long>(whole / 60 % 60), static_cast<long long>(whole % 60));
  } else {
    snprintf(text, sizeof text, "%lld:%02lld", static_cast<long long>(whole / 60),
             static_cast<long long>(whole % 60));
  }
  return text;
}

std::string ProgressLine(const std::string& doing, int64_t done, int64_t total, double elapsed_s,
                         double left_s, int columns) {
  constexpr int kBar = 24;
  const double share = total > 0 ? std::min(1.0, static_cast<double>(done) / total) : 0;
  const int filled = static_cast<int>(share * kBar);
  std::string line = "[" + std::string(filled, '#') + std::string(kBar - filled, '.') + "] ";
  line += std::to_string(done) + "/" + std::to_string(total) + "  " + FormatDuration(elapsed_s);
  if (left_s >= 0) line += ", at most " + FormatDuration(left_s) + " left";
  line += "  " + doing;
  if (static_cast<int>(line.size()) > columns) line.resize(std::max(0, columns));
  return line;
}

TerminalProgress::TerminalProgress(std::FILE* out) : out_(out), columns_(80) {
  winsize size;
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) columns_ = size.ws_col - 1;
}

void TerminalProgress::Clear() { std::fputs("\r\x1b[K", out_); }

void TerminalProgress::Message(const std::string& text) {
  Clear();
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

void TerminalProgress::Update(const std::string& doing, int64_t done, int64_t total,
                              double elapsed_s, double left_s) {
  Clear();
  std::fputs(ProgressLine(doing, done, total, elapsed_s, left_s, columns_).c_str(), out_);
  std::fflush(out_);
}

void TerminalProgress::RoundDone(int, const std::string&) {}

void TerminalProgress::Finish() {
  Clear();
  std::fflush(out_);
}

void PlainProgress::Message(const std::string& text) {
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

void PlainProgress::RoundDone(int round, const std::string& summary) {
  if (round < 0) {
    std::fprintf(out_, "warm-up: %s\n", summary.c_str());
  } else {
    std::fprintf(out_, "round %d: %s\n", round + 1, summary.c_str());
  }
  std::fflush(out_);
}

}  // namespace smallmind::harness
