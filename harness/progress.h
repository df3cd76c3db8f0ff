// What a person sees while a run goes on: a bar with the time left on a terminal, a line a round
// elsewhere. Everything goes to stderr; stdout belongs to the table.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace smallmind::harness {

class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Message(const std::string& text) = 0;  // a line of its own
  // A sample begins: `doing` names it; done of total samples, an upper bound under a budget.
  virtual void Update(const std::string& doing, int64_t done, int64_t total, double elapsed_s,
                      double left_s) = 0;
  virtual void RoundDone(int round, const std::string& summary) = 0;
  virtual void Finish() = 0;
};

class TerminalProgress : public Progress {
 public:
  explicit TerminalProgress(std::FILE* out);
  void Message(const std::string& text) override;
  void Update(const std::string& doing, int64_t done, int64_t total, double elapsed_s,
              double left_s) override;
  void RoundDone(int round, const std::string& summary) override;
  void Finish() override;

 private:
  void Clear();
  std::FILE* out_;
  int columns_;
};

class PlainProgress : public Progress {
 public:
  explicit PlainProgress(std::FILE* out) : out_(out) {}
  void Message(const std::string& text) override;
  void Update(const std::string&, int64_t, int64_t, double, double) override {}
  void RoundDone(int round, const std::string& summary) override;
  void Finish() override {}

 private:
  std::FILE* out_;
};

// "1:05", "2:03:04"
std::string FormatDuration(double seconds);

// One line of at most `columns` characters.
std::string ProgressLine(const std::string& doing, int64_t done, int64_t total, double elapsed_s,
                         double left_s, int columns);

}  // namespace smallmind::harness
