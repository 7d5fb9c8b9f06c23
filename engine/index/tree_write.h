// The writing half of Tree (engine/index/tree.h). Private to engine/index.
#pragma once

#include <memory>

#include "engine/index/tree.h"

namespace wandian::index {

template <class Policy>
typename Tree<Policy>::Node* Tree<Policy>::locate(OrderedIndex& index, const Probe& probe) {
  OrderedIndex::Finger& finger = index.finger_;
  if (finger.leaf != nullptr && (!finger.has_low || Policy::compare(finger.low, probe) <= 0) &&
      (!finger.has_high || Policy::compare(finger.high, probe) > 0))
    return static_cast<Node*>(finger.leaf);
  Descent descent{root(index)};
  for (;;) {
    Node* node = static_cast<Node*>(descent.node);
    if (node->level == 0) break;
    search_inner(descent, probe);
    node = node->child(descent.at);
    node->prefetch();
    descent.node = node;
  }
  point_at(index, descent);
  return static_cast<Node*>(descent.node);
}

// Which child of the inner node is responsible, and the separators around it.
template <class Policy>
void Tree<Policy>::search_inner(Descent& descent, const Probe& probe) {
  const Node* node = static_cast<const Node*>(descent.node);
  const unsigned count = node->size();
  descent.at = node->upper_bound(count, probe);
  if (descent.at > 0) {
    descent.low = node;
    descent.low_at = descent.at - 1;
  }
  if (descent.at < count) {
    descent.high = node;
    descent.high_at = descent.at;
  }
}

// The finger on the leaf that the descent reached.
template <class Policy>
void Tree<Policy>::point_at(OrderedIndex& index, const Descent& descent) {
  OrderedIndex::Finger& finger = index.finger_;
  finger.leaf = descent.node;
  finger.has_low = descent.low != nullptr;
  if (descent.low != nullptr) static_cast<const Node*>(descent.low)->load_key(descent.low_at, finger.low);
  finger.has_high = descent.high != nullptr;
  if (descent.high != nullptr) static_cast<const Node*>(descent.high)->load_key(descent.high_at, finger.high);
}

template <class Policy>
void Tree<Policy>::begin_descent(OrderedIndex& index, KeyRef key, Descent& descent) {
  descent = Descent{root(index)};
  const Probe probe = Policy::probe(key);
  std::copy(std::begin(probe.w), std::end(probe.w), descent.probe);
}

template <class Policy>
bool Tree<Policy>::descend_step(OrderedIndex& index, Descent& descent) {
  Node* node = static_cast<Node*>(descent.node);
  if (!descent.searched) {
    const Probe probe = Policy::probe_stored(descent.probe);
    if (node->level == 0) {
      point_at(index, descent);
      descent.at = node->lower_bound(node->size(), probe);
      node->prefetch_slot(descent.at == 0 ? 0 : descent.at - 1);
      return descent.arrived = true;
    }
    search_inner(descent, probe);
    if (node->level == 1) {   // those above are few: they are in the cache
      node->prefetch_slot(descent.at);
      descent.searched = true;
      return false;
    }
  }
  descent.searched = false;
  node = node->child(descent.at);
  node->prefetch_keys();
  descent.node = node;
  return false;
}

template <class Policy>
void Tree<Policy>::look_here(const Descent& descent, OrderedIndex::Look& look) {
  answer(*static_cast<const Node*>(descent.node), descent.at, descent.low == nullptr, Policy::probe_stored(descent.probe), look);
}

template <class Policy>
void Tree<Policy>::look_alone(OrderedIndex::Look& look) {
  const Probe probe = Policy::probe(look.key);
  const Node* leaf = locate(*look.index, probe);
  answer(*leaf, leaf->lower_bound(leaf->size(), probe), !look.index->finger_.has_low, probe, look);
}

// What a look wants to know of the leaf, whose keys below the probe are `at`.
template <class Policy>
void Tree<Policy>::answer(const Node& leaf, unsigned at, bool first_leaf, const Probe& probe, OrderedIndex::Look& look) {
  if (look.want == OrderedIndex::Want::kPlace) return;
  if (look.want == OrderedIndex::Want::kExact) {
    if (at == leaf.size() || !Policy::equal(leaf.key(at), probe)) return;
  } else {
    // Bounds are prefixes padded with zeros: a key is at or above one exactly if its words are, or its bytes.
    if (at == 0) look.known = first_leaf;
    if (at == 0 || Policy::less(leaf.key(at - 1), Policy::probe(look.lower))) return;
    --at;
  }
  look.found = reinterpret_cast<void*>(leaf.slot(at));
  __builtin_prefetch(look.found);
}

template <class Policy>
void Tree<Policy>::insert_at(Node& leaf, unsigned at, const std::uint64_t* stored, void* value) {
  const unsigned count = leaf.size();
  leaf.begin_change();
  for (unsigned i = count; i > at; --i) {
    leaf.copy_key(i, leaf, i - 1);
    leaf.copy_slot(i, leaf, i - 1);
  }
  leaf.set_key(at, stored);
  leaf.set_slot(at, reinterpret_cast<std::uint64_t>(value));
  leaf.set_size(count + 1);
  leaf.end_change();
  leaf.append_run = at == leaf.append_at && at != 0 ? static_cast<std::uint16_t>(std::min(leaf.append_run + 1, 1000)) : std::uint16_t{0};
  leaf.append_at = static_cast<std::uint16_t>(at + 1);
}

template <class Policy>
std::pair<void*, bool> Tree<Policy>::insert(OrderedIndex& index, KeyRef key, void* (*make)(void*), void* context) {
  const Probe probe = Policy::probe(key);
  Node* leaf = locate(index, probe);
  unsigned count = leaf->size();
  unsigned at = leaf->lower_bound(count, probe);
  if (at < count && Policy::equal(leaf->key(at), probe)) return {reinterpret_cast<void*>(leaf->slot(at)), false};
  if (count == Node::kCapacity) {
    make_room(index, probe, at);
    leaf = locate(index, probe);
    at = leaf->lower_bound(leaf->size(), probe);
  }
  void* value = make(context);
  DB_DCHECK(value != nullptr);
  std::uint64_t stored[kStride];
  store_key(index, probe, stored);
  insert_at(*leaf, at, stored, value);
  set_size(index, index.size() + 1);
  return {value, true};
}

template <class Policy>
void* Tree<Policy>::find_own(OrderedIndex& index, KeyRef key) {
  const Probe probe = Policy::probe(key);
  const Node* leaf = locate(index, probe);
  const unsigned count = leaf->size();
  const unsigned at = leaf->lower_bound(count, probe);
  return at < count && Policy::equal(leaf->key(at), probe) ? reinterpret_cast<void*>(leaf->slot(at)) : nullptr;
}

// Bounds are prefixes padded with zeros: a key is at or above a bound exactly if its words are (WordPolicy), or its bytes.
template <class Policy>
bool Tree<Policy>::may_have(OrderedIndex& index, KeyRef lower, KeyRef upper) {
  const Probe from = Policy::probe(lower), to = Policy::probe(upper);
  const Node* leaf = locate(index, from);
  const unsigned count = leaf->size();
  const unsigned at = leaf->lower_bound(count, from);
  if (at < count) return Policy::less(leaf->key(at), to);
  return index.finger_.has_high && Policy::compare(index.finger_.high, to) < 0;
}

template <class Policy>
bool Tree<Policy>::replace(OrderedIndex& index, KeyRef key, void* value) {
  DB_DCHECK(value != nullptr);
  const Probe probe = Policy::probe(key);
  Node* leaf = locate(index, probe);
  const unsigned count = leaf->size();
  const unsigned at = leaf->lower_bound(count, probe);
  if (at == count || !Policy::equal(leaf->key(at), probe)) return false;
  leaf->set_slot(at, reinterpret_cast<std::uint64_t>(value));   // one word: no version needed
  return true;
}

template <class Policy>
void Tree<Policy>::descend(OrderedIndex& index, const Probe& probe, Path& path) {
  Node* node = root(index);
  path.depth = 0;
  for (;;) {
    DB_ASSERT(path.depth < kMaxLevels - 1);   // one is left for a new root
    path.node[path.depth] = node;
    path.index[path.depth] = 0;
    ++path.depth;
    if (node->level == 0) return;
    path.index[path.depth - 1] = node->upper_bound(node->size(), probe);
    node = node->child(path.index[path.depth - 1]);
  }
}

// Splits the leaf that `probe` belongs to, at `at` where it will be inserted, and the full nodes above it, the topmost
// first, so that each split finds room in its parent.
template <class Policy>
void Tree<Policy>::make_room(OrderedIndex& index, const Probe& probe, unsigned at) {
  Path path;
  descend(index, probe, path);
  index.finger_.leaf = nullptr;
  unsigned top = path.depth - 1;
  while (top > 0 && path.node[top - 1]->size() == Node::kCapacity) --top;
  if (top == 0) {
    Node* old_root = path.node[0];
    Node* new_root = make_node(index, old_root->level + 1u);
    new_root->set_slot(0, reinterpret_cast<std::uint64_t>(old_root));
    set_root(index, new_root);
    for (unsigned i = path.depth; i > 0; --i) {
      path.node[i] = path.node[i - 1];
      path.index[i] = path.index[i - 1];
    }
    path.node[0] = new_root;
    path.index[0] = 0;
    ++path.depth;
    top = 1;
  }
  for (unsigned i = top; i < path.depth; ++i) {
    Node& parent = *path.node[i - 1];
    const unsigned which = parent.upper_bound(parent.size(), probe);
    const bool right = split_child(index, parent, which, probe, at);
    path.node[i] = parent.child(which + (right ? 1 : 0));
  }
}

// The key that parts two halves: any with below < key <= above. For keys beside the nodes the shortest prefix of `above`.
template <class Policy>
void Tree<Policy>::separate(OrderedIndex& index, const Probe& below, const Probe& above, std::uint64_t* stored) {
  if constexpr (Policy::kOwnsBytes) {
    std::uint32_t common = 0;
    while (common < below.key.size && below.key.data[common] == above.key.data[common]) ++common;
    store_key(index, Policy::probe({above.key.data, common + 1}), stored);
  } else {
    static_cast<void>(below);
    store_key(index, above, stored);
  }
}

// True if `probe` belongs to the new, right half. The parent has room.
template <class Policy>
bool Tree<Policy>::split_child(OrderedIndex& index, Node& parent, unsigned which, const Probe& probe, unsigned at) {
  Node& left = *parent.child(which);
  const unsigned count = left.size();
  const bool is_leaf = left.level == 0;
  std::uint64_t words[2][kStride];
  std::uint64_t separator[kStride];
  const auto key_at = [&](unsigned i, unsigned scratch) {
    left.load_key(i, words[scratch]);
    return Policy::probe_stored(words[scratch]);
  };
  std::unique_ptr<Node> guard(new Node(left.level));
  Node& right = *guard;

  unsigned kept = count / 2;     // entries that stay in the left half
  unsigned moved_from = kept;    // first entry of the right half; an inner node's middle separator moves up
  if (is_leaf) {
    // Where keys come in ascending order, halves would stay half full: part right behind the newest key instead.
    const bool appending = at == left.append_at && left.append_run >= kAppendRun;
    if (appending) kept = moved_from = at;
    if (kept == count) separate(index, key_at(count - 1, 0), probe, separator);
    else separate(index, appending ? probe : key_at(kept - 1, 0), key_at(kept, 1), separator);
  } else {
    if (left.upper_bound(count, probe) == count) kept = count - 2;
    moved_from = kept + 1;
    left.load_key(kept, separator);
  }
  account(index, sizeof(Node));
  guard.release();

  for (unsigned i = moved_from; i < count; ++i) {
    right.copy_key(i - moved_from, left, i);
    right.copy_slot(i - moved_from, left, i);
  }
  if (!is_leaf) right.copy_slot(count - moved_from, left, count);
  right.set_size(count - moved_from);

  const unsigned parent_count = parent.size();
  parent.begin_change();
  left.begin_change();
  left.set_size(kept);
  left.blank(kept, count);
  for (unsigned i = parent_count; i > which; --i) {
    parent.copy_key(i, parent, i - 1);
    parent.copy_slot(i + 1, parent, i);
  }
  parent.set_key(which, separator);
  parent.set_slot(which + 1, reinterpret_cast<std::uint64_t>(&right));
  parent.set_size(parent_count + 1);
  left.end_change();
  parent.end_change();
  if (is_leaf && at != kept) left.append_run = 0;
  return Policy::compare(separator, probe) <= 0;
}

template <class Policy>
bool Tree<Policy>::erase(OrderedIndex& index, KeyRef key, Limbo& limbo) {
  const Probe probe = Policy::probe(key);
  Node* leaf = locate(index, probe);
  const unsigned count = leaf->size();
  const unsigned at = leaf->lower_bound(count, probe);
  if (at == count || !Policy::equal(leaf->key(at), probe)) return false;
  std::uint64_t stored[kStride];
  leaf->load_key(at, stored);
  leaf->begin_change();
  for (unsigned i = at; i + 1 < count; ++i) {
    leaf->copy_key(i, *leaf, i + 1);
    leaf->copy_slot(i, *leaf, i + 1);
  }
  leaf->set_size(count - 1);
  leaf->blank(count - 1, count);
  leaf->end_change();
  leaf->append_run = 0;
  set_size(index, index.size() - 1);
  if (count - 1 < kSparse) rebalance(index, probe, limbo);
  retire_key(index, stored, limbo);
  return true;
}

// From the leaf upwards: a sparse node is merged with a neighbour under the same parent if both fit with room to spare.
template <class Policy>
void Tree<Policy>::rebalance(OrderedIndex& index, const Probe& probe, Limbo& limbo) {
  Path path;
  descend(index, probe, path);
  for (unsigned i = path.depth - 1; i > 0; --i) {
    if (path.node[i]->size() >= kSparse) break;
    Node& parent = *path.node[i - 1];
    const unsigned which = path.index[i - 1];
    if (!(which > 0 && merge_children(index, parent, which - 1, limbo)) &&
        !(which < parent.size() && merge_children(index, parent, which, limbo)))
      break;
    index.finger_.leaf = nullptr;
  }
  for (Node* top = root(index); top->level != 0 && top->size() == 0; top = root(index)) {
    set_root(index, top->child(0));
    retire_node(index, top, limbo);
  }
}

template <class Policy>
bool Tree<Policy>::merge_children(OrderedIndex& index, Node& parent, unsigned left_index, Limbo& limbo) {
  Node& left = *parent.child(left_index);
  Node& right = *parent.child(left_index + 1);
  const bool is_leaf = left.level == 0;
  const unsigned left_count = left.size();
  const unsigned right_count = right.size();
  const unsigned total = left_count + right_count + (is_leaf ? 0 : 1);
  // A node that holds nothing goes if there is any place for what it leaves.
  const unsigned most = left_count == 0 || right_count == 0 ? Node::kCapacity : kMergedMax;
  if (total > most) return false;

  std::uint64_t separator[kStride];
  parent.load_key(left_index, separator);
  const unsigned parent_count = parent.size();
  parent.begin_change();
  left.begin_change();
  unsigned end = left_count;
  if (!is_leaf) left.set_key(end++, separator);
  for (unsigned i = 0; i < right_count; ++i) {
    left.copy_key(end + i, right, i);
    left.copy_slot(end + i, right, i);
  }
  if (!is_leaf) left.copy_slot(end + right_count, right, right_count);
  left.set_size(total);
  for (unsigned i = left_index; i + 1 < parent_count; ++i) {
    parent.copy_key(i, parent, i + 1);
    parent.copy_slot(i + 1, parent, i + 2);
  }
  parent.set_size(parent_count - 1);
  parent.blank(parent_count - 1, parent_count);
  right.mark_obsolete();
  left.end_change();
  parent.end_change();
  left.append_run = 0;
  if (is_leaf) retire_key(index, separator, limbo);
  retire_node(index, &right, limbo);
  return true;
}

template <class Policy>
void Tree<Policy>::free_subtree(Node* node) {
  const unsigned count = node->size();
  for (unsigned i = 0; i < count; ++i) {
    if constexpr (Policy::kOwnsBytes) KeyRecord::free(reinterpret_cast<KeyRecord*>(node->key(i)[2].load(std::memory_order_relaxed)));
  }
  if (node->level != 0)
    for (unsigned i = 0; i <= count; ++i) free_subtree(node->child(i));
  free_node(node, nullptr);
}

template <class Policy>
void Tree<Policy>::clear(OrderedIndex& index, Limbo& limbo) {
  Node* old_root = root(index);
  Node* fresh = new Node(0);
  index.finger_.leaf = nullptr;
  set_root(index, fresh);
  index.bytes_.store(sizeof(Node), std::memory_order_relaxed);
  set_size(index, 0);
  limbo.retire(old_root, &Tree::free_subtree_later);
}

}  // namespace wandian::index
