// Joins: nested loop (its inner side may read the outer row) and hash join.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "sql/exec/operator.h"
#include "sql/exec/probe_batch.h"

namespace wandian::sql {

namespace {

void set_null(ExecContext& ctx, const std::vector<Slot>& slots) {
  for (const Slot slot : slots) ctx.slots[slot] = Value::null();
}

class NestLoopOperator final : public Operator {
 public:
  explicit NestLoopOperator(const JoinPlanNode& node) : Operator(node), join_(node) {
    const std::vector<Slot>& outer = node.children[0]->visible;
    for (const Slot slot : node.children[1]->free_slots)
      inner_reads_outer_ = inner_reads_outer_ || std::find(outer.begin(), outer.end(), slot) != outer.end();
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    in_outer_ = inner_ran_ = false;
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    for (;;) {
      if (!in_outer_) {
        const Step step = children_[0]->next(ctx);
        if (step != Step::kRow) return step;
        in_outer_ = true;
        matched_ = false;
        if (inner_ran_ && !inner_reads_outer_) children_[1]->rewind(ctx);
        else children_[1]->restart(ctx);
        inner_ran_ = true;
      }
      const Step step = children_[1]->next(ctx);
      if (step == Step::kEnd) {
        in_outer_ = false;
        if (matched_) continue;
        if (join_.kind == JoinKind::kLeft) {
          ctx.reset_row(node_.arena);
          set_null(ctx, join_.children[1]->visible);
          return Step::kRow;
        }
        if (join_.kind == JoinKind::kAnti) return Step::kRow;
        continue;
      }
      if (step != Step::kRow) return step;
      ctx.reset_row(node_.arena);
      bool passes = true;
      if (join_.filter && !ctx.test(join_.filter, node_.arena, &passes)) return Step::kError;
      if (!passes) {
        count_filtered(ctx);
        if (ctx.out_of_budget()) return Step::kPause;
        continue;
      }
      matched_ = true;
      if (join_.kind == JoinKind::kAnti) {
        in_outer_ = false;
        continue;
      }
      if (join_.kind == JoinKind::kSemi) in_outer_ = false;
      return Step::kRow;
    }
  }

 private:
  const JoinPlanNode& join_;
  bool in_outer_ = false, matched_ = false;
  bool inner_ran_ = false;          ///< since this was restarted
  bool inner_reads_outer_ = false;
};

class HashJoinOperator final : public Operator {
 public:
  HashJoinOperator(const JoinPlanNode& node, const ExecContext& ctx)
      : Operator(node),
        join_(node),
        memory_(ctx.memory_limit()),
        single_int_(node.key_orders.size() == 1 && node.key_orders[0] == Order::kInteger),
        batch_(*node.children[0], ctx) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    children_[0]->restart(ctx);
    batch_.reset();
    current_ = waiting_ = nullptr;
    filter_.reset();
    in_outer_ = false;
    if (built_ && node_.children[1]->free_slots.empty()) {
      // The build side is the same; only the marks of matched rows go.
      if (join_.kind == JoinKind::kRight || join_.kind == JoinKind::kFull)
        for (Entry* entry = all_; entry != nullptr; entry = entry->previous) entry->matched = false;
      state_ = State::kProbe;
      return;
    }
    memory_.reset();
    all_ = nullptr;
    count_ = 0;
    built_ = false;
    state_ = State::kBuild;
    children_[1]->restart(ctx);
  }

  Step do_next(ExecContext& ctx) override {
    for (;;) {
      switch (state_) {
        case State::kBuild: {
          const Step step = build(ctx);
          if (step != Step::kEnd) return step;
          break;
        }
        case State::kInsert:
          while (inserted_ != nullptr) {
            if (ctx.out_of_budget()) return Step::kPause;
            insert_some();
          }
          built_ = true;
          state_ = State::kProbe;
          break;
        case State::kProbe: {
          if (count_ == 0 && (join_.kind == JoinKind::kInner || join_.kind == JoinKind::kSemi || join_.kind == JoinKind::kRight))
            return Step::kEnd;
          const Step step = probe(ctx);
          if (step != Step::kEnd) return step;
          if (join_.kind != JoinKind::kRight && join_.kind != JoinKind::kFull) {
            state_ = State::kEnd;
            return Step::kEnd;
          }
          set_null(ctx, join_.children[0]->visible);
          inserted_ = all_;
          state_ = State::kUnmatched;
          break;
        }
        case State::kUnmatched:
          while (inserted_ != nullptr) {
            if (ctx.out_of_budget()) return Step::kPause;
            Entry* entry = inserted_;
            inserted_ = entry->previous;
            if (entry->matched) continue;
            ctx.reset_row(node_.arena);
            restore_slots(join_.saved, entry->values(), ctx.slots);
            return Step::kRow;
          }
          state_ = State::kEnd;
          break;
        case State::kEnd: return Step::kEnd;
      }
    }
  }

  void after_pause(ExecContext& ctx) override {
    if (batch_.possible()) batch_.after_pause(ctx);
  }

 private:
  enum class State : std::uint8_t { kBuild, kInsert, kProbe, kUnmatched, kEnd };
  struct Entry {
    Entry* next;        // in the bucket
    Entry* previous;    // of all entries
    std::uint64_t hash;
    bool matched;
    bool null_key;
    Value* values() { return reinterpret_cast<Value*>(this + 1); }
  };
  // A bucket's word: the first entry's address, and above it a few bits that say which hashes may be in the bucket.
  static constexpr unsigned kAddressBits = 48;
  static std::uint64_t tag_of(std::uint64_t hash) { return std::uint64_t{1} << (kAddressBits + (hash >> 60)); }

  std::uint64_t hash_keys(ExecContext& ctx, const std::vector<Slot>& keys) const {
    if (single_int_) return hash_int(static_cast<std::uint64_t>(ctx.slots[keys[0]].i));
    return hash_slots(keys, join_.key_orders, ctx.slots);
  }
  static bool has_null(const ExecContext& ctx, const std::vector<Slot>& keys) {
    for (const Slot slot : keys)
      if (ctx.slots[slot].is_null) return true;
    return false;
  }

  // kEnd: the build side is complete.
  Step build(ExecContext& ctx) {
    const std::size_t width = join_.saved.slots.size();
    const bool keep_nulls = join_.kind == JoinKind::kRight || join_.kind == JoinKind::kFull;
    for (;;) {
      const Step step = children_[1]->next(ctx);
      if (step == Step::kEnd) break;
      if (step != Step::kRow) return step;
      const bool null_key = has_null(ctx, join_.right_keys);
      if (null_key && !keep_nulls) continue;
      auto* entry = static_cast<Entry*>(memory_.allocate(sizeof(Entry) + width * sizeof(Value), alignof(Value)));
      entry->hash = null_key ? 0 : hash_keys(ctx, join_.right_keys);
      entry->matched = false;
      entry->null_key = null_key;
      entry->previous = all_;
      entry->next = nullptr;
      save_slots_into(join_.saved, ctx.slots, memory_, entry->values());
      all_ = entry;
      ++count_;
    }
    std::size_t size = 16;
    while (size < count_ + count_ / 2) size *= 2;
    if (size * sizeof(std::uint64_t) > ctx.memory_limit()) throw std::bad_alloc();
    buckets_.reset(static_cast<std::uint64_t*>(std::calloc(size, sizeof(std::uint64_t))));
    if (!buckets_) throw std::bad_alloc();
    mask_ = size - 1;
    inserted_ = all_;
    state_ = State::kInsert;
    return Step::kEnd;
  }

  // Several at a time: their buckets come together.
  void insert_some() {
    Entry* last = inserted_;
    for (unsigned i = 0; i < 16 && last != nullptr; ++i, last = last->previous)
      __builtin_prefetch(&buckets_.get()[last->hash & mask_], 1);
    for (; inserted_ != last; inserted_ = inserted_->previous) insert(inserted_);
  }
  void insert(Entry* entry) {
    if (entry->null_key) return;
    std::uint64_t& bucket = buckets_.get()[entry->hash & mask_];
    entry->next = reinterpret_cast<Entry*>(bucket & ((std::uint64_t{1} << kAddressBits) - 1));
    bucket = (bucket & ~((std::uint64_t{1} << kAddressBits) - 1)) | tag_of(entry->hash) | reinterpret_cast<std::uint64_t>(entry);
  }
  Entry* find(std::uint64_t hash) const {
    const std::uint64_t bucket = buckets_.get()[hash & mask_];
    if ((bucket & tag_of(hash)) == 0) return nullptr;
    return reinterpret_cast<Entry*>(bucket & ((std::uint64_t{1} << kAddressBits) - 1));
  }
  bool same_keys(ExecContext& ctx, Entry* entry) const {
    if (entry->hash != hash_) return false;
    if (single_int_) return entry->values()[0].i == ctx.slots[join_.left_keys[0]].i;
    return equal_to_slots(entry->values(), join_.left_keys, join_.key_orders, ctx.slots);
  }

  // The next row of the probe side, and the first entry that may match it.
  Step next_outer(ExecContext& ctx) {
    if (!batch_.possible()) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      if (has_null(ctx, join_.left_keys)) {
        current_ = nullptr;
      } else {
        hash_ = hash_keys(ctx, join_.left_keys);
        current_ = find(hash_);
      }
      return step;
    }
    if (batch_.empty()) {
      const Step step = batch_.fill(ctx, *children_[0], [&](ProbeBatch::Row& row) {
        row.null_key = has_null(ctx, join_.left_keys);
        if (row.null_key) return;
        row.hash = hash_keys(ctx, join_.left_keys);
        __builtin_prefetch(&buckets_.get()[row.hash & mask_]);
      });
      if (step != Step::kRow) return step;
      for (ProbeBatch::Row& row : batch_.rows()) {
        row.found = row.null_key ? nullptr : find(row.hash);
        __builtin_prefetch(row.found);
      }
    }
    const ProbeBatch::Row& row = batch_.take(ctx);
    hash_ = row.hash;
    current_ = static_cast<Entry*>(row.found);
    return Step::kRow;
  }

  Step probe(ExecContext& ctx) {
    for (;;) {
      if (!in_outer_) {
        const Step step = next_outer(ctx);
        if (step != Step::kRow) return step;
        in_outer_ = true;
        matched_ = false;
      }
      while (current_ != nullptr || waiting_ != nullptr) {
        Entry* entry = std::exchange(waiting_, nullptr);
        if (entry == nullptr) {
          // Nothing else stops where one row has many partners. Not before each of them: every call gets on, however short its share.
          if ((++looked_at_ & 63) == 0 && ctx.out_of_budget()) return Step::kPause;
          entry = current_;
          current_ = entry->next;
          if (!same_keys(ctx, entry)) continue;
          ctx.reset_row(node_.arena);
        }
        restore_slots(join_.saved, entry->values(), ctx.slots);
        if (join_.filter) {
          bool passes;
          if (join_.filter.waits) {
            Value holds;
            if (const Step step = filter_.eval(ctx, join_.filter, node_.arena, &holds); step != Step::kRow) {
              waiting_ = entry;
              return step;
            }
            passes = !holds.is_null && holds.as_bool();
          } else if (!ctx.test(join_.filter, node_.arena, &passes)) {
            return Step::kError;
          }
          if (!passes) {
            count_filtered(ctx);
            if (ctx.out_of_budget()) return Step::kPause;
            continue;
          }
        }
        matched_ = true;
        entry->matched = true;
        if (join_.kind == JoinKind::kAnti) {
          current_ = nullptr;
          break;
        }
        if (join_.kind == JoinKind::kSemi) in_outer_ = false;
        return Step::kRow;
      }
      in_outer_ = false;
      if (matched_) continue;
      if (join_.kind == JoinKind::kLeft || join_.kind == JoinKind::kFull) {
        ctx.reset_row(node_.arena);
        set_null(ctx, join_.children[1]->visible);
        return Step::kRow;
      }
      if (join_.kind == JoinKind::kAnti) return Step::kRow;
    }
  }

  struct FreeBuckets {
    void operator()(std::uint64_t* p) const { std::free(p); }
  };
  const JoinPlanNode& join_;
  Arena memory_;                         // build rows; a spill of partitions would begin where its limit is met
  const bool single_int_;
  ProbeBatch batch_;                       // of the probe side
  State state_ = State::kBuild;
  bool built_ = false, in_outer_ = false, matched_ = false;
  Entry* all_ = nullptr;
  Entry* inserted_ = nullptr;
  Entry* current_ = nullptr;
  Entry* waiting_ = nullptr;               // its filter calls a routine that is being run
  JournaledEval filter_;
  std::size_t count_ = 0;
  std::uint64_t looked_at_ = 0;
  std::unique_ptr<std::uint64_t, FreeBuckets> buckets_;
  std::uint64_t mask_ = 0, hash_ = 0;
};

}  // namespace

OperatorPtr make_join_operator(const PlanNode& node, ExecContext& ctx) {
  switch (node.type) {
    case NodeType::kNestLoop: return std::make_unique<NestLoopOperator>(node.as<JoinPlanNode>());
    case NodeType::kHashJoin: return std::make_unique<HashJoinOperator>(node.as<JoinPlanNode>(), ctx);
    default: return nullptr;
  }
}

}  // namespace wandian::sql
