// OrderedIndex: key bytes (engine/key.h) -> a pointer, in memcmp order. One B+tree, specialised by the width of its keys.
// Owns:       its nodes and, for keys that are not held in them, the key bytes. Never what the values point to.
// Thread:     insert, replace, erase, clear and the destructor by the owner shard alone. find and Cursor by any
//             thread at any time: they take no lock and write no shared memory. A reader that meets a node in the middle
//             of a change, which lasts tens of nanoseconds, reads again.
// Invariants: what a reader reached stays allocated until its turn ends (engine/quiescence.h); values likewise are good
//             for the turn if their owner retires them the same way after erase() or replace(). A key that is in the index
//             throughout a find or a scan is seen; a scan gives each key at most once and in order.
// Errors:     std::bad_alloc from insert() leaves the index as it was.
// Sources:    Bayer, McCreight (1972); node versions: Cha et al., VLDB 2001; Leis et al., "The ART of practical
//             synchronization", 2016. Why a B+tree, and its node sizes: docs/index-structure.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/key.h"
#include "engine/quiescence.h"

namespace wandian {

namespace index {
template <class Policy>
class Tree;
}

class OrderedIndex {
 public:
  enum class Kind : std::uint8_t {
    kWords1,    ///< all keys have one size of at most 8 bytes, held in the nodes
    kWords2,    ///< at most 16
    kWords3,    ///< at most 24
    kPrefixed,  ///< any other: 16 bytes in the nodes, the whole key beside them
  };

  explicit OrderedIndex(const KeyCodec& codec)
      : OrderedIndex(codec.fixed() && codec.columns() != 0 ? codec.fixed_bytes() : 0) {}
  /// `fixed_bytes`: the size of every key, or 0 if sizes vary.
  explicit OrderedIndex(std::uint32_t fixed_bytes);
  ~OrderedIndex();   ///< frees at once: no reader may be left
  OrderedIndex(const OrderedIndex&) = delete;
  OrderedIndex& operator=(const OrderedIndex&) = delete;

  Kind kind() const { return kind_; }

  // --- any thread ---

  /// The value of exactly this key, or nullptr.
  void* find(KeyRef key) const;
  /// Number of keys; from other threads a recent one.
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  /// Bytes of nodes and keys now reachable; what waits in a Limbo is not counted.
  std::size_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // --- owner ---

  /// Inserts unless the key is there; gives the value now stored and whether it was inserted. `value` is not null.
  /// Neighbours of the key last written are reached without a descent.
  std::pair<void*, bool> insert(KeyRef key, void* value) {
    return insert(key, [](void* stored) { return stored; }, value);
  }
  /// The same with make(context) for the value, called only if the key is not there. It must not touch the index.
  std::pair<void*, bool> insert(KeyRef key, void* (*make)(void* context), void* context);
  class Cursor;
  // Looking before writing: without a descent near the key last written or looked for this way, and what is written
  // there next has none either.

  /// As find().
  void* find_own(KeyRef key);
  /// False: no key is in [lower, upper), for certain. True: look with a Cursor.
  bool may_have(KeyRef lower, KeyRef upper);
  /// Puts a fresh cursor on the first key that begins with `prefix`; next() ends behind the last one. False: there is none.
  bool seek_prefix(KeyRef prefix, Cursor& cursor);
  enum class Want : std::uint8_t {
    kPlace,   ///< only what will be searched or written there
    kExact,   ///< the value of exactly this key
    kLast,    ///< that of the last key in [lower, key)
  };
  struct Look {
    OrderedIndex* index;
    KeyRef key;             ///< for kPlace and kLast it may be the beginning of one
    Want want;
    KeyRef lower = {};      ///< for kLast
    void* found = nullptr;  ///< the value, or null if there is none
    bool known = false;     ///< false: kLast stopped where a leaf begins; look with a Cursor
  };
  /// Searches in any indexes that do not wait for each other's cache misses: all that they need of memory comes at a time, the
  /// first lines of the values too (kPrefixed: one by one). The place of the last one of each index is then reached without a
  /// descent.
  static void look_ahead(std::span<Look> looks);

  /// False if the key is not there. Readers see the old value or the new one.
  bool replace(KeyRef key, void* value);
  /// False if the key was not there. Freed nodes and key bytes go through `limbo`.
  bool erase(KeyRef key, Limbo& limbo);
  /// Forgets all keys. Readers under way may still see some of them until their turn ends.
  void clear(Limbo& limbo);

 private:
  friend class Cursor;
  std::atomic<void*> root_{nullptr};      ///< released by the owner, acquired by readers
  std::atomic<std::size_t> size_{0};      ///< written by the owner
  std::atomic<std::size_t> bytes_{0};     ///< written by the owner
  Kind kind_;
  std::uint32_t fixed_bytes_;             ///< 0: sizes vary

  static constexpr unsigned kMaxWords = 3;
  /// Owner only: the leaf last written and the range it is responsible for, until nodes are split or merged.
  struct Finger {
    void* leaf = nullptr;
    bool has_low = false;
    bool has_high = false;
    std::uint64_t low[kMaxWords];
    std::uint64_t high[kMaxWords];
  };
  Finger finger_;
  template <class Policy> friend class index::Tree;
};

/// A position in key order. Usable within one turn of the thread that made it; to go on in a later turn, keep key()'s
/// bytes and seek(them, exclusive) or seek_last(them, exclusive). All bounds may be prefixes of keys or longer than keys.
///
///   OrderedIndex::Cursor cursor(index);
///   cursor.stop_at(successor, false);
///   for (bool on = cursor.seek(prefix, true); on; on = cursor.next()) use(cursor.key(), cursor.value());
class OrderedIndex::Cursor {
 public:
  explicit Cursor(const OrderedIndex& index) : index_(index) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  /// The far end of the scan: next() stops above it, prev() below it. Counts for seeks made afterwards. A scan that
  /// changes its direction should have no stop.
  void stop_at(KeyRef bound, bool inclusive) {
    stop_.assign(bound);
    stop_inclusive_ = inclusive;
    has_stop_ = true;
  }
  void no_stop() { has_stop_ = false; }

  /// The first key >= lower (> lower if not inclusive), and onwards with next(). False, as from all of these, if there
  /// is no such key: the cursor is then not valid().
  bool seek(KeyRef lower, bool inclusive);
  /// The last key <= upper (< upper if not inclusive), and onwards with prev().
  bool seek_last(KeyRef upper, bool inclusive);
  bool seek_first();
  bool seek_last();
  /// seek(), or seek_last() if not forward, of fresh cursors of indexes of one kind and size of keys, which do not wait for each
  /// other's cache misses; those that found something are valid().
  static void seek_together(std::span<Cursor* const> cursors, KeyRef bound, bool inclusive, bool forward);

  /// Only while valid().
  bool next() {
    if (forward_ && position_ + 1 < count_) [[likely]] {
      step();
      return true;
    }
    return move(true);
  }
  bool prev() {
    if (!forward_ && position_ + 1 < count_) [[likely]] {
      step();
      return true;
    }
    return move(false);
  }

  bool valid() const { return position_ < count_; }
  /// The next step needs the tree again: a good moment to do something else first.
  bool at_batch_end() const { return position_ + 1 >= count_; }

  // For scans that take several entries at a time: the values from the cursor's entry on that need no further step, in its direction.

  std::span<void* const> rest_of_batch() const { return {values_ + position_, count_ - position_}; }
  /// Goes on by `count` of them, to an entry that is one of them.
  void pass(std::uint32_t count) { position_ += count; }
  /// What will probably come after this batch, for prefetching alone.
  std::span<const void* const> beyond_batch() const { return {ahead_, ahead_count_}; }
  static void prefetch(const void* row) {
    __builtin_prefetch(row);
    __builtin_prefetch(static_cast<const char*>(row) + 64);   // a row's first version stands behind its anchor
  }
  /// Good until the cursor moves.
  KeyRef key() const;
  void* value() const { return values_[position_]; }

 private:
  template <class Policy> friend class index::Tree;
  static constexpr unsigned kBatch = 16;   ///< entries copied from a leaf at a time

  bool move(bool forward);
  // One of the next batch's rows for each of this one's, so that their cache misses pass beside the work on this one's.
  void step() {
    ++position_;
    if (position_ < ahead_count_) prefetch(ahead_[position_]);
  }

  const OrderedIndex& index_;
  bool forward_ = true;
  bool has_stop_ = false;
  bool stop_inclusive_ = false;
  bool last_batch_ = false;         ///< nothing lies beyond this batch in the direction of the scan
  bool moved_ = false;              ///< went on in its direction beyond a batch: the scan is a long one
  std::uint32_t position_ = 0;
  std::uint32_t count_ = 0;
  // The batch, in the order of the scan; for kPrefixed the third word is the address of the key bytes.
  std::uint64_t words_[kBatch * kMaxWords];
  void* values_[kBatch];
  KeyBuffer stop_;
  mutable char key_bytes_[kMaxWords * 8];
  // Where the batch came from, so that the next one needs no descent while that leaf is unchanged.
  const void* leaf_ = nullptr;
  std::uint64_t leaf_version_ = 0;
  std::uint32_t leaf_next_ = 0;     ///< next entry to copy (forward), or number of entries left below (backward)
  bool has_fence_ = false;
  std::uint64_t fence_[kMaxWords];  ///< the leaf's upper bound (forward) or lower bound (backward)
  // What the next batch will probably be, of this leaf or its neighbour: to be asked for, never to be given out.
  const void* neighbour_ = nullptr;
  std::uint32_t ahead_count_ = 0;
  const void* ahead_[kBatch];
};

}  // namespace wandian
