// By descriptors: streams report an error in the middle of a file as its end.
#include "engine/cli/read_file.h"

#include <fcntl.h>
#include <unistd.h>

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

std::string ReadFileBytes(const std::string& path) {
  constexpr size_t kPiece = size_t{1} << 16;
  const auto fail = [&](int error) {
    throw InputError("cannot read " + (path == "-" ? "standard input" : Quote(path)) + ": " +
                     std::strerror(error));
  };
  const Input input(path);
  if (input.fd() < 0) fail(errno);
  std::string bytes;
  for (;;) {
    const size_t size = bytes.size();
    bytes.resize(size + kPiece);
    const ssize_t n = read(input.fd(), bytes.data() + size, kPiece);
    bytes.resize(size + static_cast<size_t>(n > 0 ? n : 0));
    if (n == 0) return bytes;
    if (n < 0 && errno != EINTR) fail(errno);
  }
}

}  // namespace smallmind
