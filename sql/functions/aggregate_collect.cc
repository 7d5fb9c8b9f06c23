// Aggregates that collect values: string_agg, array_agg, json_agg and their kin.
#include <cstring>

#include "sql/functions/bindings.h"
#include "sql/functions/json_text.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// Text that grows in the group's arena; the state itself may be moved.
struct Text {
  char* data;
  std::size_t size;
  std::size_t capacity;
  bool any;

  void append(Arena& arena, std::string_view text) {
    if (capacity - size < text.size()) {
      const std::size_t wanted = std::max({capacity * 2, size + text.size(), std::size_t{64}});
      if (wanted > 2 * TextBuilder::kMaxBytes) throw std::bad_alloc();
      char* moved = arena.allocate_bytes(wanted);
      if (size > 0) std::memcpy(moved, data, size);
      data = moved;
      capacity = wanted;
    }
    if (!text.empty()) std::memcpy(data + size, text.data(), text.size());
    size += text.size();
  }
};

bool string_step(EvalContext&, Arena& arena, void* state, const Oid*, const Value* args) {
  if (args[0].is_null) return true;
  Text& s = *static_cast<Text*>(state);
  if (s.any && !args[1].is_null) s.append(arena, args[1].bytes());
  s.any = true;
  s.append(arena, args[0].bytes());
  return true;
}
bool string_finish(EvalContext&, const void* state, const Oid*, Value* result) {
  const Text& s = *static_cast<const Text*>(state);
  *result = s.any ? Value::of_bytes(s.data, s.size) : Value::null();
  return true;
}

struct Values {
  Value* data;
  std::size_t size;
  std::size_t capacity;

  void push(Arena& arena, const Value& value, bool by_reference) {
    if (size == capacity) {
      const std::size_t wanted = std::max<std::size_t>(capacity * 2, 8);
      Value* moved = arena.allocate_array<Value>(wanted);
      if (size > 0) std::memcpy(static_cast<void*>(moved), data, size * sizeof(Value));
      data = moved;
      capacity = wanted;
    }
    Value& slot = data[size++];
    slot = value;
    if (by_reference && !value.is_null) slot = Value::of_bytes(arena.copy(value.bytes()));
  }
};

bool array_step(EvalContext&, Arena& arena, void* state, const Oid* types, const Value* args) {
  const TypeInfo* type = find_type(types[0]);
  const bool by_reference = type == nullptr || type->rep == Rep::kBytes || type->rep == Rep::kFixed16;
  static_cast<Values*>(state)->push(arena, args[0], by_reference);
  return true;
}
bool array_finish(EvalContext& ctx, const void* state, const Oid* types, Value* result) {
  const Values& s = *static_cast<const Values*>(state);
  if (s.size == 0) return return_null(result);
  *result = build_array(types[0], std::span<const Value>(s.data, s.size), ctx.arena);
  return true;
}

// array_agg over arrays: one dimension more.
bool nested_step(EvalContext& ctx, Arena& arena, void* state, const Oid*, const Value* args) {
  if (args[0].is_null) return ctx.fail({sqlstate::null_value_not_allowed, "cannot accumulate null arrays"});
  if (ArrayView(args[0]).dimensions() == 0)
    return ctx.fail({sqlstate::array_subscript_error, "cannot accumulate empty arrays"});
  static_cast<Values*>(state)->push(arena, args[0], true);
  return true;
}
bool nested_finish(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const Values& s = *static_cast<const Values*>(state);
  if (s.size == 0) return return_null(result);
  const ArrayView first(s.data[0]);
  std::vector<ArrayDimension> dimensions{{static_cast<std::int32_t>(s.size), 1}};
  for (int d = 0; d < first.dimensions(); ++d) dimensions.push_back({first.length(d), first.lower_bound(d)});
  if (dimensions.size() > kMaxArrayDimensions)
    return ctx.fail({sqlstate::program_limit_exceeded, "number of array dimensions (7) exceeds the maximum allowed (6)"});
  std::vector<Value> elements;
  for (std::size_t i = 0; i < s.size; ++i) {
    const ArrayView array(s.data[i]);
    bool same = array.dimensions() == first.dimensions();
    for (int d = 0; same && d < first.dimensions(); ++d) same = array.length(d) == first.length(d);
    if (!same)
      return ctx.fail({sqlstate::array_subscript_error, "cannot accumulate arrays of different dimensionality"});
    for (std::uint32_t k = 0; k < array.count(); ++k) elements.push_back(array.element(k));
  }
  *result = build_array(first.element_type(), dimensions, elements, ctx.arena);
  return true;
}

bool json_step(EvalContext& ctx, Arena& arena, void* state, const Oid* types, const Value* args) {
  Text& s = *static_cast<Text*>(state);
  TextBuilder one(ctx.arena);
  if (!append_json(ctx, types[0], args[0], one)) return false;
  const bool structured = element_of(types[0]) != 0 || types[0] == kRecord || type_kind(types[0]) == 'c';
  s.append(arena, !s.any ? "[" : structured && !args[0].is_null ? ", \n " : ", ");
  s.any = true;
  s.append(arena, one.view());
  return true;
}
bool json_object_step(EvalContext& ctx, Arena& arena, void* state, const Oid* types, const Value* args) {
  Text& s = *static_cast<Text*>(state);
  TextBuilder one(ctx.arena);
  if (!append_json_key(ctx, types[0], args[0], one)) return false;
  one.append(" : ");
  if (!append_json(ctx, types[1], args[1], one)) return false;
  s.append(arena, s.any ? ", " : "{ ");
  s.any = true;
  s.append(arena, one.view());
  return true;
}
template <bool object, bool jsonb>
bool json_finish(EvalContext& ctx, const void* state, const Oid*, Value* result) {
  const Text& s = *static_cast<const Text*>(state);
  if (!s.any) return return_null(result);
  TextBuilder out(ctx.arena, s.size + 2);
  out.append(s.data, s.size);
  out.append(object ? " }" : "]");
  if (jsonb) return to_jsonb(ctx, out.view(), result);
  *result = out.value();
  return true;
}

constexpr AggregateBinding kBindings[] = {
    {"string_agg(text,text)", sizeof(Text), string_step, string_finish, false},
    {"string_agg(bytea,bytea)", sizeof(Text), string_step, string_finish, false},
    {"array_agg(anynonarray)", sizeof(Values), array_step, array_finish, false},
    {"array_agg(anyarray)", sizeof(Values), nested_step, nested_finish, false},
    {"json_agg(anyelement)", sizeof(Text), json_step, json_finish<false, false>, false},
    {"jsonb_agg(anyelement)", sizeof(Text), json_step, json_finish<false, true>, false},
    {"json_object_agg(any,any)", sizeof(Text), json_object_step, json_finish<true, false>, false},
    {"jsonb_object_agg(any,any)", sizeof(Text), json_object_step, json_finish<true, true>, false},
};

}  // namespace

std::span<const AggregateBinding> collecting_aggregate_bindings() { return kBindings; }

}  // namespace wandian::sql
