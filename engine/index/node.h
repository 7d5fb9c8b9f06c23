// The B+tree's nodes and the two ways in which they hold keys. Private to engine/index.
// Memory:  every word that a reader may meet while it changes is an atomic. The writer makes a node's version odd, stores
//          the words with release, and makes the version even again. A reader loads an even version with acquire, the
//          words with acquire, and the version again: had it seen a word of a later change, it would also see that
//          change's odd version (Boehm, "Can seqlocks get along with programming language memory models?", 2012).
//          On x86 all of these are plain moves.
// Safety:  what a reader finds below a node's count has been there at that count or later, so it is a pointer that was
//          linked when the reader's turn began or later: following it is safe even before the version is checked.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>

#include "engine/key.h"
#include "storage/base/assert.h"

namespace wandian::index {

using Word = std::atomic<std::uint64_t>;

inline void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

inline std::uint64_t load_big64(const char* at) {
  std::uint64_t v;
  std::memcpy(&v, at, 8);
  return __builtin_bswap64(v);
}

/// Up to 8 bytes as the high bytes of a big-endian word, zeros behind.
inline std::uint64_t load_big(const char* at, std::uint32_t size) {
  if (size >= 8) [[likely]] return load_big64(at);
  std::uint64_t v = 0;
  if (size == 4) {
    std::uint32_t half;
    std::memcpy(&half, at, 4);
    return static_cast<std::uint64_t>(__builtin_bswap32(half)) << 32;
  }
  for (std::uint32_t i = 0; i < size; ++i) v |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (56 - 8 * i);
  return v;
}

/// Keys of one size, as W big-endian words.
template <unsigned W>
struct WordPolicy {
  static constexpr unsigned kStride = W;
  static constexpr unsigned kNodeBytes = W == 1 ? 512 : 1024;
  static constexpr bool kOwnsBytes = false;
  struct Probe {
    std::uint64_t w[W];
  };

  static Probe probe(KeyRef key) {
    Probe out;
    if constexpr (W == 1) {
      out.w[0] = load_big(key.data, key.size);
    } else {
      for (unsigned i = 0; i < W; ++i)
        out.w[i] = key.size > 8 * i ? load_big(key.data + 8 * i, key.size - 8 * i) : 0;
    }
    return out;
  }
  static Probe probe_stored(const std::uint64_t* stored) {
    Probe out;
    for (unsigned i = 0; i < W; ++i) out.w[i] = stored[i];
    return out;
  }
  static bool less(const Word* slot, const Probe& p) { return below<false>(slot, p); }
  static bool less_equal(const Word* slot, const Probe& p) { return below<true>(slot, p); }
  static bool equal(const Word* slot, const Probe& p) {
    std::uint64_t difference = 0;
    for (unsigned i = 0; i < W; ++i) difference |= slot[i].load(std::memory_order_acquire) ^ p.w[i];
    return difference == 0;
  }
  static int compare(const std::uint64_t* stored, const Probe& p) {
    for (unsigned i = 0; i < W; ++i)
      if (stored[i] != p.w[i]) return stored[i] < p.w[i] ? -1 : 1;
    return 0;
  }

 private:
  // Without branches: the outcome of a comparison inside a node is a coin toss. Two words are compared as one number,
  // which is a compare and a subtract with borrow.
  template <bool OrEqual>
  static bool below(const Word* slot, const Probe& p) {
    const std::uint64_t first = slot[0].load(std::memory_order_acquire);
    if constexpr (W == 1) {
      return OrEqual ? first <= p.w[0] : first < p.w[0];
    } else {
      const Wide key = Wide{first} << 64 | slot[1].load(std::memory_order_acquire);
      const Wide bound = Wide{p.w[0]} << 64 | p.w[1];
      if constexpr (W == 2) return OrEqual ? key <= bound : key < bound;
      const std::uint64_t third = slot[W - 1].load(std::memory_order_acquire);
      const bool last = OrEqual ? third <= p.w[W - 1] : third < p.w[W - 1];
      return static_cast<bool>(static_cast<unsigned>(key < bound) | (static_cast<unsigned>(key == bound) & static_cast<unsigned>(last)));
    }
  }
  __extension__ using Wide = unsigned __int128;
};

/// A key's bytes beside the nodes; immutable.
struct KeyRecord {
  std::uint32_t size;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  KeyRef ref() const { return {bytes(), size}; }
  std::size_t footprint() const { return sizeof(KeyRecord) + size; }

  static KeyRecord* make(KeyRef key) {
    auto* record = static_cast<KeyRecord*>(::operator new(sizeof(KeyRecord) + key.size));
    record->size = key.size;
    if (key.size != 0) std::memcpy(record->bytes(), key.data, key.size);
    return record;
  }
  static void free(KeyRecord* record) {
#ifdef WANDIAN_DCHECK
    std::memset(static_cast<void*>(record), 0xef, record->footprint());
#endif
    ::operator delete(record);
  }
};

/// Keys of any size: the first 16 bytes as words, padded with zeros, and a KeyRecord.
struct PrefixPolicy {
  static constexpr unsigned kStride = 3;
  static constexpr unsigned kNodeBytes = 1024;
  static constexpr bool kOwnsBytes = true;
  static constexpr std::uint32_t kPrefixBytes = 16;
  struct Probe {
    std::uint64_t w[2];
    KeyRef key;
  };

  static Probe probe(KeyRef key) {
    return {{key.size != 0 ? load_big(key.data, key.size) : 0, key.size > 8 ? load_big(key.data + 8, key.size - 8) : 0}, key};
  }
  static const KeyRecord* record(const std::uint64_t* stored) { return reinterpret_cast<const KeyRecord*>(stored[2]); }
  static Probe probe_stored(const std::uint64_t* stored) { return {{stored[0], stored[1]}, record(stored)->ref()}; }

  static bool less(const Word* slot, const Probe& p) { return compare_slot(slot, p) < 0; }
  static bool less_equal(const Word* slot, const Probe& p) { return compare_slot(slot, p) <= 0; }
  static bool equal(const Word* slot, const Probe& p) { return compare_slot(slot, p) == 0; }
  static int compare(const std::uint64_t* stored, const Probe& p) {
    if (stored[0] != p.w[0]) return stored[0] < p.w[0] ? -1 : 1;
    if (stored[1] != p.w[1]) return stored[1] < p.w[1] ? -1 : 1;
    return compare_rest(record(stored)->ref(), p.key);
  }

 private:
  static int compare_slot(const Word* slot, const Probe& p) {
    const std::uint64_t a = slot[0].load(std::memory_order_acquire);
    if (a != p.w[0]) return a < p.w[0] ? -1 : 1;
    const std::uint64_t b = slot[1].load(std::memory_order_acquire);
    if (b != p.w[1]) return b < p.w[1] ? -1 : 1;
    return compare_rest(reinterpret_cast<const KeyRecord*>(slot[2].load(std::memory_order_acquire))->ref(), p.key);
  }
  // The prefixes are equal; a torn slot may pair one key's prefix with another's record, which may be shorter.
  static int compare_rest(KeyRef a, KeyRef b) {
    const std::uint32_t common = a.size < b.size ? a.size : b.size;
    if (common > kPrefixBytes) {
      const int order = std::memcmp(a.data + kPrefixBytes, b.data + kPrefixBytes, common - kPrefixBytes);
      if (order != 0) return order;
    }
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
  }
};

/// Leaves: count keys and values. Inner nodes: count separators and count + 1 children; child i holds the keys k with
/// separator[i - 1] <= k < separator[i].
template <class Policy>
struct alignas(64) Node {
  static constexpr unsigned kBytes = Policy::kNodeBytes;   ///< measured: docs/index-structure.md
  static constexpr unsigned kStride = Policy::kStride;
  static constexpr unsigned kHeaderBytes = 24;
  static constexpr unsigned kGroup = 5;   ///< see bound(); capacities are multiples of it
  static constexpr unsigned kCapacity = (kBytes - kHeaderBytes - 8) / (8 * kStride + 8) / kGroup * kGroup;
  static constexpr std::uint64_t kObsolete = ~std::uint64_t{0};
  using Probe = typename Policy::Probe;

  explicit Node(unsigned node_level) : level(static_cast<std::uint16_t>(node_level)) { blank(0, kCapacity); }

  Word version{0};                  ///< odd: being changed; kObsolete: no longer part of the tree
  std::atomic<std::uint32_t> count{0};
  const std::uint16_t level;        ///< 0: leaf
  std::uint16_t append_at = 0;      ///< owner only: behind the last insertion
  std::uint16_t append_run = 0;     ///< owner only: insertions in a row that came right there
  Word keys[kCapacity * kStride];   ///< in the unused slots of WordPolicy all ones, so that bound() need not ask for count
  Word slots[kCapacity + 1] = {};   ///< values, or children

  // --- reading ---

  /// False if the node has left the tree: start again at the root.
  bool stable_version(std::uint64_t& out) const {
    std::uint64_t v = version.load(std::memory_order_acquire);   // pairs with end_change
    for (unsigned spins = 0; (v & 1) != 0; v = version.load(std::memory_order_acquire)) {
      if (v == kObsolete) return false;
      // The writer may have lost its core in the middle of a change.
      if (++spins % 64 == 0) std::this_thread::yield();
      else cpu_relax();
    }
    out = v;
    return true;
  }
  /// After the acquire loads of what was read.
  bool unchanged(std::uint64_t v) const { return version.load(std::memory_order_relaxed) == v; }
  unsigned size() const { return count.load(std::memory_order_acquire); }
  const Word* key(unsigned i) const { return keys + i * kStride; }
  std::uint64_t slot(unsigned i) const { return slots[i].load(std::memory_order_acquire); }
  Node* child(unsigned i) const { return reinterpret_cast<Node*>(slot(i)); }
  void load_key(unsigned i, std::uint64_t* out) const {
    for (unsigned w = 0; w < kStride; ++w) out[w] = key(i)[w].load(std::memory_order_acquire);
  }
  /// Number of keys among the first n that are < probe.
  unsigned lower_bound(unsigned n, const Probe& probe) const { return bound<false>(n, probe); }
  /// Number of keys among the first n that are <= probe.
  unsigned upper_bound(unsigned n, const Probe& probe) const { return bound<true>(n, probe); }
  /// All of it at once: what a search reads first and the value or child that it leads to arrive together.
  void prefetch() const {
    const char* at = reinterpret_cast<const char*>(this);
    for (unsigned offset = 0; offset < sizeof(Node); offset += 64) __builtin_prefetch(at + offset);
  }

  /// Only what a search reads first; prefetch_slot() then asks for what it leads to. For searches whose misses overlap: fewer
  /// lines count more than one wait more.
  void prefetch_keys() const {
    const char* at = reinterpret_cast<const char*>(this);
    for (unsigned offset = 0; offset < kHeaderBytes + sizeof keys; offset += 64) __builtin_prefetch(at + offset);
  }
  void prefetch_slot(unsigned i) const { __builtin_prefetch(&slots[i]); }

  // --- writing: the owner ---

  void begin_change() {
#ifndef WANDIAN_FAULT_index_no_version
    // Relaxed: the release stores of the change itself carry it.
    version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
#endif
  }
  void end_change() {
#ifndef WANDIAN_FAULT_index_no_version
    version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
#endif
  }
  void mark_obsolete() {
#ifndef WANDIAN_FAULT_index_no_version
    version.store(kObsolete, std::memory_order_release);
#endif
  }
  void set_key(unsigned i, const std::uint64_t* words) {
    for (unsigned w = 0; w < kStride; ++w) keys[i * kStride + w].store(words[w], std::memory_order_release);
  }
  void copy_key(unsigned to, const Node& from, unsigned i) {
    for (unsigned w = 0; w < kStride; ++w)
      keys[to * kStride + w].store(from.keys[i * kStride + w].load(std::memory_order_relaxed), std::memory_order_release);
  }
  /// Key slots [begin, end) are no longer used.
  void blank(unsigned begin, unsigned end) {
    if constexpr (!Policy::kOwnsBytes)
      for (unsigned w = begin * kStride; w < end * kStride; ++w) keys[w].store(~std::uint64_t{0}, std::memory_order_release);
  }
  void set_slot(unsigned i, std::uint64_t value) { slots[i].store(value, std::memory_order_release); }
  void copy_slot(unsigned to, const Node& from, unsigned i) { set_slot(to, from.slots[i].load(std::memory_order_relaxed)); }
  void set_size(unsigned n) { count.store(n, std::memory_order_release); }

 private:
  // Keys in the nodes: first every fifth key is counted, then those of one group of five. The number of comparisons is
  // fixed and none depends on another of its step, so nothing is mispredicted, the loads overlap, and few enough
  // instructions are spent on a node that the next look-up begins while this one waits for memory. Keys beside the nodes:
  // by halves, since a comparison may be a cache miss.
  template <bool Upper>
  [[gnu::always_inline]] inline unsigned bound(unsigned n, const Probe& probe) const {
    if constexpr (Policy::kOwnsBytes) {
      unsigned base = 0;
      while (n > 0) {
        const unsigned half = n / 2;
        if (below<Upper>(base + half, probe)) {
          base += half + 1;
          n -= half + 1;
        } else {
          n = half;
        }
      }
      return base;
    } else {
      unsigned groups = 0;
#pragma GCC unroll 16
      for (unsigned at = kGroup - 1; at + 1 < kCapacity; at += kGroup) groups += below<Upper>(at, probe);
      unsigned result = groups * kGroup;
      const unsigned base = result;
#pragma GCC unroll 16
      for (unsigned at = 0; at < kGroup; ++at) result += below<Upper>(base + at, probe);
      return std::min(result, n);   // a probe of all ones is not below what stands in unused slots
    }
  }
  template <bool Upper>
  bool below(unsigned i, const Probe& probe) const {
    return Upper ? Policy::less_equal(key(i), probe) : Policy::less(key(i), probe);
  }
};

}  // namespace wandian::index
