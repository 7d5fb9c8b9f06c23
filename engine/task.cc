#include "engine/task.h"

#include <array>
#include <cstdlib>

namespace wandian {

namespace {

constexpr std::size_t kClassBytes = 128;
constexpr std::size_t kClasses = 16;
constexpr std::size_t kKeptPerClass = 256;

struct FreeFrame {
  FreeFrame* next;
};

struct FramePool {
  struct List {
    FreeFrame* head = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kClasses> lists;
  ~FramePool() {
    for (List& list : lists)
      while (list.head != nullptr) std::free(std::exchange(list.head, list.head->next));
  }
};

thread_local FramePool frame_pool;

}  // namespace

void* allocate_frame(std::size_t bytes) {
  const std::size_t index = (bytes - 1) / kClassBytes;
  if (index < kClasses) {
    FramePool::List& list = frame_pool.lists[index];
    if (list.head != nullptr) {
      FreeFrame* frame = list.head;
      list.head = frame->next;
      --list.count;
      return frame;
    }
    bytes = (index + 1) * kClassBytes;
  }
  void* frame = std::malloc(bytes);
  if (frame == nullptr) throw std::bad_alloc();
  return frame;
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  const std::size_t index = (bytes - 1) / kClassBytes;
  if (index < kClasses) {
    FramePool::List& list = frame_pool.lists[index];
    if (list.count < kKeptPerClass) {
      auto* freed = static_cast<FreeFrame*>(frame);
      freed->next = list.head;
      list.head = freed;
      ++list.count;
      return;
    }
  }
  std::free(frame);
}

}  // namespace wandian
