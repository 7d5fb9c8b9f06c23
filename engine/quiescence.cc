#include "engine/quiescence.h"

#include <utility>

namespace wandian {

void Limbo::collect() {
  if (!open_.empty() && batches_.size() < 8) {
    Batch batch;
    if (!spare_.empty()) {
      batch = std::move(spare_.back());
      spare_.pop_back();
    }
    batch.items.swap(open_);
    domain_.take(batch.ticket);
    waiting_ += batch.items.size();
    batches_.push_back(std::move(batch));
  }
  while (!batches_.empty()) {
    Batch& batch = batches_.front();
#ifndef WANDIAN_FAULT_no_grace_period
    if (!domain_.passed(batch.ticket, self_)) break;
#endif
    for (const Item& item : batch.items) item.free_fn(item.object, item.context);
    waiting_ -= batch.items.size();
    batch.items.clear();
    spare_.push_back(std::move(batch));
    batches_.pop_front();
  }
}

void Limbo::free_everything() {
  for (Batch& batch : batches_)
    for (const Item& item : batch.items) item.free_fn(item.object, item.context);
  batches_.clear();
  waiting_ = 0;
  for (const Item& item : open_) item.free_fn(item.object, item.context);
  open_.clear();
}

}  // namespace wandian
