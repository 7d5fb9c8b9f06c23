// The B+tree's algorithms for one way of holding keys; OrderedIndex dispatches to them. Private to engine/index.
// Readers: couple node versions on the way down: a child's version is taken, then the parent's is checked again, so the
//          child was responsible for the key when its version was taken. Whatever fails the check starts again.
// Writer:  each split or merge is one change that holds all nodes concerned odd together, so that between two of them the
//          tree is whole; new nodes are private until the parent's change publishes them.
#pragma once

#include <cstring>
#include <limits>

#include "engine/index/node.h"
#include "engine/index/ordered_index.h"

namespace wandian::index {

/// The owner on its way from the root to a leaf, for any policy.
struct Descent {
  void* node = nullptr;
  const void* low = nullptr;     ///< where the leaf's bounds stand: separators of nodes above
  const void* high = nullptr;
  unsigned low_at = 0, high_at = 0;
  unsigned at = 0;               ///< where the search in `node` led, once `searched`
  bool searched = false;
  bool arrived = false;
  std::uint64_t probe[3] = {};   ///< of a look ahead
};

template <class Policy>
class Tree {
 public:
  using Node = index::Node<Policy>;
  using Probe = typename Policy::Probe;
  using Cursor = OrderedIndex::Cursor;
  static constexpr unsigned kStride = Policy::kStride;

  // --- readers ---

  static void* find(const OrderedIndex& index, KeyRef key) {
    const Probe probe = Policy::probe(key);
    void* value;
    while (!try_find(index, probe, value)) {
    }
    return value;
  }

  /// Fills the cursor from the first key at or above the probe, or the last at or below it; without a probe from the very
  /// first or last.
  static bool fill(Cursor& cursor, bool forward, const Probe* from, bool inclusive);
  static bool seek(Cursor& cursor, KeyRef bound, bool inclusive, bool forward) {
    const Probe probe = Policy::probe(bound);
    return fill(cursor, forward, &probe, forward ? lower_inclusive(cursor, bound, inclusive) : upper_inclusive(cursor, bound, inclusive));
  }
  static void seek_together(std::span<Cursor* const> cursors, KeyRef bound, bool inclusive, bool forward);
  static bool move(Cursor& cursor, bool forward);

  // --- owner ---

  static void start(OrderedIndex& index) { set_root(index, make_node(index, 0)); }
  static std::pair<void*, bool> insert(OrderedIndex& index, KeyRef key, void* (*make)(void*), void* context);
  static void* find_own(OrderedIndex& index, KeyRef key);
  static void begin_descent(OrderedIndex& index, KeyRef key, Descent& descent);
  /// One step, up to the next memory that is not there yet; true when a leaf is searched, which is the finger's then.
  static bool descend_step(OrderedIndex& index, Descent& descent);
  static void look_here(const Descent& descent, OrderedIndex::Look& look);   ///< where it arrived
  static void look_alone(OrderedIndex::Look& look);
  static bool may_have(OrderedIndex& index, KeyRef lower, KeyRef upper);
  static bool replace(OrderedIndex& index, KeyRef key, void* value);
  static bool erase(OrderedIndex& index, KeyRef key, Limbo& limbo);
  static void clear(OrderedIndex& index, Limbo& limbo);
  static void free_tree(OrderedIndex& index) { free_subtree(root(index)); }

 private:
  static constexpr unsigned kMaxLevels = 32;
  static constexpr unsigned kSparse = Node::kCapacity / 4;              ///< below this a node looks for one to merge with
  static constexpr unsigned kMergedMax = Node::kCapacity * 3 / 4;       ///< room for inserts before the next split
  static constexpr unsigned kAppendRun = 2;                             ///< insertions in a row that make a split uneven

  struct Path {
    Node* node[kMaxLevels];
    unsigned index[kMaxLevels];   ///< which child was taken
    unsigned depth = 0;
  };

  static Node* root(const OrderedIndex& index) {
    return static_cast<Node*>(index.root_.load(std::memory_order_acquire));   // pairs with set_root
  }
  static void set_root(OrderedIndex& index, Node* node) { index.root_.store(node, std::memory_order_release); }
  static void account(OrderedIndex& index, std::ptrdiff_t bytes) {
    index.bytes_.store(index.bytes_.load(std::memory_order_relaxed) + static_cast<std::size_t>(bytes), std::memory_order_relaxed);
  }
  static void set_size(OrderedIndex& index, std::size_t size) { index.size_.store(size, std::memory_order_relaxed); }

  // The root, and its version taken while it was the root. An old root is split only after the new one is published.
  static bool enter_root(const OrderedIndex& index, const Node*& node, std::uint64_t& version) {
    node = root(index);
    return node->stable_version(version) && root(index) == node;
  }

  static bool try_find(const OrderedIndex& index, const Probe& probe, void*& value) {
    const Node* node;
    std::uint64_t version;
    if (!enter_root(index, node, version)) return false;
    while (node->level != 0) {
      const Node* child = node->child(node->upper_bound(node->size(), probe));
      child->prefetch();
      std::uint64_t child_version;
      if (!child->stable_version(child_version) || !node->unchanged(version)) return false;
      node = child;
      version = child_version;
    }
    return look_in_leaf(*node, version, probe, value);
  }

  static bool look_in_leaf(const Node& leaf, std::uint64_t version, const Probe& probe, void*& value) {
    const unsigned count = leaf.size();
    const unsigned at = leaf.lower_bound(count, probe);
    value = at < count && Policy::equal(leaf.key(at), probe) ? reinterpret_cast<void*>(leaf.slot(at)) : nullptr;
    return leaf.unchanged(version);
  }

  // A bound shorter than the keys is below every key that it is a prefix of; a longer one is above its own prefix.
  static bool lower_inclusive(const Cursor& cursor, KeyRef bound, bool inclusive) {
    const std::uint32_t fixed = cursor.index_.fixed_bytes_;
    return Policy::kOwnsBytes || bound.size == fixed ? inclusive : bound.size < fixed;
  }
  static bool upper_inclusive(const Cursor& cursor, KeyRef bound, bool inclusive) {
    const std::uint32_t fixed = cursor.index_.fixed_bytes_;
    return Policy::kOwnsBytes || bound.size == fixed ? inclusive : bound.size > fixed;
  }

  /// A reader on its way from the root to the leaf where a cursor's batch begins.
  struct Approach {
    const Node* node;
    std::uint64_t version;
    const Node* child;       ///< chosen and asked for, not looked at yet; null in a leaf
    bool together = false;   ///< others are on their way at the same time
  };
  static unsigned near_side(const Node& node, unsigned count, const Probe& probe, bool or_equal);
  static void begin_fill(Cursor& cursor, bool forward) {
    cursor.forward_ = forward;
    cursor.position_ = 0;
    cursor.last_batch_ = false;
  }
  static bool enter(Cursor& cursor, Approach& way, const Probe* from, bool inclusive);
  static bool arrive(Cursor& cursor, Approach& way, const Probe* from, bool inclusive);
  static void choose(Cursor& cursor, Approach& way, const Probe* from, bool inclusive);
  static bool take_batch(Cursor& cursor, const Approach& way, const Probe* from, bool inclusive);
  static bool settle(Cursor& cursor, bool taken, const Probe* from, bool inclusive);
  static bool try_fill(Cursor& cursor, const Probe* from, bool inclusive);
  static bool beyond_stop(const Cursor& cursor, const Probe& stop, const std::uint64_t* stored) {
    const bool inclusive = cursor.forward_ ? upper_inclusive(cursor, cursor.stop_, cursor.stop_inclusive_)
                                           : lower_inclusive(cursor, cursor.stop_, cursor.stop_inclusive_);
    const int order = Policy::compare(stored, stop);
    return order == 0 ? !inclusive : (order > 0) == cursor.forward_;
  }
  static unsigned copy_batch(Cursor& cursor, const Node& leaf, unsigned begin, unsigned end);
  static bool finish_batch(Cursor& cursor);
  static void look_beyond(Cursor& cursor);

  static Node* make_node(OrderedIndex& index, unsigned level) {
    Node* node = new Node(level);
    account(index, sizeof(Node));
    return node;
  }
  static void free_node(void* object, void*) {
    Node* node = static_cast<Node*>(object);
    node->~Node();
#ifdef WANDIAN_DCHECK
    std::memset(object, 0xef, sizeof(Node));
#endif
    ::operator delete(object, std::align_val_t{alignof(Node)});
  }
  static void free_record(void* object, void*) { KeyRecord::free(static_cast<KeyRecord*>(object)); }
  static void free_subtree(Node* node);
  static void free_subtree_later(void* object, void*) { free_subtree(static_cast<Node*>(object)); }

  static void retire_node(OrderedIndex& index, Node* node, Limbo& limbo) {
    node->mark_obsolete();
    account(index, -static_cast<std::ptrdiff_t>(sizeof(Node)));
    limbo.retire(node, &Tree::free_node);
  }
  static void retire_key(OrderedIndex& index, const std::uint64_t* stored, Limbo& limbo) {
    if constexpr (Policy::kOwnsBytes) {
      auto* record = reinterpret_cast<KeyRecord*>(stored[2]);
      account(index, -static_cast<std::ptrdiff_t>(record->footprint()));
      limbo.retire(record, &Tree::free_record);
    }
  }
  static void store_key(OrderedIndex& index, const Probe& probe, std::uint64_t* stored) {
    if constexpr (Policy::kOwnsBytes) {
      KeyRecord* record = KeyRecord::make(probe.key);
      account(index, static_cast<std::ptrdiff_t>(record->footprint()));
      stored[2] = reinterpret_cast<std::uint64_t>(record);
    }
    for (unsigned w = 0; w < sizeof(probe.w) / 8; ++w) stored[w] = probe.w[w];
  }

  static Node* locate(OrderedIndex& index, const Probe& probe);
  static void search_inner(Descent& descent, const Probe& probe);
  static void point_at(OrderedIndex& index, const Descent& descent);
  static void answer(const Node& leaf, unsigned at, bool first_leaf, const Probe& probe, OrderedIndex::Look& look);
  static void insert_at(Node& leaf, unsigned at, const std::uint64_t* stored, void* value);
  static void descend(OrderedIndex& index, const Probe& probe, Path& path);
  static void make_room(OrderedIndex& index, const Probe& probe, unsigned at);
  static bool split_child(OrderedIndex& index, Node& parent, unsigned which, const Probe& probe, unsigned at);
  static void separate(OrderedIndex& index, const Probe& below, const Probe& above, std::uint64_t* stored);
  static void rebalance(OrderedIndex& index, const Probe& probe, Limbo& limbo);
  static bool merge_children(OrderedIndex& index, Node& parent, unsigned left_index, Limbo& limbo);
};

template <class Policy>
unsigned Tree<Policy>::copy_batch(Cursor& cursor, const Node& leaf, unsigned begin, unsigned end) {
  const unsigned count = std::min(end - begin, Cursor::kBatch);
  for (unsigned i = 0; i < count; ++i) {
    const unsigned at = cursor.forward_ ? begin + i : end - 1 - i;
    leaf.load_key(at, cursor.words_ + i * kStride);
    cursor.values_[i] = reinterpret_cast<void*>(leaf.slot(at));
  }
  cursor.leaf_next_ = cursor.forward_ ? begin + count : end - count;
  return count;
}

// Cuts the batch at the stop, and asks for the rows' first cache lines: two, since a row's first version stands behind its anchor.
template <class Policy>
bool Tree<Policy>::finish_batch(Cursor& cursor) {
  if (cursor.has_stop_) {
    const Probe stop = Policy::probe(cursor.stop_);
    while (cursor.count_ != 0 && beyond_stop(cursor, stop, cursor.words_ + (cursor.count_ - 1) * kStride)) {
      --cursor.count_;
      cursor.last_batch_ = true;
    }
  }
  if (cursor.ahead_count_ == 0)
    for (unsigned i = 0; i < cursor.count_; ++i) Cursor::prefetch(cursor.values_[i]);
  cursor.ahead_count_ = 0;
  if (cursor.moved_ && !cursor.last_batch_) look_beyond(cursor);
  return cursor.count_ != 0;
}

// A long scan's next batch, as it is now. Whoever changes it meanwhile makes a needless prefetch of it.
template <class Policy>
void Tree<Policy>::look_beyond(Cursor& cursor) {
  const Node* node = static_cast<const Node*>(cursor.leaf_);
  const bool forward = cursor.forward_;
  unsigned begin = forward ? cursor.leaf_next_ : 0;
  unsigned end = forward ? node->size() : std::min(cursor.leaf_next_, node->size());
  if (begin >= end) {
    node = static_cast<const Node*>(cursor.neighbour_);
    if (node == nullptr) return;
    begin = 0;
    end = node->size();
  }
  end = std::min(end, Node::kCapacity);
  if (begin >= end) return;
  const unsigned count = std::min(end - begin, Cursor::kBatch);
  for (unsigned i = 0; i < count; ++i)
    cursor.ahead_[i] = reinterpret_cast<const void*>(node->slot(forward ? begin + i : end - 1 - i));
  cursor.ahead_count_ = count;
  Cursor::prefetch(cursor.ahead_[0]);
}

// Entries of an inner node or leaf on the near side of the probe: those <= it when the scan goes forward from above it or backward
// from it.
template <class Policy>
unsigned Tree<Policy>::near_side(const Node& node, unsigned count, const Probe& probe, bool or_equal) {
  return or_equal ? node.upper_bound(count, probe) : node.lower_bound(count, probe);
}

// Chooses the child to go on with, and asks for it.
template <class Policy>
void Tree<Policy>::choose(Cursor& cursor, Approach& way, const Probe* from, bool inclusive) {
  const bool forward = cursor.forward_;
  const Node& node = *way.node;
  way.child = nullptr;
  if (node.level == 0) return;
  const unsigned count = node.size();
  unsigned which;
  if (forward) {
    which = from == nullptr ? 0 : near_side(node, count, *from, true);
    if (which < count) {
      node.load_key(which, cursor.fence_);
      cursor.has_fence_ = true;
    }
  } else {
    which = from == nullptr ? count : near_side(node, count, *from, inclusive);
    if (which > 0) {
      node.load_key(which - 1, cursor.fence_);
      cursor.has_fence_ = true;
    }
  }
  way.child = node.child(which);
  if (way.together) way.child->prefetch_keys();
  else way.child->prefetch();
  // A scan that has left its first batch behind goes on: it will come to the next leaf too.
  const bool has_next = forward ? which < count : which > 0;
  cursor.neighbour_ = cursor.moved_ && node.level == 1 && has_next ? node.child(forward ? which + 1 : which - 1) : nullptr;
}

// As all of these: false if a node changed meanwhile.
template <class Policy>
bool Tree<Policy>::enter(Cursor& cursor, Approach& way, const Probe* from, bool inclusive) {
  if (!enter_root(cursor.index_, way.node, way.version)) return false;
  cursor.has_fence_ = false;
  cursor.neighbour_ = nullptr;
  choose(cursor, way, from, inclusive);
  return true;
}

template <class Policy>
bool Tree<Policy>::arrive(Cursor& cursor, Approach& way, const Probe* from, bool inclusive) {
  std::uint64_t version;
  if (!way.child->stable_version(version) || !way.node->unchanged(way.version)) return false;
  if (cursor.neighbour_ != nullptr) static_cast<const Node*>(cursor.neighbour_)->prefetch();
  way.node = way.child;
  way.version = version;
  choose(cursor, way, from, inclusive);
  return true;
}

// A batch of 0 means that the leaf has nothing on that side of the probe; the fence then says where to go on.
template <class Policy>
bool Tree<Policy>::take_batch(Cursor& cursor, const Approach& way, const Probe* from, bool inclusive) {
  const Node& leaf = *way.node;
  const unsigned count = leaf.size();
  if (cursor.forward_) {
    cursor.count_ = copy_batch(cursor, leaf, from == nullptr ? 0 : near_side(leaf, count, *from, !inclusive), count);
  } else {
    cursor.count_ = copy_batch(cursor, leaf, 0, from == nullptr ? count : near_side(leaf, count, *from, inclusive));
  }
  cursor.leaf_ = way.node;
  cursor.leaf_version_ = way.version;
  return leaf.unchanged(way.version);
}

// One descent, one leaf.
template <class Policy>
bool Tree<Policy>::try_fill(Cursor& cursor, const Probe* from, bool inclusive) {
  Approach way;
  if (!enter(cursor, way, from, inclusive)) return false;
  while (way.child != nullptr)
    if (!arrive(cursor, way, from, inclusive)) return false;
  return take_batch(cursor, way, from, inclusive);
}

// What remains after a first try: another one, or further leaves while they have nothing.
template <class Policy>
bool Tree<Policy>::settle(Cursor& cursor, bool taken, const Probe* from, bool inclusive) {
  Probe at;
  for (;;) {
    while (!taken) taken = try_fill(cursor, from, inclusive);
    if (cursor.count_ != 0) return finish_batch(cursor);
    if (!cursor.has_fence_ || (cursor.has_stop_ && beyond_stop(cursor, Policy::probe(cursor.stop_), cursor.fence_))) return false;
    at = Policy::probe_stored(cursor.fence_);   // a separator's bytes outlive the turn
    from = &at;
    inclusive = cursor.forward_;
    taken = false;
  }
}

template <class Policy>
bool Tree<Policy>::fill(Cursor& cursor, bool forward, const Probe* from, bool inclusive) {
  begin_fill(cursor, forward);
  return settle(cursor, try_fill(cursor, from, inclusive), from, inclusive);
}

// All of them go down a level before any goes down the next, so that their cache misses pass beside each other.
template <class Policy>
void Tree<Policy>::seek_together(std::span<Cursor* const> cursors, KeyRef bound, bool inclusive, bool forward) {
  constexpr std::size_t kLanes = 16;
  const Probe probe = Policy::probe(bound);
  for (; !cursors.empty(); cursors = cursors.subspan(std::min(kLanes, cursors.size()))) {
    const std::size_t lanes = std::min(kLanes, cursors.size());
    Approach ways[kLanes];
    bool good[kLanes];
    const bool or_equal = forward ? lower_inclusive(*cursors[0], bound, inclusive) : upper_inclusive(*cursors[0], bound, inclusive);
    for (std::size_t i = 0; i < lanes; ++i) {
      begin_fill(*cursors[i], forward);
      ways[i].together = true;
      good[i] = enter(*cursors[i], ways[i], &probe, or_equal);
    }
    for (bool under_way = true; under_way;) {
      under_way = false;
      for (std::size_t i = 0; i < lanes; ++i) {
        if (!good[i] || ways[i].child == nullptr) continue;
        good[i] = arrive(*cursors[i], ways[i], &probe, or_equal);
        under_way = true;
      }
    }
    for (std::size_t i = 0; i < lanes; ++i) {
      const bool taken = good[i] && take_batch(*cursors[i], ways[i], &probe, or_equal);
      settle(*cursors[i], taken, &probe, or_equal);
    }
  }
}

template <class Policy>
bool Tree<Policy>::move(Cursor& cursor, bool forward) {
  if (!cursor.valid()) return false;
  const Probe current = Policy::probe_stored(cursor.words_ + cursor.position_ * kStride);
  cursor.moved_ = forward == cursor.forward_;
  if (!cursor.moved_) return fill(cursor, forward, &current, false);
  cursor.position_ = 0;
  if (cursor.last_batch_) {
    cursor.count_ = 0;
    return false;
  }
  const Node& leaf = *static_cast<const Node*>(cursor.leaf_);
  // The leaf is as it was: it is responsible for the same range, and nothing came or went.
  if (leaf.unchanged(cursor.leaf_version_)) {
    const unsigned count = forward ? copy_batch(cursor, leaf, cursor.leaf_next_, std::max(leaf.size(), cursor.leaf_next_))
                                   : copy_batch(cursor, leaf, 0, cursor.leaf_next_);
    if (leaf.unchanged(cursor.leaf_version_)) {
      cursor.count_ = count;
      if (count != 0) return finish_batch(cursor);
      if (!cursor.has_fence_) return false;
      const Probe fence = Policy::probe_stored(cursor.fence_);
      return fill(cursor, forward, &fence, forward);
    }
  }
  return fill(cursor, forward, &current, false);
}

}  // namespace wandian::index
