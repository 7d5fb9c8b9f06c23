#include "wire/gated_output.h"

#include <algorithm>

#include "storage/base/assert.h"

namespace wandian::wire {

void GatedOutput::seal(Lsn floor) {
  const std::uint64_t end = appended();
  if (end == sealed_) return;
  sealed_ = end;
  if (!gated() && floor <= released_) {
    releasable_ = end;
  } else if (gated() && floor <= marks_.back().floor) {
    marks_.back().end = end;   // it cannot leave before what is in front of it
  } else {
    marks_.push_back({end, floor});
  }
  if (current_.size() >= kChunkBytes) {
    chunks_.push_back({std::make_unique<sql::OutBuffer>(), base_});
    chunks_.back().buffer->swap(current_);
    base_ = end;
  }
}

void GatedOutput::release(Lsn released) {
  released_ = std::max(released_, released);
  while (first_mark_ != marks_.size() && marks_[first_mark_].floor <= released_) releasable_ = marks_[first_mark_++].end;
  if (first_mark_ == marks_.size()) {
    marks_.clear();
    first_mark_ = 0;
  } else if (first_mark_ >= 64 && first_mark_ * 2 >= marks_.size()) {
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(first_mark_));
    first_mark_ = 0;
  }
}

std::size_t GatedOutput::gather(iovec* pieces, std::size_t limit) const {
  std::uint64_t at = sent_;
  std::size_t used = 0;
  const auto add = [&](const sql::OutBuffer& buffer, std::uint64_t begin) {
    const std::uint64_t end = std::min(begin + buffer.size(), releasable_);
    if (used == limit || end <= at) return;
    pieces[used].iov_base = const_cast<char*>(buffer.data() + (at - begin));
    pieces[used++].iov_len = static_cast<std::size_t>(end - at);
    at = end;
  };
  for (const Chunk& chunk : chunks_) {
    if (used == limit) return used;   // the next piece must not start with a gap
    add(*chunk.buffer, chunk.begin);
  }
  add(current_, base_);
  return used;
}

void GatedOutput::consumed(std::size_t bytes) {
  sent_ += bytes;
  DB_DCHECK(sent_ <= releasable_);
  if (!chunks_.empty()) {
    auto keep = chunks_.begin();
    while (keep != chunks_.end() && keep->begin + keep->buffer->size() <= sent_) ++keep;
    chunks_.erase(chunks_.begin(), keep);
  }
  trim();
}

void GatedOutput::trim() {
  if (!empty() || !current_.has_memory()) return;
  const std::size_t used = current_.size();
  base_ = sent_;
  pool_.give(current_, used);
  if (marks_.capacity() > 64 && marks_.empty()) marks_.shrink_to_fit();
}

}  // namespace wandian::wire
