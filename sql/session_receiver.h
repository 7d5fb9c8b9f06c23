// Receivers that stand between an execution and where its rows go.
#pragma once

#include "sql/exec/receiver.h"

namespace wandian::sql {

/// Counts rows, and holds the rest back while the session sleeps (pg_sleep asked for it in the row before).
class CountingReceiver final : public RowReceiver {
 public:
  CountingReceiver(RowReceiver& target, const double& sleep_seconds) : target_(target), sleep_seconds_(sleep_seconds) {}
  Status row(std::span<const Value> values) override {
    ++rows_;
    return target_.row(values);
  }
  bool congested() override { return sleep_seconds_ > 0 || target_.congested(); }
  std::uint64_t rows() const { return rows_; }

 private:
  RowReceiver& target_;
  const double& sleep_seconds_;
  std::uint64_t rows_ = 0;
};

}  // namespace wandian::sql
