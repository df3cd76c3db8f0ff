#include "harness/peer.h"

#include <gtest/gtest.h>

#include "harness/error.h"

namespace smallmind::harness {
namespace {

const Workload kWorkload{"p8-n4-t2", 8, 4, 2, 3};
using Words = std::vector<std::string>;

TEST(Peer, CommandsAreSplitLikeAShellWould) {
  EXPECT_EQ(PeerCommand(R"(run 'a b' "c d" e\ f {model} --t={threads})", "/m.gguf", kWorkload),
            (Words{"run", "a b", "c d", "e f", "/m.gguf", "--t=2"}));
  EXPECT_EQ(PeerCommand("llama-bench -o json", "/m.gguf", kWorkload),
            (Words{"llama-bench", "-o", "json", "-m", "/m.gguf", "-p", "8", "-n", "4", "-t", "2",
                   "-r", "3"}));
}

TEST(Peer, NamesAndCommandsAreChecked) {
  EXPECT_EQ(ParsePeer("llama=x -o json").name, "llama");
  EXPECT_EQ(ParsePeer("llama=A=B x").command, "A=B x");
  for (const char* bad : {"x", "=x", "x=", "x= ", "x='y"}) EXPECT_THROW(ParsePeer(bad), RunError);
}

std::string Measure(const std::string& out, Sample& sample) {
  ProcessResult result;
  result.out = "{\"event\":\"exec\",\"t_ns\":5}\n" + out;
  result.max_rss_kib = 2048;
  VariantInfo peer;
  return MeasurePeer(result, kWorkload, peer, sample);
}

TEST(Peer, LlamaBenchJson) {
  Sample sample;
  ASSERT_EQ(Measure(R"([
 {"n_prompt":8,"n_gen":0,"n_threads":2,"avg_ts":99.0,"samples_ts":[100.0,120.0,110.0],"build_commit":"abc"},
 {"n_prompt":0,"n_gen":4,"n_threads":2,"samples_ts":[50.0,52.0]}])",
                    sample),
            "");
  EXPECT_EQ(sample.metrics.at("prefill_tps"), 110);
  EXPECT_EQ(sample.metrics.at("decode_tps"), 51);
  EXPECT_EQ(sample.metrics.at("peak_rss_mib"), 2);
}

TEST(Peer, WrongWorkOrNoNumbersIsAFailure) {
  Sample sample;
  EXPECT_NE(Measure(R"([{"n_prompt":9,"n_gen":0,"samples_ts":[1.0]}])", sample), "");
  EXPECT_NE(Measure(R"([{"n_prompt":8,"n_gen":0,"n_threads":7,"samples_ts":[1.0]}])", sample), "");
  EXPECT_NE(Measure(R"([{"n_prompt":8,"n_gen":0,"samples_ts":[]}])", sample), "");
  EXPECT_NE(Measure(R"([{"n_prompt":8,"n_gen":0,"samples_ts":[0]}])", sample), "");
  EXPECT_NE(Measure(R"([{"n_prompt":"8"}])", sample), "");
  EXPECT_NE(Measure("[", sample), "");
  EXPECT_NE(Measure("", sample), "");
  EXPECT_NE(Measure("pp128: 100 t/s\n", sample), "");
}

}  // namespace
}  // namespace smallmind::harness
