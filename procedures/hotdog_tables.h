// The chain's tables as its procedures see them.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/procedure.h"

namespace wandian::procedures {

enum class OrderStatus : std::int16_t { kPlaced = 0, kPaid = 1, kCancelled = 2 };

struct HotdogTables {
  ProcedureTable stores, menu, stock, orders, order_lines, payments;
  ProcedureColumn<std::int64_t> menu_price;
  ProcedureColumn<std::int32_t> stock_quantity, stock_sku;
  ProcedureColumn<std::int64_t> stock_taken, stock_restocked;
  ProcedureColumn<std::int64_t> order_id, order_customer, order_total;
  ProcedureColumn<std::int16_t> order_status;
  ProcedureColumn<std::int32_t> line_sku, line_quantity;
  ProcedureColumn<std::int64_t> payment_order, payment_amount;
  ProcedureColumn<std::int64_t> payment_refunded;
  unsigned orders_by_request = 0, payments_by_reference = 0;

  static std::shared_ptr<const void> bind(ProcedureBinder& binder);
};

}  // namespace wandian::procedures
