// Receivers that stand between an execution and where its rows go.
#pragma once

#include "sql/exec/receiver.h"

namespace wandian::sql {

/// Counts rows, and holds the rest back while what the row before has called makes the session wait (pg_sleep, a sequence).
class CountingReceiver final : public RowReceiver {
 public:
  CountingReceiver(RowReceiver& target, const bool& hold_rows) : target_(target), hold_rows_(hold_rows) {}
  Status row(std::span<const Value> values) override {
    ++rows_;
    return target_.row(values);
  }
  bool congested() override { return hold_rows_ || target_.congested(); }
  std::uint64_t rows() const { return rows_; }

 private:
  RowReceiver& target_;
  const bool& hold_rows_;
  std::uint64_t rows_ = 0;
};

}  // namespace wandian::sql
