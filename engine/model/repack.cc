// A list of matrices, each once however many views there are of it, then one loop over pieces of
// them. Tested in cli/repack_test.cc: logits of every architecture to the bit.
#include "engine/model/repack.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/runtime/memory_size.h"
#include "engine/tensor/packed.h"

namespace smallmind {
namespace {

struct Copy {
  WeightView from;
  bool pack;
  size_t offset;  // in the new memory
};

class Plan {
 public:
  void Add(WeightView& view, size_t unit) {
    const auto [known, is_new] = index_.try_emplace({view.data, view.rows}, copies_.size());
    if (is_new) {
      copies_.push_back({view, CanPack(view) && unit % kPackedRows == 0, bytes_});
      bytes_ += (view.bytes() + 63) / 64 * 64;
    }
    views_.emplace_back(&view, known->second);
  }
  void Run(const GgufFile& file, HugePages& to, size_t threads) const {
    std::vector<Piece> pieces;
    for (const Copy& copy : copies_) {
      constexpr size_t kBytes = size_t{1} << 20;
      const size_t groups = std::max<size_t>(1, kBytes / kPackedRows / copy.from.row_bytes);
      const size_t rows = groups * kPackedRows;
      for (size_t r = 0; r < copy.from.rows; r += rows) {
        pieces.push_back({&copy, r, std::min(r + rows, copy.from.rows)});
      }
    }
    uint8_t* const base = to.bytes().data();
    ParallelFor(threads, pieces.size(), 1, [&](size_t i, size_t) { Run(file, pieces[i], base); });
  }

  void Rebind(const HugePages& to) const {
    for (const auto& [view, index] : views_) {
      view->data = to.bytes().data() + copies_[index].offset;
      view->packed = copies_[index].pack;
    }
  }
  size_t bytes() const { return bytes_; }

 private:
  struct Piece {
    const Copy* copy;
    size_t begin, end;  // rows
  };
  static void Run(const GgufFile& file, const Piece& piece, uint8_t* base) {
    const WeightView& from = piece.copy->from;
    uint8_t* const to = base + piece.copy->offset + piece.begin * from.row_bytes;
    const ByteRange bytes = from.Bytes(piece.begin, piece.end);
    if (piece.copy->pack) {
      for (size_t r = piece.begin; r < piece.end; r += kPackedRows) {
        PackGroup(from, r, to + (r - piece.begin) * from.row_bytes);
      }
    } else {
      std::memcpy(to, bytes.data, bytes.bytes);
    }
    file.Forget({bytes.data, bytes.bytes});
  }

  std::vector<Copy> copies_;
  std::vector<std::pair<WeightView*, size_t>> views_;
  std::map<std::pair<const uint8_t*, size_t>, size_t> index_;
  size_t bytes_ = 0;
};

// A system that lends more than it has would end the process halfway.
HugePages Memory(size_t bytes, const std::string& path) {
  try {
    if (bytes <= UsableMemory()) return HugePages(bytes);
  } catch (const std::bad_alloc&) {
  }
  throw InputError(path + ": no memory for a copy of " + std::to_string(bytes >> 20) +
                   " MiB of weights; without --repack they stay in the file");
}

}  // namespace

void Repack(Model& model, size_t threads) {
  Plan plan;
  ModelWeights& weights = model.weights;
  WeightView& embedding = weights.token_embedding;
  if (embedding.data == weights.output.weight.data) plan.Add(embedding, embedding.rows);
  ForEachMatrix(weights, [&](WeightView& view, size_t unit) { plan.Add(view, unit); });
  model.copy = Memory(plan.bytes(), model.file.path());
  plan.Run(model.file, model.copy, threads);
  plan.Rebind(model.copy);
}

}  // namespace smallmind
