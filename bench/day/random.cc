#include "bench/day/random.h"

#include <limits>
#include <numeric>

namespace wandian::bench {

WeightedChoice::WeightedChoice(const std::vector<double>& weights) {
  const std::size_t n = weights.size();
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  constexpr auto kAll = std::numeric_limits<std::uint32_t>::max();
  entries_.resize(n);
  std::vector<double> share(n);
  std::vector<std::uint32_t> small, large;
  for (std::size_t i = 0; i < n; ++i) {
    share[i] = weights[i] * static_cast<double>(n) / sum;
    (share[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t low = small.back(), high = large.back();
    small.pop_back();
    entries_[low] = {static_cast<std::uint32_t>(share[low] * kAll), high};
    share[high] -= 1 - share[low];
    if (share[high] < 1) {
      large.pop_back();
      small.push_back(high);
    }
  }
  // What is left differs from a full share by rounding alone.
  for (const auto* rest : {&small, &large})
    for (const std::uint32_t i : *rest) entries_[i] = {kAll, i};
}

}  // namespace wandian::bench
