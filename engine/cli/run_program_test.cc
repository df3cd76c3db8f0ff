// The program as its users have it: command lines, exit codes, the one line on stderr, and what
// becomes of files.

#include "engine/cli/run_program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio_ext.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/testing.h"
#include "engine/gguf/parse.h"
#include "engine/session.h"

namespace smallmind {
namespace {

const std::string& Gpt2() {
  static const std::string path = TestdataDir() / "arch" / "gpt2.gguf";
  return path;
}

std::string Write(const char* name, std::string_view bytes) {
  const auto path = TestTempDir() / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

struct Ran {
  int code = -1;
  std::string out, err;
};

// While it lives, file descriptor `onto` is the file at `path`.
class Redirect {
 public:
  Redirect(const std::string& path, int flags, int onto) : onto_(onto), saved_(dup(onto)) {
    const int fd = open(path.c_str(), flags);
    EXPECT_GE(fd, 0) << path;
    dup2(fd, onto);
    close(fd);
  }
  ~Redirect() {
    dup2(saved_, onto_);
    close(saved_);
  }
  Redirect(const Redirect&) = delete;
  Redirect& operator=(const Redirect&) = delete;

 private:
  int onto_, saved_;
};

// stdin is the file `in`; stdout is `out`, or else returned. In this process: emulators and
// sanitizers do not like threads after a fork.
Ran Smallmind(const std::vector<std::string>& words, const std::string& in = "/dev/null",
              const std::string& out = "") {
  std::vector<const char*> argv = {"smallmind"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  const std::string stdout_path = out.empty() ? Write("stdout", "") : out;
  const std::string stderr_path = Write("stderr", "");
  std::fflush(nullptr);
  Ran ran;
  {
    const Redirect to_stdin(in, O_RDONLY, STDIN_FILENO);
    const Redirect to_stdout(stdout_path, O_WRONLY, STDOUT_FILENO);
    const Redirect to_stderr(stderr_path, O_WRONLY, STDERR_FILENO);
    ran.code = RunProgram(static_cast<int>(argv.size()), argv.data(), {});
    std::fflush(nullptr);
    for (std::FILE* stream : {stdin, stdout}) {  // what was not read, what could not be written
      __fpurge(stream);
      std::clearerr(stream);
    }
  }
  if (out.empty()) ran.out = ReadAll(stdout_path);
  ran.err = ReadAll(stderr_path);
  return ran;
}

TEST(RunProgram, CodesAndErrorLines) {
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string part;  // of the line on stderr; empty: nothing there
  };
  const std::string m = MixtralModel();
  const std::string text = Write("text", "Once upon a time there was a model.");
  const std::string floats = Write("floats", std::string(16, '\0'));
  const std::string nans = Write("nans", std::string(8, '\0') + std::string(8, '\xff'));
  const std::string long_name(300, 'a');
  const Case cases[] = {
      {{}, 1, "subcommand"},
      {{"genrate", "-m", m}, 1, "'genrate' is no subcommand; there are generate, bench, "},
      {{"--version"}, 1, "'--version' is no subcommand"},
      {{"--help"}, 0, ""},
      {{"generate"}, 1, "--model is required"},
      {{"generate", "-m", "nosuch.gguf"}, 2, "nosuch.gguf"},
      {{"info", "-m", "no\x1b[31m\nsuch.gguf"}, 2, "no\\x1b[31m\\x0asuch.gguf"},
      {{"generate", "-m", m, "-n", "4"}, 0, ""},
      {{"generate", "-m", m, "--stop", "A", "B"}, 1, "B"},
      {{"generate", "-m", m, "-n", "4", "--stop", "[INST]", "--stop", "[a,b]"}, 0, ""},
      {{"generate", "-m", m, "-n", "4", "--ctx", "1000"}, 0, "warning: --ctx 1000"},
      {{"generate", "-m", m, "-p", "a", "-f", text}, 1, "not both"},
      {{"generate", "-m", m, "-n", "4", "-f", text}, 0, ""},
      {{"generate", "-m", m, "-n", "4", "-f", "nosuch"}, 2, "nosuch': No such file"},
      {{"generate", "-m", m, "-n", "4", "-o", "/nosuch/out"}, 2, "/nosuch/out"},
      {{"generate", "-m", m, "-n", "4", "-f", ""}, 1, "--file: the name is empty"},
      {{"generate", "-m", m, "-n", "4", "-o", ""}, 1, "--output: the name is empty"},
      {{"generate", "-m", m, "-n", "-1"}, 1, "--n-predict: '-1' is not a whole number from 0 to "},
      {{"bench", "-m", m, "--inject-slowdown", "nan"}, 1, "--inject-slowdown: 'nan'"},
      {{"logits", "-m", m, "--tokens", "", "-o", "/dev/null"}, 1, "--tokens: ''"},
      {{"info", "-m", ""}, 1, "--model: the name is empty"},
      {{"generate", "-m", m, "-n", "4", "--penalty-last-n", "-1", "--presence-penalty", "-0.5",
        "--frequency-penalty", "0.5", "--typical-p", "0.9"},
       0,
       ""},
      {{"generate", "-m", m, "--penalty-last-n", "-2"}, 1, "--penalty-last-n"},
      {{"generate", "-m", m, "-n", "4", "--logit-bias", "5:-inf", "--logit-bias", "6:2.5"}, 0, ""},
      {{"generate", "-m", m, "-n", "4", "--logit-bias", "5"}, 1, "ID:BIAS"},
      {{"generate", "-m", m, "-n", "4", "--logit-bias", "5:x"}, 1, "ID:BIAS"},
      {{"generate", "-m", m, "-n", "4", "--logit-bias", "5:1 "}, 1, "'5:1 '"},
      {{"generate", "-m", m, "-n", "4", "--logit-bias", "99999:1"}, 1, "99999"},
      {{"logits", "-m", Gpt2(), "--tokens", "1,2", "-c", "100000", "-o", "/dev/null"},
       2,
       "embeddings"},
      {{"tokenize", "-m", m, "-f", text, "--ids"}, 0, ""},
      {{"tokenize", "-m", m, "-f", long_name}, 2, "File name too long"},
      {{"tokenize", "-m", m, "-f", "/"}, 2, "'/': Is a directory"},
      {{"verify", floats, floats, "--vocab", "2"}, 0, ""},
      {{"verify", floats, floats, "--vocab", "2", "-m", m}, 1, "not both"},
      {{"verify", floats, nans, "--vocab", "2"}, 2, "1 of 2 rows"},
      {{"verify", nans, floats, "--vocab", "2"}, 2, "the first is row 1"},
      {{"perplexity", "-m", m, "-f", text}, 0, ""},
      {{"profile", "-m", m, "--n-prompt", "8", "--n-gen", "3", "-t", "1"}, 0, "profile: "},
      {{"profile", "-m", m, "--n-prompt", "8", "--n-gen", "3", "--ctx", "4"}, 2, "a larger one"},
      {{"info", "-m", m}, 0, ""},
  };
  for (const Case& c : cases) {
    std::string line;
    for (const std::string& word : c.words) line += " " + word;
    const Ran ran = Smallmind(c.words);
    EXPECT_EQ(ran.code, c.code) << line << "\n" << ran.err;
    if (c.part.empty()) {
      EXPECT_EQ(ran.err, "") << line;
      continue;
    }
    EXPECT_NE(ran.err.find(c.part), std::string::npos) << line << "\n" << ran.err;
    EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << line << "\n" << ran.err;
    EXPECT_TRUE(c.code == 0 || ran.err.starts_with("smallmind: ")) << line << "\n" << ran.err;
  }
}

TEST(RunProgram, AFullStandardOutputIsAnError) {
  for (const char* how : {"--ids", "--no-bos"}) {
    const std::string text = Write("text", "some text");
    const Ran ran =
        Smallmind({"tokenize", "-m", MixtralModel(), "-f", text, how}, "/dev/null", "/dev/full");
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err, "smallmind: cannot write to standard output: No space left on device\n");
  }
  EXPECT_EQ(Smallmind({"generate", "-m", MixtralModel(), "-n", "3"}, "/dev/null", "/dev/full").code,
            2);
  EXPECT_EQ(Smallmind({"--help"}, "/dev/null", "/dev/full").code, 2);
}

TEST(RunProgram, PromptsAndBiasesReachTheModel) {
  const std::string prompt = "Once upon";
  const std::string file = Write("prompt", prompt);
  const std::vector<std::string> words = {"generate", "-m", MixtralModel(), "--temp", "0",
                                          "-n",       "8"};
  const auto with = [&](const std::vector<std::string>& more, const std::string& in) {
    std::vector<std::string> all = words;
    all.insert(all.end(), more.begin(), more.end());
    return Smallmind(all, in).out;
  };
  const std::string expected = with({"-p", prompt}, "/dev/null");
  EXPECT_NE(expected, with({}, "/dev/null"));
  // Byte tokens begin at 3.
  EXPECT_EQ(with({"-p", prompt, "--logit-bias", "100:1000"}, "/dev/null"), "aaaaaaaa\n");
  EXPECT_EQ(with({"-f", file}, "/dev/null"), expected);
  EXPECT_EQ(with({"-f", "-"}, file), expected);
}

// mixtral.gguf with an embedding of NaN for one token.
std::string WithBrokenToken(size_t token) {
  std::string bytes = ReadAll(MixtralModel());
  const std::span<const uint8_t> view(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  for (const GgufTensor& t : ParseGguf(view, "mixtral").tensors) {
    if (t.name != "token_embd.weight") continue;
    const size_t row = t.ne[0] * 2;
    const size_t offset = static_cast<size_t>(t.data.data() - view.data()) + token * row;
    std::memset(bytes.data() + offset, 0xff, row);
  }
  return Write("broken.gguf", bytes);
}

TEST(RunProgram, WhatWasGeneratedBeforeAnErrorIsKept) {
  const std::string out = Write("out.txt", "old");
  std::vector<std::string> words = {"generate",  "-m",          MixtralModel(), "-p", "Once",
                                    "--temp",    "0",           "-n",           "6",  "-o",
                                    out.c_str(), "--ignore-eos"};
  ASSERT_EQ(Smallmind(words).code, 0);
  const std::string whole = ReadAll(out);
  ASSERT_GT(whole.size(), 2u);
  EXPECT_EQ(Smallmind(words).out, whole + "\n");

  const Engine engine = Engine::Open(MixtralModel(), {});
  GenerateOptions greedy;
  greedy.max_tokens = 6;
  greedy.ignore_eos = true;
  greedy.sampler.temperature = 0;
  Session session(engine, {});
  const auto any = [](std::string_view) { return true; };
  const std::vector<TokenId> tokens = session.Generate("Once", greedy, any).tokens;
  words[2] = WithBrokenToken(static_cast<size_t>(tokens[3]));
  const Ran ran = Smallmind(words);
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("weights are damaged"), std::string::npos) << ran.err;
  const std::string kept = ReadAll(out);
  EXPECT_FALSE(kept.empty());
  EXPECT_LT(kept.size(), whole.size());
  EXPECT_EQ(kept, whole.substr(0, kept.size()));

  // A model that is not there leaves the file as it was.
  words[2] = "nosuch.gguf";
  EXPECT_EQ(Smallmind(words).code, 2);
  EXPECT_EQ(ReadAll(out), kept);
  // The same model has no perplexity of a text with that token.
  const std::string text = Write("text", "Once upon a time");
  const TokenId first = engine.tokenizer().Encode("Once upon a time", {.add_special = false})[0];
  const Ran scored =
      Smallmind({"perplexity", "-m", WithBrokenToken(static_cast<size_t>(first)), "-f", text});
  EXPECT_EQ(scored.code, 2);
  EXPECT_NE(scored.err.find("not a finite number"), std::string::npos) << scored.err;
}

void (*HandlerOfInterrupts())(int) {
  struct sigaction now = {};
  sigaction(SIGINT, nullptr, &now);
  return now.sa_handler;
}

TEST(RunProgram, AnInterruptKeepsTheTextAndIsNoSuccess) {
  const std::string path = Write("text", "");
  // A shell's background job would ignore them.
  const auto before = std::signal(SIGINT, SIG_DFL);
  std::thread interrupts([&] {
    while (HandlerOfInterrupts() == SIG_DFL) std::this_thread::yield();
    while (HandlerOfInterrupts() != SIG_DFL) {
      kill(getpid(), SIGINT);
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  });
  const Ran ran = Smallmind({"generate", "-m", MixtralModel(), "-c", "50000", "-n", "50000",
                             "--ignore-eos", "-q", "-o", path});
  interrupts.join();
  EXPECT_EQ(ran.code, 130) << ran.err;
  EXPECT_NE(ran.err.find("smallmind: interrupted after "), std::string::npos) << ran.err;
  EXPECT_EQ(HandlerOfInterrupts(), SIG_DFL);
  std::signal(SIGINT, before);
}

TEST(RunProgram, AnInterruptThatItsParentIgnoresIsIgnored) {
  const auto before = std::signal(SIGINT, SIG_IGN);
  std::atomic<bool> done{false};
  std::thread interrupts([&] {
    while (!done) {
      kill(getpid(), SIGINT);
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(Smallmind({"generate", "-m", MixtralModel(), "-n", "32", "--ignore-eos", "-q"}).code,
            0);
  done = true;
  interrupts.join();
  std::signal(SIGINT, before);
}

TEST(RunProgram, InputThatFailsHalfwayIsAnError) {
  for (const std::string& from : {TestTempDir().string(), std::string("/proc/self/mem")}) {
    const Ran direct = Smallmind({"tokenize", "-m", MixtralModel(), "-f", from});
    EXPECT_EQ(direct.code, 2) << from;
    EXPECT_NE(direct.err.find("cannot read '" + from + "': "), std::string::npos) << direct.err;
    const Ran piped = Smallmind({"tokenize", "-m", MixtralModel(), "-f", "-"}, from);
    EXPECT_EQ(piped.code, 2) << from;
    EXPECT_NE(piped.err.find("cannot read standard input: "), std::string::npos) << piped.err;
  }
}

TEST(RunProgram, LogitsOfBadTokensLeaveTheFileAlone) {
  const std::string out = Write("out.f32", "old");
  const auto words = [&](const char* ids) {
    return std::vector<std::string>{"logits", "-m", MixtralModel(), "--tokens", ids, "-o", out};
  };
  EXPECT_EQ(Smallmind(words("1,2,99999")).code, 2);
  EXPECT_EQ(ReadAll(out), "old");
  EXPECT_EQ(Smallmind(words("1,2")).code, 0);
  EXPECT_EQ(std::filesystem::file_size(out), 2u * 272 * sizeof(float));
}

TEST(RunProgram, BenchSaysWhetherItRepacks) {
  std::vector<std::string> words = {"bench", "-m", MixtralModel(), "-p", "5", "-n", "2", "-r", "1"};
  const Ran stored = Smallmind(words);
  words.push_back("--repack");
  const Ran repacked = Smallmind(words);
  EXPECT_NE(stored.out.find("\"repack\":false"), std::string::npos) << stored.out;
  EXPECT_NE(repacked.out.find("\"repack\":true"), std::string::npos)
      << repacked.out << repacked.err;
  const auto hash = [](const Ran& ran) { return ran.out.substr(ran.out.find("logits_hash"), 32); };
  EXPECT_EQ(hash(stored), hash(repacked));
}

TEST(RunProgram, BenchOfSeveralSequencesSaysWhatOneSays) {
  const std::vector<std::string> words = {"bench", "-m", MixtralModel(), "-p", "8",
                                          "-n",    "2",  "-r",           "1",  "--sequences"};
  for (const char* sequences : {"1", "2"}) {
    std::vector<std::string> all = words;
    all.push_back(sequences);
    const Ran ran = Smallmind(all);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out.find("\"threads\":0"), std::string::npos) << ran.out;
    for (const char* phase : {"loaded", "main", "mapped", "tokenizer", "ready"}) {
      EXPECT_NE(ran.out.find(std::string("\"phase\",\"name\":\"") + phase), std::string::npos)
          << sequences << " " << phase;
    }
  }
}

// The exit code of a shell's line in which $SMALLMIND is the program beside these tests, or o2's;
// -1 where there is none that runs (another machine's, under an emulator).
int Shell(const std::string& line) {
  const auto folder = std::filesystem::canonical("/proc/self/exe").parent_path();
  auto program = folder / "smallmind";
  if (!std::filesystem::exists(program)) {
    program = folder.parent_path() / "variants" / "o2" / "smallmind";
  }
  setenv("SMALLMIND", program.c_str(), 1);
  const auto code = [](const std::string& words) {
    const int status = std::system(words.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  };
  return code("\"$SMALLMIND\" --help >/dev/null 2>&1") == 0 ? code(line) : -1;
}

TEST(RunProgram, FilesDoNotTakeTheNumbersOfClosedStreams) {
  const std::string out = (TestTempDir() / "closed.gguf").string();
  ASSERT_EQ(Smallmind({"quantize", MixtralModel(), out, "Q8_0"}).code, 0);
  const std::string expected = ReadAll(out);
  const std::string quantize =
      "\"$SMALLMIND\" quantize '" + MixtralModel().string() + "' '" + out + "' Q8_0 ";
  for (const char* closed : {"2>&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"}) {
    std::filesystem::remove(out);
    const int code = Shell(quantize + closed);
    if (code < 0) GTEST_SKIP() << "no program to run";
    EXPECT_EQ(code, 0) << closed;
    EXPECT_TRUE(ReadAll(out) == expected) << closed;
  }
  const std::string text = Write("text", "some text");
  const std::string tokenize = "\"$SMALLMIND\" tokenize -m '" + MixtralModel().string() + "' -f ";
  EXPECT_EQ(Shell(tokenize + "'" + text + "' >&- 2>/dev/null"), 2);
  EXPECT_EQ(Shell(tokenize + "- <&- >/dev/null 2>&1"), 2);
}

TEST(RunProgram, AFileSizeLimitIsAnError) {
  const std::string out = (TestTempDir() / "limited.gguf").string();
  const std::string err = Write("err", "");
  const int code = Shell("ulimit -f 1; \"$SMALLMIND\" quantize -q '" + MixtralModel().string() +
                         "' '" + out + "' Q8_0 2>'" + err + "'");
  if (code < 0) GTEST_SKIP() << "no program to run";
  EXPECT_EQ(code, 2);
  // Behind it a build that counts for its profile says that it could not write that either.
  const std::string line = "smallmind: cannot write '" + out + "': File too large\n";
  EXPECT_TRUE(ReadAll(err).starts_with(line)) << ReadAll(err);
  EXPECT_FALSE(std::filesystem::exists(out));
}

// SentencePiece's added space is not shown, at the text's beginning as after a special token.
TEST(RunProgram, TokenTextsJoinToTheText) {
  const std::string text = Write("text", "ab</s>ab ab");
  const std::vector<std::string> words = {"tokenize", "-m", MixtralModel(),
                                          "-f",       text, "--parse-special"};
  std::istringstream lines(Smallmind(words).out);
  std::string joined;
  for (std::string line; std::getline(lines, line);) joined += line.substr(line.find('\t') + 1);
  EXPECT_EQ(joined, "<s>ab</s>ab ab");
}

TEST(RunProgram, HelpShowsTheDefaults) {
  const std::string help = Smallmind({"generate", "--help"}).out;
  for (const char* part : {"=f16", "=256", "--typical-p", "--frequency-penalty", "=64"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part << "\n" << help;
  }
}

}  // namespace
}  // namespace smallmind
