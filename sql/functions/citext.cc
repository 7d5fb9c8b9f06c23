#include "sql/functions/citext.h"

#include "engine/text_order.h"
#include "engine/type.h"
#include "sql/catalog/stored_objects.h"
#include "sql/functions/bindings.h"
#include "sql/types/letter_case.h"

namespace wandian::sql {

namespace {

// Whoever compares folds both: values keep their letters as they were written.
class FoldedOrder final : public TextOrder {
 public:
  FoldedOrder() : TextOrder(false) {}
  int compare(std::string_view a, std::string_view b) const override {
    Arena arena;
    return to_lower(a, arena).compare(to_lower(b, arena));
  }
  void append_key(std::string_view text, std::string& out) const override {
    Arena arena;
    out += to_lower(text, arena);
  }
};

int compared(const Value* args) { return compare_values(kFoldedOrder, args[0], args[1]); }

bool eq(EvalContext&, const Value* args, Value* result) { return return_bool(result, compared(args) == 0); }
bool ne(EvalContext&, const Value* args, Value* result) { return return_bool(result, compared(args) != 0); }
bool lt(EvalContext&, const Value* args, Value* result) { return return_bool(result, compared(args) < 0); }
bool le(EvalContext&, const Value* args, Value* result) { return return_bool(result, compared(args) <= 0); }
bool gt(EvalContext&, const Value* args, Value* result) { return return_bool(result, compared(args) > 0); }
bool ge(EvalContext&, const Value* args, Value* result) { return return_bool(result, compared(args) >= 0); }
bool cmp(EvalContext&, const Value* args, Value* result) {
  const int c = compared(args);
  return return_int(result, c < 0 ? -1 : c > 0 ? 1 : 0);
}
bool smaller(EvalContext&, const Value* args, Value* result) {
  *result = compared(args) < 0 ? args[0] : args[1];
  return true;
}
bool larger(EvalContext&, const Value* args, Value* result) {
  *result = compared(args) > 0 ? args[0] : args[1];
  return true;
}
bool hash(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int32_t>(hash_value(kFoldedOrder, args[0])));
}
bool hash_extended(EvalContext&, const Value* args, Value* result) {
  const std::uint64_t seeded = hash_value(kFoldedOrder, args[0]) + static_cast<std::uint64_t>(args[1].i) * 0x9e3779b97f4a7c15u;
  return return_int(result, static_cast<std::int64_t>(seeded));
}

constexpr FunctionBinding kBindings[] = {
    {"citext_eq", eq}, {"citext_ne", ne}, {"citext_lt", lt}, {"citext_le", le}, {"citext_gt", gt}, {"citext_ge", ge},
    {"citext_cmp", cmp}, {"citext_hash", hash}, {"citext_hash_extended", hash_extended}, {"citext_smaller", smaller}, {"citext_larger", larger},
    {"citext_pattern_lt", lt}, {"citext_pattern_le", le}, {"citext_pattern_gt", gt}, {"citext_pattern_ge", ge}, {"citext_pattern_cmp", cmp},
};

}  // namespace

std::span<const FunctionBinding> citext_bindings() { return kBindings; }

void publish_citext() {
  publish_folded_order(std::make_unique<FoldedOrder>());
  publish_type({type_oid::kCitext, {}, -1, Rep::kBytes, kFoldedOrder, 'S', false, 0, type_oid::kCitextArray});
  publish_type({type_oid::kCitextArray, {}, -1, Rep::kBytes, Order::kArray, 'A', false, type_oid::kCitext, 0});
}

std::optional<Oid> citext_schema(const Catalog& catalog, Oid database) {
  const auto object = catalog.find_object(ObjectKind::kExtension, database, kCitextName);
  const auto extension = object != nullptr ? ExtensionObject::decode(object->definition) : std::nullopt;
  if (!extension) return std::nullopt;
  return extension->schema;
}

}  // namespace wandian::sql
