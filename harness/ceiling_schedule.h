// After which rounds the machine's ceilings are measured: the first and the last, and in between as
// many as keep to a share of the run's time. A measurement takes as long as several samples.
#pragma once

namespace smallmind::harness {

// Where they only stand beside the figures, their seconds are rounds lost.
inline constexpr double kCeilingShare = 0.05;
// Where figures are divided by them (a stored baseline), or no budget makes rounds of seconds.
inline constexpr double kDivisorShare = 1.0 / 3;

class CeilingSchedule {
 public:
  // 0: nothing between the first round and the last.
  explicit CeilingSchedule(double share) : share_(share) {}

  // After a round that ended `elapsed_s` seconds into the run; the last round is the caller's to
  // know.
  bool Due(double elapsed_s) const {
    if (times_ == 0) return true;
    return share_ > 0 && spent_s_ + last_s_ <= share_ * (elapsed_s + last_s_);
  }
  void Measured(double seconds) {
    ++times_;
    spent_s_ += seconds;
    last_s_ = seconds;
  }
  double last_s() const { return last_s_; }  // 0 before the first one

 private:
  double share_;
  int times_ = 0;
  double spent_s_ = 0, last_s_ = 0;
};

}  // namespace smallmind::harness
