#include "harness/peer.h"

#include <gtest/gtest.h>

#include "harness/error.h"

namespace smallmind::harness {
namespace {

const Workload kPeerWorkload{"p8-n4-t2", 8, 4, 2, 3};
using Words = std::vector<std::string>;

TEST(Peer, CommandsAreSplitLikeAShellWould) {
  EXPECT_EQ(PeerCommand(R"(run 'a b' "c d" e\ f {model} --t={threads})", "/m.gguf", kPeerWorkload),
            (Words{"run", "a b", "c d", "e f", "/m.gguf", "--t=2"}));
  EXPECT_EQ(PeerCommand("llama-bench -o json", "/m.gguf", kPeerWorkload),
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
  result.smaps["Anonymous"] = 512;
  VariantInfo peer;
  return MeasurePeer(result, kPeerWorkload, peer, sample);
}

TEST(Peer, OutputOfABenchOrOfTheProtocol) {
  Sample sample;
  ASSERT_EQ(Measure(R"([{"n_prompt":8,"n_gen":0,"n_threads":2,"samples_ts":[110.0]}])", sample),
            "");
  EXPECT_EQ(sample.metrics.at("prefill_tps"), 110);
  EXPECT_EQ(sample.metrics.at("peak_rss_mib"), 2);
  EXPECT_EQ(sample.metrics.at("rss_anon_mib"), 0.5);
  EXPECT_NE(Measure("", sample), "");
  EXPECT_NE(Measure("pp128: 100 t/s\n", sample), "");
}

TEST(Peer, CommandsRepackWhereTheWorkloadDoes) {
  Workload workload{"p8-n4-t2", 8, 4, 2, 3};
  for (const char* wanted : {"0", "1"}) {
    workload.repack = *wanted == '1';
    EXPECT_EQ(PeerCommand("run -m {model} -rtr {repack}", "/m.gguf", workload),
              (Words{"run", "-m", "/m.gguf", "-rtr", wanted}));
  }
}

TEST(Peer, WallTimeIsTheFirstTokens) {
  VariantInfo peer = ParsePeer("cli=wall:run -m {model} -s {sequences}");
  const Workload first{"p1-n1-t2", 1, 1, 2, 1};
  EXPECT_EQ(PeerCommand(peer.command, "/m.gguf", first),
            (Words{"run", "-m", "/m.gguf", "-s", "1"}));
  ProcessResult result;
  result.out = "Once upon a time";
  result.wall_ns = 25000000;
  Sample sample;
  ASSERT_EQ(MeasurePeer(result, first, peer, sample), "");
  EXPECT_EQ(sample.metrics.at("ttft_cold_ms"), 25);
  EXPECT_NE(MeasurePeer(result, kPeerWorkload, peer, sample), "");
  EXPECT_THROW(ParsePeer("cli=wall: "), RunError);
}

}  // namespace
}  // namespace smallmind::harness
