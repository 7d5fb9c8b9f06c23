#include "engine/index/ordered_index.h"

#include <algorithm>

#include "engine/index/tree_write.h"

namespace wandian {

namespace {

OrderedIndex::Kind kind_for(std::uint32_t fixed_bytes) {
  if (fixed_bytes == 0 || fixed_bytes > 24) return OrderedIndex::Kind::kPrefixed;
  return fixed_bytes <= 8 ? OrderedIndex::Kind::kWords1 : fixed_bytes <= 16 ? OrderedIndex::Kind::kWords2 : OrderedIndex::Kind::kWords3;
}

// Calls `f` with the Tree for `kind`.
template <class F>
decltype(auto) with_tree(OrderedIndex::Kind kind, F&& f) {
  switch (kind) {
    case OrderedIndex::Kind::kWords1: return f(index::Tree<index::WordPolicy<1>>());
    case OrderedIndex::Kind::kWords2: return f(index::Tree<index::WordPolicy<2>>());
    case OrderedIndex::Kind::kWords3: return f(index::Tree<index::WordPolicy<3>>());
    case OrderedIndex::Kind::kPrefixed: break;
  }
  return f(index::Tree<index::PrefixPolicy>());
}

}  // namespace

OrderedIndex::OrderedIndex(std::uint32_t fixed_bytes)
    : kind_(kind_for(fixed_bytes)), fixed_bytes_(kind_ == Kind::kPrefixed ? 0 : fixed_bytes) {
  with_tree(kind_, [&](auto tree) { tree.start(*this); });
}

OrderedIndex::~OrderedIndex() {
  with_tree(kind_, [&](auto tree) { tree.free_tree(*this); });
}

void* OrderedIndex::find(KeyRef key) const {
  DB_DCHECK(fixed_bytes_ == 0 || key.size == fixed_bytes_);
  return with_tree(kind_, [&](auto tree) { return tree.find(*this, key); });
}

std::pair<void*, bool> OrderedIndex::insert(KeyRef key, void* (*make)(void* context), void* context) {
  DB_DCHECK(fixed_bytes_ == 0 || key.size == fixed_bytes_);
  return with_tree(kind_, [&](auto tree) { return tree.insert(*this, key, make, context); });
}

void* OrderedIndex::find_own(KeyRef key) {
  DB_DCHECK(fixed_bytes_ == 0 || key.size == fixed_bytes_);
  return with_tree(kind_, [&](auto tree) { return tree.find_own(*this, key); });
}

bool OrderedIndex::may_have(KeyRef lower, KeyRef upper) {
  return with_tree(kind_, [&](auto tree) { return tree.may_have(*this, lower, upper); });
}

bool OrderedIndex::seek_prefix(KeyRef prefix, Cursor& cursor) {
  KeyBuffer end(prefix);
  // Without a successor whatever is not below the prefix begins with it.
  if (KeyCodec::successor(end)) {
    if (!may_have(prefix, end)) return false;
    cursor.stop_at(end, false);
  }
  return cursor.seek(prefix, true);
}

void OrderedIndex::look_ahead(std::span<Look> looks) {
  constexpr std::size_t kLanes = 12;
  index::Descent lanes[kLanes];
  for (std::size_t first = 0; first < looks.size(); first += kLanes) {
    const std::span<Look> group = looks.subspan(first, std::min(kLanes, looks.size() - first));
    std::size_t under_way = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      Look& look = group[i];
      look.found = nullptr;
      look.known = true;
      // Keys beside the nodes would be a miss each.
      if (look.index->kind_ == Kind::kPrefixed) {
        index::Tree<index::PrefixPolicy>::look_alone(look);
        continue;
      }
      with_tree(look.index->kind_, [&](auto tree) { tree.begin_descent(*look.index, look.key, lanes[i]); });
      ++under_way;
    }
    while (under_way != 0) {
      under_way = 0;
      for (std::size_t i = 0; i < group.size(); ++i)
        if (group[i].index->kind_ != Kind::kPrefixed && !lanes[i].arrived)
          under_way += with_tree(group[i].index->kind_, [&](auto tree) { return tree.descend_step(*group[i].index, lanes[i]); }) ? 0u : 1u;
    }
    for (std::size_t i = 0; i < group.size(); ++i)
      if (group[i].index->kind_ != Kind::kPrefixed) with_tree(group[i].index->kind_, [&](auto tree) { tree.look_here(lanes[i], group[i]); });
  }
}

bool OrderedIndex::replace(KeyRef key, void* value) {
  DB_DCHECK(fixed_bytes_ == 0 || key.size == fixed_bytes_);
  return with_tree(kind_, [&](auto tree) { return tree.replace(*this, key, value); });
}

bool OrderedIndex::erase(KeyRef key, Limbo& limbo) {
  DB_DCHECK(fixed_bytes_ == 0 || key.size == fixed_bytes_);
  return with_tree(kind_, [&](auto tree) { return tree.erase(*this, key, limbo); });
}

void OrderedIndex::clear(Limbo& limbo) {
  with_tree(kind_, [&](auto tree) { tree.clear(*this, limbo); });
}

bool OrderedIndex::Cursor::seek(KeyRef lower, bool inclusive) {
  return with_tree(index_.kind_, [&](auto tree) { return tree.seek(*this, lower, inclusive, true); });
}

bool OrderedIndex::Cursor::seek_last(KeyRef upper, bool inclusive) {
  return with_tree(index_.kind_, [&](auto tree) { return tree.seek(*this, upper, inclusive, false); });
}

void OrderedIndex::Cursor::seek_together(std::span<Cursor* const> cursors, KeyRef bound, bool inclusive, bool forward) {
  if (cursors.empty()) return;
  with_tree(cursors[0]->index_.kind_, [&](auto tree) { tree.seek_together(cursors, bound, inclusive, forward); });
}

bool OrderedIndex::Cursor::seek_first() {
  return with_tree(index_.kind_, [&](auto tree) { return tree.fill(*this, true, nullptr, true); });
}

bool OrderedIndex::Cursor::seek_last() {
  return with_tree(index_.kind_, [&](auto tree) { return tree.fill(*this, false, nullptr, true); });
}

bool OrderedIndex::Cursor::move(bool forward) {
  return with_tree(index_.kind_, [&](auto tree) { return tree.move(*this, forward); });
}

KeyRef OrderedIndex::Cursor::key() const {
  if (index_.kind_ == Kind::kPrefixed) return index::PrefixPolicy::record(words_ + position_ * index::PrefixPolicy::kStride)->ref();
  const unsigned words = index_.kind_ == Kind::kWords1 ? 1 : index_.kind_ == Kind::kWords2 ? 2 : 3;
  for (unsigned i = 0; i < words; ++i) {
    const std::uint64_t big = __builtin_bswap64(words_[position_ * words + i]);
    std::memcpy(key_bytes_ + 8 * i, &big, 8);
  }
  return {key_bytes_, index_.fixed_bytes_};
}

}  // namespace wandian
