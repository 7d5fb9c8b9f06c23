#include "sql/exec/sort_spill.h"

#include <algorithm>
#include <cstring>

namespace wandian::sql {

namespace {

// A row: the number of its bytes, a byte a value (1: null), then 8 bytes a value held by value, or a length and the bytes.
void encode_row(const SavedSlots& saved, const Value* row, std::string& out) {
  const std::size_t begin = out.size(), count = saved.slots.size();
  out.append(sizeof(std::uint32_t), '\0');
  for (std::size_t i = 0; i < count; ++i) out.push_back(row[i].is_null ? 1 : 0);
  for (std::size_t i = 0; i < count; ++i) {
    if (row[i].is_null) continue;
    if (saved.by_value[i] != 0) {
      out.append(reinterpret_cast<const char*>(&row[i].i), sizeof row[i].i);
    } else {
      out.append(reinterpret_cast<const char*>(&row[i].size), sizeof row[i].size);
      out.append(row[i].p, row[i].size);
    }
  }
  const auto bytes = static_cast<std::uint32_t>(out.size() - begin - sizeof(std::uint32_t));
  std::memcpy(out.data() + begin, &bytes, sizeof bytes);
}

// The values point into `at`. Gives what comes after the row.
const char* decode_row(const SavedSlots& saved, const char* at, Value* row) {
  std::uint32_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  const std::size_t count = saved.slots.size();
  const char* const nulls = at + sizeof bytes;
  const char* p = nulls + count;
  for (std::size_t i = 0; i < count; ++i) {
    if (nulls[i] != 0) {
      row[i] = Value::null();
    } else if (saved.by_value[i] != 0) {
      std::int64_t v;
      std::memcpy(&v, p, sizeof v);
      row[i] = Value::of_int(v);
      p += sizeof v;
    } else {
      std::uint32_t size;
      std::memcpy(&size, p, sizeof size);
      row[i] = Value::of_bytes(p + sizeof size, size);
      p += sizeof size + size;
    }
  }
  return nulls + bytes;
}

}  // namespace

Step SortSpill::flush(ExecContext& ctx) {
  if (writing_ != nullptr) {
    if (!writing_->done.load(std::memory_order_acquire)) return Step::kPause;
    if (!writing_->status.ok()) return ctx.fail(std::move(writing_->status));
    writing_ = nullptr;
  }
  if (block_.empty()) return Step::kRow;
  blocks_.push_back(static_cast<std::uint32_t>(block_.size()));
  auto full = std::make_shared<const std::string>(std::move(block_));
  block_ = {};
  writing_ = file_.append(std::move(full));
  return Step::kRow;
}

Step SortSpill::add(ExecContext& ctx, const Value* row) {
  if (block_.size() >= kBlockBytes)
    if (const Step step = flush(ctx); step != Step::kRow) return step;
  if (block_.empty()) block_.reserve(kBlockBytes + 4096);
  encode_row(saved_, row, block_);
  return Step::kRow;
}

Step SortSpill::end_run(ExecContext& ctx) {
  // What is left, and then that it is written.
  while (!block_.empty() || writing_ != nullptr)
    if (const Step step = flush(ctx); step != Step::kRow) return step;
  runs_.push_back({run_begin_, file_.size(), std::move(blocks_)});
  blocks_.clear();
  run_begin_ = file_.size();
  return Step::kRow;
}

void SortSpill::begin_merge() {
  readers_.clear();
  heap_.clear();
  starting_ = 0;
  taken_ = false;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    auto reader = std::make_unique<Reader>();
    reader->run = i;
    reader->offset = runs_[i].begin;
    reader->row.resize(saved_.slots.size());
    ask(*reader);
    readers_.push_back(std::move(reader));
  }
}

// The next block is on its way.
void SortSpill::ask(Reader& reader) {
  const Run& run = runs_[reader.run];
  if (reader.block == run.blocks.size()) return;
  reader.coming = std::make_shared<std::string>(run.blocks[reader.block], '\0');
  reader.wait = file_.read(reader.offset, reader.coming);
  reader.offset += run.blocks[reader.block++];
}

// kRow: its next row is there. kEnd: there is none.
Step SortSpill::advance(ExecContext& ctx, Reader& reader) {
  if (reader.bytes == nullptr || reader.at == reader.bytes->size()) {
    if (reader.wait == nullptr) return Step::kEnd;
    if (!reader.wait->done.load(std::memory_order_acquire)) return Step::kPause;
    if (!reader.wait->status.ok()) return ctx.fail(std::move(reader.wait->status));
    reader.bytes = std::move(reader.coming);
    reader.wait = nullptr;
    reader.at = 0;
    ask(reader);
  }
  const char* const begin = reader.bytes->data();
  reader.at = static_cast<std::size_t>(decode_row(saved_, begin + reader.at, reader.row.data()) - begin);
  return Step::kRow;
}

// Runs are in the order in which their rows came, so that equal rows stay in it.
bool SortSpill::before(std::size_t a, std::size_t b) const {
  const Value *x = readers_[a]->row.data(), *y = readers_[b]->row.data();
  if (less_(x, y)) return true;
  return !less_(y, x) && a < b;
}

Step SortSpill::next(ExecContext& ctx, const Value** row) {
  const auto after = [this](std::size_t a, std::size_t b) { return before(b, a); };
  for (; starting_ < readers_.size(); ++starting_) {
    const Step step = advance(ctx, *readers_[starting_]);
    if (step == Step::kEnd) continue;
    if (step != Step::kRow) return step;
    heap_.push_back(starting_);
    std::push_heap(heap_.begin(), heap_.end(), after);
  }
  if (taken_) {
    const Step step = advance(ctx, *readers_[heap_.front()]);
    if (step != Step::kRow && step != Step::kEnd) return step;
    taken_ = false;
    std::pop_heap(heap_.begin(), heap_.end(), after);
    if (step == Step::kEnd) heap_.pop_back();
    else std::push_heap(heap_.begin(), heap_.end(), after);
  }
  if (heap_.empty()) return Step::kEnd;
  taken_ = true;
  *row = readers_[heap_.front()]->row.data();
  return Step::kRow;
}

}  // namespace wandian::sql
