#include "sql/types/record_shape.h"

#include <deque>
#include <map>
#include <mutex>
#include <vector>

namespace wandian::sql {

namespace {

constexpr std::uint32_t kMostShapes = 100000;

struct Shapes {
  std::mutex mutex;
  std::deque<std::vector<std::string>> by_number;   // stable addresses
  std::map<std::vector<std::string>, std::uint32_t> numbers;
};
Shapes& shapes() {
  static Shapes& all = *new Shapes;   // values that name a shape may outlive everything
  return all;
}

}  // namespace

std::uint32_t record_shape(std::span<const std::string_view> names) {
  std::vector<std::string> key(names.begin(), names.end());
  Shapes& all = shapes();
  const std::lock_guard guard(all.mutex);
  if (const auto found = all.numbers.find(key); found != all.numbers.end()) return found->second;
  if (all.by_number.size() >= kMostShapes) return 0;
  all.by_number.push_back(key);
  const auto number = static_cast<std::uint32_t>(all.by_number.size());
  all.numbers.emplace(std::move(key), number);
  return number;
}

std::span<const std::string> shape_names(std::uint32_t shape) {
  if (shape == 0) return {};
  Shapes& all = shapes();
  const std::lock_guard guard(all.mutex);
  if (shape > all.by_number.size()) return {};
  return all.by_number[shape - 1];
}

}  // namespace wandian::sql
