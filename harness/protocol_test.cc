#include "harness/protocol.h"

#include <gtest/gtest.h>

namespace smallmind::harness {
namespace {

const Workload kWorkload{"p4-n3-t2", 4, 3, 2, 2};

// exec 1000; two repetitions, the warm one twice as fast.
std::string Good() {
  return R"({"event":"exec","t_ns":1000}
{"event":"hello","protocol":1,"variant":"o2","target":"AVX2","threads":2,"later":[1]}
{"event":"phase","name":"main","t_ns":2001000}
{"event":"phase","name":"ready","t_ns":5001000}
{"event":"surprise"}
{"event":"token","rep":0,"index":0,"t_ns":10001000}
{"event":"token","rep":0,"index":1,"t_ns":12001000}
{"event":"token","rep":0,"index":2,"t_ns":14001000}
{"event":"rep","rep":0,"prompt_tokens":4,"gen_tokens":3,"start_ns":6000000,"prefill_ns":4000000,"decode_ns":4000000,"token_hash":"aa","logits_hash":"bb"}
{"event":"token","rep":1,"index":0,"t_ns":22000000}
{"event":"token","rep":1,"index":1,"t_ns":23000000}
{"event":"token","rep":1,"index":2,"t_ns":24000000}
{"event":"rep","rep":1,"prompt_tokens":4,"gen_tokens":3,"start_ns":19000000,"prefill_ns":2000000,"decode_ns":2000000,"token_hash":"aa","logits_hash":"bb"}
{"event":"kernels","name":"matmul","calls":2,"ns":50}
{"event":"memory","vm_hwm_kib":2048,"rss_anon_kib":1024,"rss_file_kib":512,"minor_faults":3,"major_faults":1,"voluntary_switches":4,"involuntary_switches":5}
{"event":"done"}
)";
}

std::string Without(std::string text, const std::string& start) {
  const size_t at = text.find(start);
  EXPECT_NE(at, std::string::npos) << start;
  return text.erase(at, text.find('\n', at) + 1 - at);
}

std::string Replace(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string Reason(const std::string& text) {
  Sample sample;
  return MeasureTranscript(ParseTranscript(text), kWorkload, sample);
}

TEST(Protocol, MetricsFollowTheirDefinitions) {
  Sample sample;
  ASSERT_EQ(MeasureTranscript(ParseTranscript(Good()), kWorkload, sample), "");
  EXPECT_DOUBLE_EQ(sample.metrics.at("startup_ms"), 5.0);
  EXPECT_DOUBLE_EQ(sample.metrics.at("ttft_cold_ms"), 10.0);
  EXPECT_DOUBLE_EQ(sample.metrics.at("ttft_ms"), 3.0);         // warm repetition only
  EXPECT_DOUBLE_EQ(sample.metrics.at("prefill_tps"), 2000.0);  // 4 tokens in 2 ms
  EXPECT_DOUBLE_EQ(sample.metrics.at("decode_tps"), 750.0);    // 2 gaps in 4 ms, 2 in 2 ms
  EXPECT_DOUBLE_EQ(sample.metrics.at("itl_p50_ms"), 1.5);
  EXPECT_DOUBLE_EQ(sample.metrics.at("peak_rss_mib"), 2.0);
  EXPECT_DOUBLE_EQ(sample.phases.at("exec_to_main_ms"), 2.0);
  EXPECT_DOUBLE_EQ(sample.phases.at("ready_ms"), 5.0);
  EXPECT_EQ(sample.reps.at(0).itl_ns, (std::vector<int64_t>{2000000, 2000000}));
  EXPECT_EQ(sample.hashes.at("token"), "aa");
  EXPECT_EQ(sample.kernels.at("matmul").ns, 50);
  EXPECT_EQ(sample.switches.at("involuntary"), 5);
  EXPECT_EQ(sample.target, "AVX2");
}

TEST(Protocol, FailuresAreNamedAndNeverEstimated) {
  EXPECT_NE(Reason("").find("no hello"), std::string::npos);
  EXPECT_NE(Reason("Segmentation fault\n").find("Segmentation fault"), std::string::npos);
  EXPECT_NE(Reason(Without(Good(), R"({"event":"done")")).find("done"), std::string::npos);
  EXPECT_NE(Reason(Replace(Good(), "\"protocol\":1", "\"protocol\":2")).find("protocol 2"),
            std::string::npos);
  EXPECT_NE(Reason(Good() + "oops\n").find("not JSON: oops"), std::string::npos);
  EXPECT_NE(Reason(Without(Good(), R"({"event":"rep","rep":1)")).find("1 repetitions"),
            std::string::npos);
  EXPECT_NE(Reason(Without(Good(), R"({"event":"token","rep":1,"index":1)")).find("2 time stamps"),
            std::string::npos);
  EXPECT_NE(Reason(Replace(Good(), "\"prompt_tokens\":4", "\"prompt_tokens\":3")).find("3 prompt"),
            std::string::npos);
  EXPECT_NE(Reason(Replace(Good(), "\"t_ns\":12001000", "\"t_ns\":9001000")).find("backwards"),
            std::string::npos);
}

TEST(Protocol, ZeroTokensFail) {
  std::string text = Good();
  for (int rep = 0; rep < 2; ++rep) {
    const std::string start = "{\"event\":\"token\",\"rep\":" + std::to_string(rep);
    for (int i = 0; i < 3; ++i) text = Without(text, start);
  }
  EXPECT_NE(Reason(text).find("no tokens"), std::string::npos);
}

TEST(Protocol, MissingOptionalEventsLeaveMetricsOut) {
  Sample sample;
  std::string text = Without(Without(Good(), R"({"event":"exec")"), R"({"event":"memory")");
  ASSERT_EQ(MeasureTranscript(ParseTranscript(text), kWorkload, sample), "");
  EXPECT_FALSE(sample.metrics.contains("startup_ms"));
  EXPECT_FALSE(sample.metrics.contains("peak_rss_mib"));
  EXPECT_TRUE(sample.metrics.contains("decode_tps"));
}

TEST(Protocol, ADifferentRepetitionChangesTheHash) {
  Sample a, b;
  MeasureTranscript(ParseTranscript(Good()), kWorkload, a);
  const size_t last = Good().rfind("\"aa\"");
  MeasureTranscript(ParseTranscript(Good().replace(last, 4, "\"ac\"")), kWorkload, b);
  EXPECT_NE(a.hashes.at("token"), b.hashes.at("token"));
}

TEST(Protocol, CeilingsAreRead) {
  const auto transcript =
      ParseTranscript(R"({"event":"ceiling","name":"read_gbps","threads":4,"value":30.5})");
  ASSERT_EQ(transcript.ceilings.size(), 1u);
  EXPECT_EQ(transcript.ceilings[0].threads, 4);
}

TEST(Protocol, SequencesDecodedTogetherAreOneThroughput) {
  const Workload workload{"p4-n3-t2-s5", 4, 3, 2, 2, false, 5};
  const std::string good =
      R"({"event":"hello","protocol":1,"threads":2}
{"event":"batch","rep":0,"sequences":5,"prompt_tokens":4,"gen_tokens":3,"prefill_ns":9,"decode_ns":10000000,"token_hash":"aa"}
{"event":"batch","rep":1,"sequences":5,"prompt_tokens":4,"gen_tokens":3,"prefill_ns":9,"decode_ns":30000000,"token_hash":"aa"}
{"event":"memory","vm_hwm_kib":2048}
{"event":"done"}
)";
  Sample sample;
  ASSERT_EQ(MeasureTranscript(ParseTranscript(good), workload, sample), "");
  EXPECT_DOUBLE_EQ(sample.metrics.at("decode_tps"), 1000);  // 15 tokens in 10 ms, 15 in 30
  EXPECT_DOUBLE_EQ(sample.metrics.at("peak_rss_mib"), 2.0);
  EXPECT_FALSE(sample.metrics.contains("ttft_ms"));
  EXPECT_EQ(sample.hashes.at("token"), "aa");
  const auto reason = [&](const std::string& text) {
    Sample other;
    return MeasureTranscript(ParseTranscript(text), workload, other);
  };
  EXPECT_NE(reason(Replace(good, "\"sequences\":5", "\"sequences\":4")), "");
  EXPECT_NE(reason(Replace(good, "\"gen_tokens\":3", "\"gen_tokens\":2")), "");
  EXPECT_NE(reason(Replace(good, "30000000", "0")), "");
  EXPECT_NE(reason(Without(good, R"({"event":"batch","rep":1)")), "");
  EXPECT_NE(reason(Good()), "");
}

}  // namespace
}  // namespace smallmind::harness
