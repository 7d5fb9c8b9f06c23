#include "engine/user_type.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace wandian {

namespace {

constexpr std::size_t kPageBits = 10, kPageTypes = std::size_t{1} << kPageBits, kPages = std::size_t{1} << (32 - kPageBits);

using Entry = std::atomic<const TypeInfo*>;
using Page = std::array<Entry, kPageTypes>;

// Zeroed by the loader and touched page by page: what is not used takes no memory.
std::atomic<Page*> pages[kPages];

Page& page_of(Oid oid) {
  std::atomic<Page*>& slot = pages[oid >> kPageBits];
  Page* page = slot.load(std::memory_order_acquire);
  if (page != nullptr) return *page;
  auto made = std::make_unique<Page>();
  // Pairs with the acquire loads here and in find_user_type(); who comes second takes the first one's page.
  if (slot.compare_exchange_strong(page, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *page;
}

bool same(const TypeInfo& a, const TypeInfo& b) {
  return a.length == b.length && a.rep == b.rep && a.order == b.order && a.category == b.category && a.element == b.element &&
         a.array == b.array && a.kind == b.kind && a.base == b.base && a.bounds == b.bounds;
}

bool is_made_from_relation(Oid oid) { return (oid & kRowTypeBit) != 0 && (oid & ~(kRowTypeBit | kRowArrayBit)) >= kFirstUserOid; }

TypeInfo made_from_relation(Oid oid) {
  const Oid relation = relation_of_row_type(oid);
  const Oid row = row_type_of(relation);
  if ((oid & kRowArrayBit) != 0) return {oid, {}, -1, Rep::kBytes, Order::kArray, 'A', false, row, 0};
  return {oid, {}, -1, Rep::kBytes, Order::kRecord, 'C', false, 0, row | kRowArrayBit, 'c', relation};
}

}  // namespace

const TypeInfo* find_user_type(Oid oid) {
  const Page* page = pages[oid >> kPageBits].load(std::memory_order_acquire);
  const TypeInfo* found = page != nullptr ? (*page)[oid & (kPageTypes - 1)].load(std::memory_order_acquire) : nullptr;
  if (found != nullptr || !is_made_from_relation(oid)) return found;
  publish_type(made_from_relation(oid));
  return find_user_type(oid);
}

void publish_type(const TypeInfo& type) {
  Entry& entry = page_of(type.oid)[type.oid & (kPageTypes - 1)];
  const TypeInfo* known = entry.load(std::memory_order_acquire);
  if (known != nullptr && same(*known, type)) return;
  auto copy = std::make_unique<TypeInfo>(type);
  copy->name = {};   // the catalog knows it
  // Another database of this process may have the number, too: who opened last counts, and what readers hold stays good.
  if (!entry.compare_exchange_strong(known, copy.get(), std::memory_order_acq_rel)) return;
  (void)copy.release();
  if (known == nullptr) return;
  static std::mutex mutex;
  static std::vector<std::unique_ptr<const TypeInfo>>* const replaced = new std::vector<std::unique_ptr<const TypeInfo>>;
  const std::lock_guard guard(mutex);
  replaced->emplace_back(known);
}

}  // namespace wandian
