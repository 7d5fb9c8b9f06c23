// Marks: what SERIALIZABLE transactions that are about to commit have read, as one owner guards it (docs/serializable.md).
// Owns:       a share in the read sets of those transactions, and who waits for one of them.
// Thread:     its shard's.
// Invariants: a mark stands from before the owner looks whether the read set holds until the transaction's outcome is known here.
//             Who holds marks waits for no lock, so that they are no part of a deadlock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/mailbox.h"
#include "engine/read_set.h"
#include "engine/shard_loop.h"
#include "engine/version.h"
#include "storage/base/lsn.h"

namespace wandian {

class Shard;
struct Waiter;

class Marks {
 public:
  bool empty() const { return marks_.empty(); }
  void set(TxnDescriptor& descriptor, std::shared_ptr<const ReadSet> reads);
  /// Takes a transaction's mark away and appends those who waited for it to `ready`.
  void clear(const TxnDescriptor& descriptor, std::vector<Waiter*>& ready);

  /// A row before and after a write: `before` and `after` are null for an insert and a delete.
  struct Write {
    const TableDef& table;
    PartitionId partition;
    KeyRef key;
    const char* before;
    std::uint16_t before_layout;
    const char* after;                  ///< in the table's current layout
  };
  /// The transaction whose mark the write meets, or null. Its own does not count.
  TxnDescriptor* met_by(const Write& write, const TxnDescriptor* self) const;

  void wait(Waiter& waiter, const TxnDescriptor& descriptor);
  void forget(const Waiter& waiter);

 private:
  struct Mark {
    TxnDescriptor* descriptor;
    std::shared_ptr<const ReadSet> reads;
  };
  struct Waiting {
    Waiter* waiter;
    const TxnDescriptor* descriptor;
  };
  std::vector<Mark> marks_;
  std::vector<Waiting> waiting_;
};

/// Looks at one owner whether a read set still holds, in slices behind the mark, and travels back with the verdict.
struct ValidateMessage final : Message, Runnable {
  std::shared_ptr<const ReadSet> reads;
  TxnDescriptor* descriptor = nullptr;
  Lsn snapshot;
  Shard* origin = nullptr;
  const std::atomic<bool>* stop = nullptr;   ///< the origin's: the commit was cancelled, the verdict does not matter
  bool valid = true;
  void (*done)(void* context) = nullptr;     ///< on the origin
  void* context = nullptr;

  void deliver(Shard& here) override;
  void run() override;
  /// Sets the mark and looks at the first slice. True: finished, `valid` says how.
  bool start(Shard& here);

 private:
  bool slice();
  void answer();
  bool holds_point(const ReadSet::Table& table, std::string_view point) const;
  /// False: the slice's budget is spent, and `key_` says where to go on.
  bool look_at_range(const TablePartition& partition, const ReadSet::Range& range, unsigned* budget);
  Shard* here_ = nullptr;
  std::size_t table_ = 0, range_ = 0;
  PartitionId partition_ = 0;
  KeyBuffer key_;
  bool inside_ = false;                      ///< a range is half done: go on behind key_
};

}  // namespace wandian
