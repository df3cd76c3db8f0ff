// By descriptors: streams report an error in the middle of a file as its end.
#include "engine/cli/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/base/error.h"
#include "engine/base/quote.h"

namespace smallmind {
namespace {

// Standard input, or a file of its own.
class Input {
 public:
  explicit Input(const std::string& path)
      : owned_(path != "-"),
        fd_(owned_ ? open(path.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO) {}
  ~Input() {
    if (owned_ && fd_ >= 0) close(fd_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  int fd() const { return fd_; }

 private:
  bool owned_;
  int fd_;
};

}  // namespace

std::string ReadFileBytes(const std::string& path, size_t most) {
  const auto fail = [&](const std::string& reason) {
    throw InputError("cannot read " + (path == "-" ? "standard input" : Quote(path)) + ": " +
                     reason);
  };
  const Input input(path);
  if (input.fd() < 0) fail(std::strerror(errno));
  std::string bytes;
  std::array<char, size_t{1} << 16> piece;
  for (;;) {
    const ssize_t n = read(input.fd(), piece.data(), piece.size());
    if (n == 0) return bytes;
    if (n < 0 && errno != EINTR) fail(std::strerror(errno));
    const size_t size = n > 0 ? static_cast<size_t>(n) : 0;
    if (size > most - bytes.size()) {
      fail("more than " + std::to_string(most) + " bytes, which are the most allowed");
    }
    bytes.append(piece.data(), size);
  }
}

std::string ReadText(const std::string& path) { return ReadFileBytes(path, size_t{1} << 30); }

}  // namespace smallmind
