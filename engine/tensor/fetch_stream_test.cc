#include "engine/tensor/fetch_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace smallmind {
namespace {

const std::vector<uint8_t> kMemory(1000);
const uint8_t* const kBase = kMemory.data();

// Reading at a steady pace fetches every byte once, in order, `lead` ahead, across ranges.
TEST(FetchStream, KeepsItsLeadAcrossRanges) {
  FetchStream stream(100);
  stream.Push({kBase, 250});
  stream.Push({kBase + 500, 0});
  stream.Push({kBase + 600, 150});
  std::vector<bool> fetched(1000, false);
  size_t total = 0;
  for (size_t read = 0; read < 400; read += 10) {
    for (ByteRange piece = stream.Read(10); piece.bytes != 0; piece = stream.Read(0)) {
      for (size_t i = 0; i < piece.bytes; ++i) {
        const size_t at = static_cast<size_t>(piece.data - kBase) + i;
        EXPECT_FALSE(fetched[at]);
        EXPECT_TRUE(at < 250 || (at >= 600 && at < 750));
        fetched[at] = true;
      }
      total += piece.bytes;
    }
    EXPECT_LE(total, read + 110);
    EXPECT_GE(total, std::min<size_t>(390, read < 100 ? 0 : read));
  }
  // The very first bytes were read before anything could be fetched.
  EXPECT_EQ(total, 390u);
}

TEST(FetchStream, FetchesAtMostTwiceWhatIsRead) {
  FetchStream stream(100);
  stream.Push({kBase, 1000});
  EXPECT_EQ(stream.Read(10).bytes, 20u);
  EXPECT_EQ(stream.Read(10).bytes, 20u);
}

TEST(FetchStream, StepsBesideWorkCoverThePiece) {
  FetchStream stream(100);
  stream.Push({kBase, 1000});
  Ahead ahead = FetchStream::Beside(&stream, 25, 3);
  EXPECT_EQ(ahead.at, kBase + 25);
  EXPECT_EQ(ahead.step, 17u);  // of 50 bytes
  ahead.Fetch();
  EXPECT_EQ(ahead.at, kBase + 42);
  EXPECT_EQ(FetchStream::Beside(nullptr, 25, 3).step, 0u);
}

TEST(FetchStream, WaitingFetchesFourLeadsAtMost) {
  FetchStream stream(50);
  stream.Push({kBase, 1000});
  size_t total = 0;
  while (const size_t bytes = stream.Wait(64).bytes) total += bytes;
  EXPECT_EQ(total, 200u);
  EXPECT_EQ(stream.Read(10).bytes, 0u);  // far enough
}

TEST(FetchStream, WaitingGoesOnAfterWhatWasSkipped) {
  FetchStream stream(50);
  stream.Push({kBase, 1000});
  stream.Skip(300);
  EXPECT_EQ(stream.Wait(64).data, kBase + 300);
}

// A kernel's own rows set the lead, but never below the least.
TEST(FetchStream, LeadsByWhatIsReadAbreast) {
  const std::vector<uint8_t> memory(100'000);
  const auto ahead_of = [&](size_t bytes) {
    FetchStream stream(50);
    stream.Push({memory.data(), memory.size()});
    FetchStream::SetLead(&stream, bytes);
    return stream.Read(20'000).bytes;
  };
  EXPECT_EQ(ahead_of(16 * 1152), 16u * 1152);
  EXPECT_EQ(ahead_of(8 * 1152), 16384u);
  EXPECT_EQ(ahead_of(16 * 18), 16384u);
  FetchStream::SetLead(nullptr, 1);
}

// Neighbours in memory are one range: a piece may reach over both, and marks count bytes still.
TEST(FetchStream, NeighboursAreFetchedInOnePiece) {
  FetchStream stream(100);
  stream.Push({kBase, 10});
  const uint64_t second = stream.Push({kBase + 10, 300});
  EXPECT_EQ(second, 10u);
  const ByteRange piece = stream.Wait(64);
  EXPECT_EQ(piece.data, kBase);
  EXPECT_EQ(piece.bytes, 64u);
  stream.Reach(second + 100);
  EXPECT_EQ(stream.Read(5).data, kBase + 115);
}

TEST(FetchStream, ARestartForgetsWhatWasPlanned) {
  FetchStream stream(100);
  stream.Push({kBase, 200});
  stream.Read(50);
  stream.Restart(20);
  EXPECT_EQ(stream.Read(10).bytes, 0u);
  EXPECT_EQ(stream.Push({kBase + 400, 100}), 0u);
  const ByteRange piece = stream.Wait(200);
  EXPECT_EQ(piece.data, kBase + 410);
  EXPECT_EQ(piece.bytes, 80u);
}

// Others have read what this thread was to read: fetching goes on at the mark.
TEST(FetchStream, AMarkSkipsWhatOthersRead) {
  FetchStream stream(50);
  stream.Push({kBase, 300});
  const uint64_t mark = stream.Push({kBase + 500, 300});
  EXPECT_EQ(stream.Read(10).data, kBase + 10);
  stream.Reach(mark);
  const ByteRange piece = stream.Read(0);
  EXPECT_EQ(piece.bytes, 0u);  // twice nothing
  EXPECT_EQ(stream.Read(5).data, kBase + 505);
}

}  // namespace
}  // namespace smallmind
