// Hand-computed cases, a plain reference chain over many random logits, and draws against their
// distribution.
#include "engine/sampler/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "engine/base/error.h"
#include "engine/sampler/portable_math.h"

namespace smallmind {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Everything off: plain softmax at temperature 1.
SamplerOptions Plain() {
  SamplerOptions o;
  o.temperature = 1;
  o.top_k = 0;
  o.top_p = 1;
  o.min_p = 0;
  return o;
}

int32_t SampleOnce(const SamplerOptions& options, std::vector<float> logits,
                   const std::vector<int32_t>& history = {}) {
  return Sampler(options).Sample(logits, history);
}

// The tokens that can come out, found by drawing often.
std::set<int32_t> Support(const SamplerOptions& options, const std::vector<float>& logits,
                          const std::vector<int32_t>& history = {}) {
  Sampler sampler(options);
  std::set<int32_t> found;
  for (int i = 0; i < 1000; ++i) {
    std::vector<float> copy = logits;
    found.insert(sampler.Sample(copy, history));
  }
  return found;
}

// Logits whose softmax at temperature 1 is `p`.
std::vector<float> Logits(const std::vector<double>& p) {
  std::vector<float> logits;
  for (const double x : p) logits.push_back(static_cast<float>(std::log(x)));
  return logits;
}

TEST(PortableMath, AgreesWithLibm) {
  for (double x = 0; x > -700; x -= 0.37) {
    EXPECT_NEAR(PortableExp(x) / std::exp(x), 1.0, 4e-16) << x;
  }
  EXPECT_EQ(PortableExp(0), 1.0);
  EXPECT_EQ(PortableExp(-1e30), 0.0);
  for (double x = 1e-300; x < 1e300; x *= 1.7) {
    EXPECT_NEAR(PortableLog(x), std::log(x), 4e-16 * std::max(1.0, std::abs(std::log(x)))) << x;
  }
  EXPECT_EQ(PortableLog(1.0), 0.0);
}

TEST(PortableMath, KnownBits) {
  // The same doubles on every build and target.
  EXPECT_EQ(PortableExp(-1.0), 0x1.78b56362cef38p-2);
  EXPECT_EQ(PortableExp(-123.456), 0x1.da9fb9e4ee720p-179);
  EXPECT_EQ(PortableLog(3.0), 0x1.193ea7aad030ap+0);
}

TEST(Sampler, GreedyTakesTheHighestAndTheLowestIdAmongEquals) {
  SamplerOptions o = Plain();
  o.temperature = 0;
  EXPECT_EQ(SampleOnce(o, {1, 5, 3, 5}), 1);
  EXPECT_EQ(SampleOnce(o, {kNan, -kInf, -7, kNan}), 2);
  EXPECT_EQ(SampleOnce(o, {1, kInf, 2}), 1);
  EXPECT_EQ(SampleOnce(o, {4}), 0);
}

TEST(Sampler, NoNumberIsAnInputError) {
  for (const float temperature : {0.0f, 1.0f}) {
    SamplerOptions o = Plain();
    o.temperature = temperature;
    EXPECT_THROW(SampleOnce(o, {kNan, kNan}), InputError);
    EXPECT_THROW(SampleOnce(o, {-kInf, kNan}), InputError);
    EXPECT_THROW(SampleOnce(o, {}), InputError);
  }
}

TEST(Sampler, NanIsNeverChosen) {
  SamplerOptions o = Plain();
  EXPECT_EQ(Support(o, {kNan, 1, -kInf, 1}), (std::set<int32_t>{1, 3}));
  o.top_k = 3;
  EXPECT_EQ(Support(o, {kNan, 1, -kInf, 1}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(Support(Plain(), {1, kInf, 2}), (std::set<int32_t>{1}));
}

TEST(Sampler, TopK) {
  SamplerOptions o = Plain();
  o.top_k = 2;
  EXPECT_EQ(Support(o, Logits({0.1, 0.4, 0.2, 0.3})), (std::set<int32_t>{1, 3}));
  o.top_k = 2;  // equal logits: the lower ids stay
  EXPECT_EQ(Support(o, {1, 1, 1, 1}), (std::set<int32_t>{0, 1}));
  o.top_k = 9;
  EXPECT_EQ(Support(o, Logits({0.5, 0.5})).size(), 2u);
}

TEST(Sampler, GreedyAndTopKEqualASortAtEverySize) {
  // Blocks of 64 with and without a rest, NaN and equal values among them.
  Rng rng(8);
  for (size_t n = 1; n < 400; n += 1 + n / 7) {
    for (int round = 0; round < 20; ++round) {
      std::vector<float> logits(n);
      for (float& x : logits) x = round % 2 == 0 ? std::round(2 * rng.Normal()) : rng.Normal();
      for (size_t i = 1; i < n; i += 5) logits[i] = kNan;
      std::vector<int32_t> ids;
      for (size_t i = 0; i < n; ++i) {
        if (!std::isnan(logits[i])) ids.push_back(static_cast<int32_t>(i));
      }
      std::sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
        const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
        return x != y ? x > y : a < b;
      });
      SamplerOptions o = Plain();
      o.temperature = 0;
      EXPECT_EQ(SampleOnce(o, logits), ids[0]);
      o.temperature = 1e6f;
      o.top_k = 3;
      ids.resize(std::min<size_t>(ids.size(), 3));
      EXPECT_EQ(Support(o, logits), std::set<int32_t>(ids.begin(), ids.end()));
    }
  }
}

TEST(Sampler, TopPKeepsTheTokenThatReachesIt) {
  SamplerOptions o = Plain();
  const std::vector<float> logits = Logits({0.1, 0.4, 0.2, 0.3});
  o.top_p = 0.69f;
  EXPECT_EQ(Support(o, logits), (std::set<int32_t>{1, 3}));
  o.top_p = 0.71f;
  EXPECT_EQ(Support(o, logits), (std::set<int32_t>{1, 2, 3}));
  o.top_p = 0;
  EXPECT_EQ(Support(o, logits), (std::set<int32_t>{1}));
}

TEST(Sampler, TopPIsOfWhatTopKLeft) {
  SamplerOptions o = Plain();
  o.top_k = 2;  // 0.4 and 0.3: renormalised 0.571 and 0.429
  o.top_p = 0.56f;
  EXPECT_EQ(Support(o, Logits({0.1, 0.4, 0.2, 0.3})), (std::set<int32_t>{1}));
  o.top_p = 0.58f;
  EXPECT_EQ(Support(o, Logits({0.1, 0.4, 0.2, 0.3})), (std::set<int32_t>{1, 3}));
}

TEST(Sampler, MinPIsRelativeToTheLikeliestAndBeforeTemperature) {
  SamplerOptions o = Plain();
  o.min_p = 0.5f;
  EXPECT_EQ(Support(o, Logits({0.1, 0.4, 0.19, 0.31})), (std::set<int32_t>{1, 3}));
  o.temperature = 10;  // a flatter draw, the same set
  EXPECT_EQ(Support(o, Logits({0.1, 0.4, 0.19, 0.31})), (std::set<int32_t>{1, 3}));
  o.min_p = 1;
  EXPECT_EQ(Support(o, Logits({0.1, 0.4, 0.19, 0.31})), (std::set<int32_t>{1}));
}

TEST(Sampler, TypicalDropsWhatIsTooExpected) {
  // p = 0.4, 0.1 ×6: entropy 1.748 nats; surprises 0.916 and 2.303, so the tenths are the typical
  // ones.
  SamplerOptions o = Plain();
  const std::vector<float> logits = Logits({0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1});
  o.typical_p = 0.25f;
  EXPECT_EQ(Support(o, logits), (std::set<int32_t>{1, 2, 3}));
  o.typical_p = 0.65f;
  EXPECT_EQ(Support(o, logits).size(), 7u);
}

TEST(Sampler, PenaltiesByHand) {
  SamplerOptions o = Plain();
  o.temperature = 0;
  o.repeat_penalty = 2;
  std::vector<float> logits = {4, 3, -1, 0};
  Sampler sampler(o);
  EXPECT_EQ(sampler.Sample(logits, std::vector<int32_t>{0, 2, 0, -5, 99}), 1);
  EXPECT_EQ(logits, (std::vector<float>{2, 3, -2, 0}));

  o.repeat_penalty = 1;
  o.frequency_penalty = 0.5f;
  o.presence_penalty = 0.25f;
  logits = {4, 3, -1, 0};
  EXPECT_EQ(Sampler(o).Sample(logits, std::vector<int32_t>{0, 2, 0}), 1);
  EXPECT_EQ(logits, (std::vector<float>{2.75f, 3, -1.75f, 0}));
}

TEST(Sampler, PenaltyWindow) {
  SamplerOptions o = Plain();
  o.temperature = 0;
  o.presence_penalty = 10;
  const std::vector<int32_t> history = {0, 1, 2};
  o.penalty_last_n = 2;
  EXPECT_EQ(SampleOnce(o, {3, 2, 1}, history), 0);
  o.penalty_last_n = -1;
  EXPECT_EQ(SampleOnce(o, {3, 2, 1, 0}, history), 3);
  o.penalty_last_n = 0;
  EXPECT_EQ(SampleOnce(o, {3, 2, 1}, {0}), 0);
  o.penalty_last_n = 64;
  EXPECT_EQ(SampleOnce(o, {3, 2, 1}, {0}), 1);
}

TEST(Sampler, LogitBias) {
  SamplerOptions o = Plain();
  o.temperature = 0;
  o.logit_bias = {{0, -kInf}, {2, 1.5f}};
  EXPECT_EQ(SampleOnce(o, {3, 2, 1}), 2);
  o.logit_bias = {{3, 1.0f}};
  EXPECT_THROW(SampleOnce(o, {3, 2, 1}), UsageError);
}

TEST(Sampler, OptionsOutOfRange) {
  const auto rejects = [](auto change) {
    SamplerOptions o = Plain();
    change(o);
    EXPECT_THROW(Sampler{o}, UsageError);
  };
  rejects([](auto& o) { o.temperature = -1; });
  rejects([](auto& o) { o.temperature = kNan; });
  rejects([](auto& o) { o.temperature = kInf; });
  rejects([](auto& o) { o.top_k = -1; });
  rejects([](auto& o) { o.top_p = 1.5f; });
  rejects([](auto& o) { o.top_p = kNan; });
  rejects([](auto& o) { o.min_p = -0.1f; });
  rejects([](auto& o) { o.typical_p = 0; });
  rejects([](auto& o) { o.repeat_penalty = 0; });
  rejects([](auto& o) { o.frequency_penalty = kNan; });
  rejects([](auto& o) { o.presence_penalty = kInf; });
  rejects([](auto& o) { o.penalty_last_n = -2; });
  rejects([](auto& o) { o.logit_bias = {{-1, 0.0f}}; });
  rejects([](auto& o) { o.logit_bias = {{1, kNan}}; });
}

// χ² of 40,000 draws against the probabilities; 9 degrees of freedom, the 99.9 % point is 27.9.
TEST(Sampler, DrawsFollowTheDistribution) {
  const std::vector<double> p = {0.3, 0.2, 0.15, 0.1, 0.08, 0.07, 0.04, 0.03, 0.02, 0.01};
  for (const float temperature : {1.0f, 0.5f, 2.0f}) {
    SamplerOptions o = Plain();
    o.temperature = temperature;
    o.seed = 42;
    std::vector<double> expected;
    double total = 0;
    for (const double x : p) total += std::pow(x, 1.0 / static_cast<double>(temperature));
    for (const double x : p) {
      expected.push_back(std::pow(x, 1.0 / static_cast<double>(temperature)) / total);
    }
    Sampler sampler(o);
    constexpr int kDraws = 40000;
    std::vector<int> counts(p.size());
    for (int i = 0; i < kDraws; ++i) {
      std::vector<float> logits = Logits(p);
      ++counts[static_cast<size_t>(sampler.Sample(logits, {}))];
    }
    double chi_square = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const double mean = expected[i] * kDraws;
      chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    EXPECT_LT(chi_square, 27.9) << "temperature " << temperature;
  }
}

// The chain as its documentation reads: full sorts, everything explicit. Returns the tokens left.
std::set<int32_t> ReferenceSupport(const SamplerOptions& o, const std::vector<float>& logits) {
  std::vector<int32_t> ids(logits.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i);
  const auto logit = [&](int32_t id) { return logits[static_cast<size_t>(id)]; };
  std::sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
    return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
  });
  const auto probability = [&](int32_t id) {
    return std::exp(static_cast<double>(logit(id)) - static_cast<double>(logit(ids[0])));
  };
  if (o.top_k > 0 && static_cast<size_t>(o.top_k) < ids.size()) {
    ids.resize(static_cast<size_t>(o.top_k));
  }
  double total = 0, kept = 0;
  for (const int32_t id : ids) total += probability(id);
  size_t count = 0;
  while (count < ids.size() && (count == 0 || kept < static_cast<double>(o.top_p) * total)) {
    kept += probability(ids[count++]);
  }
  ids.resize(count);
  std::set<int32_t> out;
  for (const int32_t id : ids) {
    if (probability(id) >= static_cast<double>(o.min_p)) out.insert(id);
  }
  return out;
}

TEST(Sampler, NeverLeavesTheReferenceSetAndReachesItsEnds) {
  Rng rng(1);
  for (int round = 0; round < 60; ++round) {
    std::vector<float> logits(1 + rng.Below(3000));
    for (float& x : logits) x = 3 * rng.Normal();
    if (round % 3 == 0) {
      for (float& x : logits) x = std::round(x);  // many equal logits
    }
    SamplerOptions o = Plain();
    o.temperature = 100;  // nearly uniform: every survivor has a chance
    o.top_k = static_cast<int32_t>(rng.Below(2) * rng.Below(1500));
    o.top_p = 0.3f + 0.7f * rng.Uniform();
    o.min_p = 0.1f * rng.Uniform();
    o.seed = static_cast<uint64_t>(round);
    const std::set<int32_t> reference = ReferenceSupport(o, logits);
    Sampler sampler(o);
    std::set<int32_t> found;
    for (size_t i = 0; i < 14 * reference.size() + 200; ++i) {
      std::vector<float> copy = logits;
      found.insert(sampler.Sample(copy, {}));
      if (i > 200) break;
    }
    EXPECT_TRUE(std::includes(reference.begin(), reference.end(), found.begin(), found.end()));
    if (reference.size() <= 20) {
      EXPECT_EQ(found, reference) << "round " << round;
    }
  }
}

// Selection algorithms (heap, nth_element, none) must not change what a seed draws.
TEST(Sampler, KnownTokensForASeed) {
  SamplerOptions o;
  o.seed = 2026;
  Sampler sampler(o);
  Rng rng(9);
  std::vector<int32_t> drawn;
  for (int i = 0; i < 12; ++i) {
    std::vector<float> logits(500);
    for (float& x : logits) x = 4 * rng.Normal();
    drawn.push_back(sampler.Sample(logits, drawn));
  }
  EXPECT_EQ(drawn, (std::vector<int32_t>{62, 56, 292, 469, 371, 92, 41, 7, 349, 128, 408, 203}));
}

}  // namespace
}  // namespace smallmind
