#include "harness/llama_bench.h"

#include <gtest/gtest.h>

namespace smallmind::harness {
namespace {

const Workload kOne{"p8-n4-t2", 8, 4, 2, 3};
const Workload kFive{"p8-n4-t2-s5", 8, 4, 2, 3, false, 5};

std::string ReadBench(const std::string& out, Sample& sample, const Workload& workload = kOne) {
  VariantInfo peer;
  return MeasureLlamaBench(out, workload, peer, sample).value_or("not of these programs");
}
std::string WhyRefused(const std::string& out, const Workload& workload = kOne) {
  Sample sample;
  return ReadBench(out, sample, workload);
}

TEST(LlamaBench, Tests) {
  Sample sample;
  ASSERT_EQ(ReadBench(R"([
 {"n_prompt":8,"n_gen":0,"n_threads":2,"avg_ts":99.0,"samples_ts":[100.0,120.0,110.0],"build_commit":"abc"},
 {"n_prompt":0,"n_gen":4,"n_threads":2,"n_depth":8,"samples_ts":[50.0,52.0]}])",
                      sample),
            "");
  EXPECT_EQ(sample.metrics.at("prefill_tps"), 110);
  EXPECT_EQ(sample.metrics.at("decode_tps"), 51);
  EXPECT_NE(WhyRefused(R"([{"n_prompt":9,"n_gen":0,"samples_ts":[1.0]}])"), "");
  EXPECT_NE(WhyRefused(R"([{"n_prompt":0,"n_gen":4,"n_depth":9,"samples_ts":[1.0]}])"), "");
  EXPECT_NE(WhyRefused(R"([{"n_prompt":8,"n_gen":0,"n_threads":7,"samples_ts":[1.0]}])"), "");
  EXPECT_NE(WhyRefused(R"([{"n_prompt":8,"n_gen":0,"samples_ts":[]}])"), "");
  EXPECT_NE(WhyRefused(R"([{"n_prompt":8,"n_gen":0,"samples_ts":[0]}])"), "");
  EXPECT_NE(WhyRefused(R"([{"n_prompt":"8"}])"), "");
  EXPECT_NE(WhyRefused("["), "");
  const std::string as_stored = R"([{"n_prompt":8,"n_gen":0,"repack":false,"samples_ts":[1.0]}])";
  const std::string repacked = R"([{"n_prompt":8,"n_gen":0,"repack":true,"samples_ts":[1.0]}])";
  Workload repack = kOne;
  repack.repack = true;
  EXPECT_EQ(WhyRefused(as_stored), "");
  EXPECT_NE(WhyRefused(repacked), "");
  EXPECT_NE(WhyRefused(as_stored, repack), "");
  EXPECT_EQ(WhyRefused(repacked, repack), "");
  EXPECT_NE(WhyRefused(R"([{"n_prompt":8,"n_gen":0,"samples_ts":[1.0]}])", kFive), "");
}

TEST(LlamaBench, BatchedRows) {
  const std::string lines =
      R"({"n_threads": 2, "pp": 8, "tg": 4, "pl": 5, "n_kv": 60, "t_pp": 0.2, "speed_pp": 165.2, "t_tg": 0.16, "speed_tg": 23.5})";
  const std::string table = R"(
main: n_kv_max = 4096, n_threads = 2

|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |
|-------|--------|------|--------|----------|----------|----------|----------|----------|----------|
|     8 |      4 |    5 |     60 |    0.203 |   157.67 |    0.163 |    24.56 |    0.366 |    98.41 |
)";
  Sample a, b;
  ASSERT_EQ(ReadBench(lines, a, kFive), "");
  EXPECT_EQ(a.metrics.at("decode_tps"), 23.5);
  EXPECT_FALSE(a.metrics.contains("itl_p50_ms"));
  ASSERT_EQ(ReadBench(table, b, kFive), "");
  EXPECT_EQ(b.metrics.at("decode_tps"), 24.56);
  EXPECT_NE(WhyRefused(lines), "");
  EXPECT_NE(WhyRefused(table), "");
  EXPECT_NE(WhyRefused(R"({"pp":8,"tg":4,"pl":1,"n_threads":3,"speed_pp":1,"speed_tg":1})"), "");
  EXPECT_NE(WhyRefused(R"({"pp":8,"tg":4,"pl":1,"speed_pp":1,"speed_tg":0})"), "");
  EXPECT_NE(WhyRefused(R"({"pp":1e300,"tg":4,"pl":1,"speed_pp":1,"speed_tg":1})"), "");
  Sample one;
  ASSERT_EQ(ReadBench(R"({"pp":8,"tg":4,"pl":1,"speed_pp":7,"speed_tg":2})", one), "");
  EXPECT_EQ(one.metrics.at("prefill_tps"), 7);
  EXPECT_EQ(one.metrics.at("itl_p50_ms"), 500);
}

TEST(LlamaBench, OtherTextIsNotOfThesePrograms) {
  VariantInfo peer;
  Sample sample;
  for (const char* text : {"", "pp128: 100 t/s\n", "{\"event\":\"hello\"}\n", "| 8 | 4 |\n",
                           "| a | b | c | d | e | f | g | h | i | j |\n"}) {
    EXPECT_FALSE(MeasureLlamaBench(text, kOne, peer, sample).has_value()) << text;
  }
}

}  // namespace
}  // namespace smallmind::harness
