#include "sql/functions/jsonpath_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/numeric.h"
#include "sql/functions/jsonpath_layout.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

using Kind = JsonPathNode::Kind;
using JKind = JsonNode::Kind;
using Item = JsonPathItem;
using Items = std::vector<Item>;

enum class Found : std::uint8_t { kYes, kNo, kError };
enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };

bool is(const Item& item, JKind kind) { return item.node != nullptr && item.node->kind == kind; }
bool is_array(const Item& item) { return is(item, JKind::kArray); }
bool is_container(const Item& item) { return item.node != nullptr && !item.node->scalar(); }

// One evaluation. PostgreSQL's names of what is done stand behind the functions: executeItem, executePredicate, ...
class Run {
 public:
  Run(EvalContext& ctx, const JsonPathCall& call)
      : ctx_(ctx), variables_(call.variables), root_{call.document, nullptr}, current_(root_), last_id_(call.variables != nullptr ? 2 : 1),
        lax_(!call.path->strict), ignore_(lax_), throws_(!call.silent), with_zone_(call.with_zone) {}

  Found run(const JsonPathNode& path, Items* out) {
    // In strict mode all values are wanted, to see that no error is among them.
    if (!lax_ && out == nullptr) {
      Items all;
      if (const Found found = item(path, root_, &all, lax_); found == Found::kError) return found;
      return all.empty() ? Found::kNo : Found::kYes;
    }
    return item(path, root_, out, lax_);
  }
  bool failed() const { return failed_; }

 private:
  // An error that silent calls and predicates swallow.
  Found fail(SqlState code, std::string message, std::string hint = {}) {
    if (throws_) fail_always(hint.empty() ? Status{code, std::move(message)} : Status{code, std::move(message)}.with_hint(std::move(hint)));
    return Found::kError;
  }
  Found fail(Status status) {
    if (throws_) fail_always(std::move(status));
    return Found::kError;
  }
  void fail_always(Status status) {
    if (!failed_) ctx_.error = std::move(status);
    failed_ = true;
  }

  const JsonNode* number_node(std::string_view text) {
    auto* out = new (ctx_.arena.allocate(sizeof(JsonNode), alignof(JsonNode))) JsonNode;
    out->kind = JKind::kNumber;
    out->text = ctx_.arena.copy(text);
    return out;
  }
  const JsonNode* node_of(JKind kind, std::string_view text = {}) {
    auto* out = new (ctx_.arena.allocate(sizeof(JsonNode), alignof(JsonNode))) JsonNode;
    out->kind = kind;
    out->text = text;
    return out;
  }
  Item computed(const Numeric& number) { return {number_node(numeric_to_string(number)), nullptr}; }
  static Numeric number_of(const JsonNode& node) {
    Numeric out;
    (void)parse_numeric(node.text, &out);   // was checked when it was read
    return out;
  }

  // executeNextItem: goes on with the step behind, or this is a result.
  Found next(const JsonPathNode& step, const Item& value, Items* out) {
    if (step.next != nullptr) return item(*step.next, value, out, lax_);
    if (out != nullptr) out->push_back(value);
    return Found::kYes;
  }

  // executeItemOptUnwrapTarget
  Found item(const JsonPathNode& step, const Item& target, Items* out, bool unwrap) {
    if (failed_) return Found::kError;
    if (step.predicate()) {
      const Truth truth = test(step, target);
      if (failed_) return Found::kError;
      if (step.next == nullptr && out == nullptr) return Found::kYes;
      return next(step, {node_of(truth == Truth::kUnknown ? JKind::kNull : truth == Truth::kTrue ? JKind::kTrue : JKind::kFalse), nullptr}, out);
    }
    switch (step.kind) {
      case Kind::kNull: case Kind::kBool: case Kind::kNumber: case Kind::kString: case Kind::kVariable: return constant(step, out);
      case Kind::kRoot: {
        const auto saved = std::exchange(base_, Base{root_.node, 0});
        const Found found = next(step, root_, out);
        base_ = saved;
        return found;
      }
      case Kind::kCurrent: return next(step, current_, out);
      case Kind::kLast:
        if (step.next == nullptr && out == nullptr) return Found::kYes;
        return next(step, computed(Numeric::of_int(array_size_ - 1)), out);
      case Kind::kAdd: case Kind::kSubtract: case Kind::kMultiply: case Kind::kDivide: case Kind::kModulo: return binary(step, target, out);
      case Kind::kPlus: case Kind::kMinus: return unary(step, target, out);
      case Kind::kKey: return member(step, target, out, unwrap);
      case Kind::kAnyKey: return members(step, target, out, unwrap);
      case Kind::kAnyArray:
        if (is_array(target)) return descend(step.next, *target.node, out, 1, 1, 1, false, lax_);
        if (lax_) return next(step, target, out);
        return structural(sqlstate::sql_json_array_not_found, "jsonpath wildcard array accessor can only be applied to an array");
      case Kind::kSubscripts: return elements(step, target, out);
      case Kind::kAnyDepth: return any_depth(step, target, out);
      case Kind::kFilter: {
        if (unwrap && is_array(target)) return descend(&step, *target.node, out, 1, 1, 1, false, false);
        const Item outer = std::exchange(current_, target);
        const Truth truth = test(*step.left, target);
        current_ = outer;
        if (failed_) return Found::kError;
        return truth == Truth::kTrue ? next(step, target, out) : Found::kNo;
      }
      default: return method(step, target, out, unwrap);
    }
  }

  // Something that the structure of the document does not allow; lax mode passes it by.
  Found structural(SqlState code, std::string message) { return ignore_ ? Found::kNo : fail(code, std::move(message)); }

  Found constant(const JsonPathNode& step, Items* out) {
    // A variable is looked at in any case, for the error of a missing one.
    if (step.next == nullptr && out == nullptr && step.kind != Kind::kVariable) return Found::kYes;
    const Base saved = base_;
    const JsonNode* value = constant_node(step);
    if (value == nullptr) return Found::kError;
    const Found found = next(step, {value, nullptr}, out);
    base_ = saved;
    return found;
  }
  const JsonNode* constant_node(const JsonPathNode& step) {
    switch (step.kind) {
      case Kind::kNull: return node_of(JKind::kNull);
      case Kind::kBool: return node_of(step.flag ? JKind::kTrue : JKind::kFalse);
      case Kind::kNumber: return node_of(JKind::kNumber, step.text);
      case Kind::kString: return node_of(JKind::kString, step.text);
      default: break;
    }
    if (variables_ == nullptr) return node_of(JKind::kNull);   // an operator has none
    const JsonNode* value = variables_->find(step.text);
    if (value == nullptr) fail_always({sqlstate::undefined_object, "could not find jsonpath variable \"" + std::string(step.text) + "\""});
    else base_ = {variables_, 1};
    return value;
  }

  Found member(const JsonPathNode& step, const Item& target, Items* out, bool unwrap) {
    if (is(target, JKind::kObject)) {
      if (const JsonNode* value = target.node->find(step.text)) return next(step, {value, nullptr}, out);
      return structural(sqlstate::sql_json_member_not_found, "JSON object does not contain key \"" + std::string(step.text) + "\"");
    }
    if (unwrap && is_array(target)) return descend(&step, *target.node, out, 1, 1, 1, false, false);
    return structural(sqlstate::sql_json_member_not_found, "jsonpath member accessor can only be applied to an object");
  }
  Found members(const JsonPathNode& step, const Item& target, Items* out, bool unwrap) {
    if (is(target, JKind::kObject)) return descend(step.next, *target.node, out, 1, 1, 1, false, lax_);
    if (unwrap && is_array(target)) return descend(&step, *target.node, out, 1, 1, 1, false, false);
    return structural(sqlstate::sql_json_object_not_found, "jsonpath wildcard member accessor can only be applied to an object");
  }

  // executeAnyItem: what is inside, from level `first` to `last` deep; `step` null: these are results.
  Found descend(const JsonPathNode* step, const JsonNode& container, Items* out, std::uint32_t level, std::uint32_t first, std::uint32_t last,
                bool ignore, bool unwrap) {
    Found found = Found::kNo;
    if (level > last) return found;
    for (std::uint32_t i = 0; i < container.count; ++i) {
      const JsonNode& child = container.items[i];
      const bool leaves_only = first == JsonPathNode::kDeepest && last == JsonPathNode::kDeepest;
      if (level >= first || (leaves_only && child.scalar())) {
        if (step != nullptr) {
          const bool saved = std::exchange(ignore_, ignore || ignore_);
          found = item(*step, {&child, nullptr}, out, unwrap);
          ignore_ = saved;
          if (found == Found::kError || (found == Found::kYes && out == nullptr)) return found;
        } else if (out != nullptr) {
          out->push_back({&child, nullptr});
        } else {
          return Found::kYes;
        }
      }
      if (level < last && !child.scalar()) {
        found = descend(step, child, out, level + 1, first, last, ignore, unwrap);
        if (found == Found::kError || (found == Found::kYes && out == nullptr)) return found;
      }
    }
    return found;
  }
  Found any_depth(const JsonPathNode& step, const Item& target, Items* out) {
    Found found = Found::kNo;
    if (step.first == 0) {
      const bool saved = std::exchange(ignore_, true);
      found = next(step, target, out);
      ignore_ = saved;
      if (found == Found::kYes && out == nullptr) return found;
    }
    if (is_container(target)) found = descend(step.next, *target.node, out, 1, step.first, step.last, true, lax_);
    return found;
  }

  Found elements(const JsonPathNode& step, const Item& target, Items* out) {
    const bool array = is_array(target);
    if (!array && !lax_) return structural(sqlstate::sql_json_array_not_found, "jsonpath array accessor can only be applied to an array");
    const std::int64_t size = array ? target.node->count : 1;
    const std::int64_t outer = std::exchange(array_size_, size);
    Found found = Found::kNo;
    for (std::uint32_t i = 0; i < step.first; ++i) {
      found = element_range(step, step.subscripts[i], target, size, out);
      if (found == Found::kError || (found == Found::kYes && out == nullptr)) break;
    }
    array_size_ = outer;
    return found;
  }
  Found element_range(const JsonPathNode& step, const JsonPathSubscript& subscript, const Item& target, std::int64_t size, Items* out) {
    std::int64_t from, to;
    if (!index(*subscript.from, target, &from)) return Found::kError;
    to = from;
    if (subscript.to != nullptr && !index(*subscript.to, target, &to)) return Found::kError;
    if (!ignore_ && (from < 0 || from > to || to >= size))
      return fail(sqlstate::invalid_sql_json_subscript, "jsonpath array subscript is out of bounds");
    Found found = Found::kNo;
    for (std::int64_t i = std::max<std::int64_t>(from, 0); i <= std::min(to, size - 1); ++i) {
      if (step.next == nullptr && out == nullptr) return Found::kYes;
      found = next(step, is_array(target) ? Item{&target.node->items[i], nullptr} : target, out);
      if (found == Found::kError || (found == Found::kYes && out == nullptr)) break;
    }
    return found;
  }
  // getArrayIndex: one number, without its fraction.
  bool index(const JsonPathNode& expression, const Item& target, std::int64_t* out) {
    Items found;
    if (item(expression, target, &found, lax_) == Found::kError) return false;
    if (found.size() != 1 || !is(found[0], JKind::kNumber)) {
      fail(sqlstate::invalid_sql_json_subscript, "jsonpath array subscript is not a single numeric value");
      return false;
    }
    Numeric number = number_of(*found[0].node);
    truncate_to(&number, 0);
    Value stored;
    if (!store_numeric(number, ctx_.arena, &stored).ok() || !numeric_to_int(stored, INT32_MIN, INT32_MAX, "integer", out).ok()) {
      fail(sqlstate::invalid_sql_json_subscript, "jsonpath array subscript is out of integer range");
      return false;
    }
    return true;
  }

  // executeItemOptUnwrapResult: in lax mode arrays among the results stand for their elements.
  Found operand(const JsonPathNode& step, const Item& target, bool unwrap, Items* out) {
    if (!unwrap || !lax_) return item(step, target, out, lax_);
    Items found;
    if (const Found result = item(step, target, &found, lax_); result == Found::kError) return result;
    for (const Item& one : found) {
      if (is_array(one)) (void)descend(nullptr, *one.node, out, 1, 1, 1, false, false);
      else out->push_back(one);
    }
    return Found::kYes;
  }
  Found quiet_operand(const JsonPathNode& step, const Item& target, bool unwrap, Items* out) {
    const bool saved = std::exchange(throws_, false);
    const Found found = operand(step, target, unwrap, out);
    throws_ = saved;
    return found;
  }

  Found binary(const JsonPathNode& step, const Item& target, Items* out) {
    Items left, right;
    if (operand(*step.left, target, true, &left) == Found::kError || operand(*step.right, target, true, &right) == Found::kError) return Found::kError;
    const auto single = [](const Items& items) { return items.size() == 1 && is(items[0], JKind::kNumber); };
    for (const bool is_left : {true, false}) {
      if (!single(is_left ? left : right))
        return fail(sqlstate::singleton_sql_json_item_required, std::string(is_left ? "left" : "right") + " operand of jsonpath operator " +
                                                                    std::string(jsonpath_operation(step.kind)) + " is not a single numeric value");
    }
    const Numeric a = number_of(*left[0].node), b = number_of(*right[0].node);
    Numeric result;
    Status status;
    switch (step.kind) {
      case Kind::kAdd: result = add(a, b); break;
      case Kind::kSubtract: result = subtract(a, b); break;
      case Kind::kMultiply: result = multiply(a, b); break;
      case Kind::kDivide: status = divide(a, b, &result); break;
      default: status = modulo(a, b, &result);
    }
    Value stored;
    if (status.ok()) status = store_numeric(result, ctx_.arena, &stored);
    if (!status.ok()) return fail(std::move(status));
    if (step.next == nullptr && out == nullptr) return Found::kYes;
    return next(step, computed(result), out);
  }
  Found unary(const JsonPathNode& step, const Item& target, Items* out) {
    Items items;
    if (operand(*step.left, target, true, &items) == Found::kError) return Found::kError;
    const bool asked_only = step.next == nullptr && out == nullptr;
    Found found = Found::kNo;
    for (const Item& one : items) {
      if (!is(one, JKind::kNumber)) {
        if (asked_only) continue;
        return fail(sqlstate::sql_json_number_not_found,
                    "operand of unary jsonpath operator " + std::string(jsonpath_operation(step.kind)) + " is not a numeric value");
      }
      if (asked_only) return Found::kYes;
      const Found result = next(step, step.kind == Kind::kPlus ? one : computed(negate(number_of(*one.node))), out);
      if (result == Found::kError) return result;
      if (result == Found::kYes) {
        if (out == nullptr) return result;
        found = result;
      }
    }
    return found;
  }

  // executeBoolItem
  Truth test(const JsonPathNode& step, const Item& target) {
    switch (step.kind) {
      case Kind::kAnd: {
        const Truth left = test(*step.left, target);
        if (left == Truth::kFalse || failed_) return left;
        const Truth right = test(*step.right, target);
        return right == Truth::kTrue ? left : right;
      }
      case Kind::kOr: {
        const Truth left = test(*step.left, target);
        if (left == Truth::kTrue || failed_) return left;
        const Truth right = test(*step.right, target);
        return right == Truth::kFalse ? left : right;
      }
      case Kind::kNot: {
        const Truth arg = test(*step.left, target);
        return arg == Truth::kUnknown ? arg : arg == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
      }
      case Kind::kIsUnknown: return test(*step.left, target) == Truth::kUnknown ? Truth::kTrue : Truth::kFalse;
      case Kind::kExists: {
        Items all;
        const Found found = quiet_operand(*step.left, target, false, lax_ ? nullptr : &all);
        if (found == Found::kError) return Truth::kUnknown;
        return (lax_ ? found == Found::kYes : !all.empty()) ? Truth::kTrue : Truth::kFalse;
      }
      default: return predicate(step, target);
    }
  }
  // executePredicate: whether some pair of the operands' items is as wanted.
  Truth predicate(const JsonPathNode& step, const Item& target) {
    Items left, right;
    if (quiet_operand(*step.left, target, true, &left) == Found::kError) return Truth::kUnknown;
    if (step.right != nullptr && quiet_operand(*step.right, target, step.kind != Kind::kStartsWith, &right) == Found::kError) return Truth::kUnknown;
    if (step.right == nullptr) right.emplace_back();
    bool unknown = false, yes = false;
    for (const Item& a : left) {
      for (const Item& b : right) {
        const Truth truth = holds(step, a, b);
        if (failed_) return Truth::kUnknown;
        if (truth == Truth::kUnknown) {
          if (!lax_) return truth;
          unknown = true;
        } else if (truth == Truth::kTrue) {
          if (lax_) return truth;
          yes = true;
        }
      }
    }
    return yes ? Truth::kTrue : unknown ? Truth::kUnknown : Truth::kFalse;
  }
  Truth holds(const JsonPathNode& step, const Item& a, const Item& b) {
    if (step.kind == Kind::kStartsWith) {
      if (!is(a, JKind::kString) || !is(b, JKind::kString)) return Truth::kUnknown;
      return a.node->text.starts_with(b.node->text) ? Truth::kTrue : Truth::kFalse;
    }
    if (step.kind == Kind::kLikeRegex) {
      if (!is(a, JKind::kString)) return Truth::kUnknown;
      std::shared_ptr<const Regex> regex;
      bool matches = false;
      Status status = Regex::find(step.text, regex_flags_of(step), &regex);
      if (status.ok()) status = regex->test(a.node->text, &matches);
      if (!status.ok()) fail_always(std::move(status));
      return matches ? Truth::kTrue : Truth::kFalse;
    }
    return compared(step.kind, a, b);
  }
  Truth compared(Kind op, const Item& a, const Item& b) {
    int order = 0;
    const auto type = [](const Item& item) {
      return item.time != nullptr ? 100 : item.node->kind == JKind::kFalse ? static_cast<int>(JKind::kTrue) : static_cast<int>(item.node->kind);
    };
    if (type(a) != type(b)) {
      // Null differs from all that is not null; other types do not compare.
      if (is(a, JKind::kNull) || is(b, JKind::kNull)) return op == Kind::kNotEqual ? Truth::kTrue : Truth::kFalse;
      return Truth::kUnknown;
    }
    if (a.time != nullptr) {
      Status refused;
      const std::optional<int> by_time = compare_jsonpath_times(ctx_.format, ctx_.transaction_timestamp, *a.time, *b.time, with_zone_, &refused);
      if (!refused.ok()) fail_always(std::move(refused));
      if (!by_time) return Truth::kUnknown;
      order = *by_time;
    } else {
      switch (a.node->kind) {
        case JKind::kNull: break;
        case JKind::kFalse: case JKind::kTrue: order = static_cast<int>(a.node->kind == JKind::kTrue) - static_cast<int>(b.node->kind == JKind::kTrue); break;
        case JKind::kNumber: order = compare_numeric(number_of(*a.node), number_of(*b.node)); break;
        case JKind::kString: order = a.node->text.compare(b.node->text); break;
        default: return Truth::kUnknown;
      }
    }
    bool result = false;
    switch (op) {
      case Kind::kEqual: result = order == 0; break;
      case Kind::kNotEqual: result = order != 0; break;
      case Kind::kLess: result = order < 0; break;
      case Kind::kLessOrEqual: result = order <= 0; break;
      case Kind::kGreater: result = order > 0; break;
      default: result = order >= 0;
    }
    return result ? Truth::kTrue : Truth::kFalse;
  }

  // ---- Methods ----

  Found method(const JsonPathNode& step, const Item& target, Items* out, bool unwrap) {
    const std::string name = "jsonpath item method ." + std::string(jsonpath_operation(step.kind)) + "()";
    if (step.kind == Kind::kType) return next(step, {node_of(JKind::kString, type_name(target)), nullptr}, out);
    if (step.kind == Kind::kSize) {
      if (!is_array(target) && !lax_) return structural(sqlstate::sql_json_array_not_found, name + " can only be applied to an array");
      return next(step, computed(Numeric::of_int(is_array(target) ? target.node->count : 1)), out);
    }
    if (unwrap && is_array(target)) return descend(&step, *target.node, out, 1, 1, 1, false, false);
    switch (step.kind) {
      case Kind::kDouble: return to_double(step, target, out, name);
      case Kind::kDatetime: return to_datetime(step, target, out, name);
      case Kind::kKeyValue: return key_values(step, target, out, name);
      default: break;
    }
    if (!is(target, JKind::kNumber)) return fail(sqlstate::non_numeric_sql_json_item, name + " can only be applied to a numeric value");
    if (step.next == nullptr && out == nullptr) return Found::kYes;
    const Numeric number = number_of(*target.node);
    return next(step, computed(step.kind == Kind::kAbs ? absolute(number) : step.kind == Kind::kFloor ? floor(number) : ceiling(number)), out);
  }
  static std::string_view type_name(const Item& item) {
    if (item.time == nullptr) {
      constexpr std::string_view kNames[] = {"null", "boolean", "boolean", "number", "string", "array", "object"};
      return kNames[static_cast<int>(item.node->kind)];
    }
    switch (item.time->type) {
      case type_oid::kDate: return "date";
      case type_oid::kTime: return "time without time zone";
      case type_oid::kTimetz: return "time with time zone";
      case type_oid::kTimestamp: return "timestamp without time zone";
      default: return "timestamp with time zone";
    }
  }
  Found to_double(const JsonPathNode& step, const Item& target, Items* out, const std::string& name) {
    if (!is(target, JKind::kNumber) && !is(target, JKind::kString))
      return fail(sqlstate::non_numeric_sql_json_item, name + " can only be applied to a string or numeric value");
    double value = 0;
    const bool ok = parse_double(target.node->text, &value).ok() && std::isfinite(value);
    if (is(target, JKind::kNumber)) {
      if (!ok) return fail(sqlstate::non_numeric_sql_json_item, "numeric argument of " + name + " is out of range for type double precision");
      return next(step, target, out);
    }
    Value number;
    if (!ok || !numeric_from_double(value, 15, ctx_.arena, &number).ok())
      return fail(sqlstate::non_numeric_sql_json_item,
                  "string argument of " + name + " is not a valid representation of a double precision number");
    return next(step, computed(load_numeric(number)), out);
  }
  Found to_datetime(const JsonPathNode& step, const Item& target, Items* out, const std::string& name) {
    if (!is(target, JKind::kString))
      return fail(sqlstate::invalid_argument_for_sql_json_datetime_function, name + " can only be applied to a string");
    auto* time = new (ctx_.arena.allocate(sizeof(JsonPathTime), alignof(JsonPathTime))) JsonPathTime;
    if (step.left != nullptr) {
      if (Status status = jsonpath_time(step.left->text, target.node->text, time); !status.ok()) return fail(std::move(status));
    } else if (!jsonpath_time(target.node->text, time)) {
      return fail(sqlstate::invalid_argument_for_sql_json_datetime_function,
                  "datetime format is not recognized: \"" + std::string(target.node->text) + "\"",
                  "Use a datetime template argument to specify the input data format.");
    }
    if (step.next == nullptr && out == nullptr) return Found::kYes;
    return next(step, {nullptr, time}, out);
  }
  // executeKeyValueMethod: {"id": ..., "key": ..., "value": ...} of each member. The id names the object: where it stands in the document's
  // binary form in PostgreSQL, and which document or object of this evaluation that is.
  Found key_values(const JsonPathNode& step, const Item& target, Items* out, const std::string& name) {
    if (!is(target, JKind::kObject)) return fail(sqlstate::sql_json_object_not_found, name + " can only be applied to an object");
    const JsonNode& object = *target.node;
    Found found = Found::kNo;
    if (object.count == 0) return found;
    const std::int64_t id = (base_.node != nullptr ? jsonb_offset(*base_.node, object) : 0) + base_.id * 10'000'000'000;
    for (std::uint32_t i = 0; i < object.count; ++i) {
      found = Found::kYes;
      if (step.next == nullptr && out == nullptr) break;
      auto* made = new (ctx_.arena.allocate(sizeof(JsonNode), alignof(JsonNode))) JsonNode;
      made->kind = JKind::kObject;
      made->count = 3;
      made->keys = ctx_.arena.allocate_array<std::string_view>(3);
      made->items = ctx_.arena.allocate_array<JsonNode>(3);
      constexpr std::string_view kKeys[] = {"id", "key", "value"};
      std::copy(std::begin(kKeys), std::end(kKeys), made->keys);
      made->items[0] = *number_node(std::to_string(id));
      made->items[1] = *node_of(JKind::kString, object.keys[i]);
      made->items[2] = object.items[i];
      const Base saved = std::exchange(base_, Base{made, last_id_++});
      found = next(step, {made, nullptr}, out);
      base_ = saved;
      if (found == Found::kError || (found == Found::kYes && out == nullptr)) break;
    }
    return found;
  }

  struct Base {
    const JsonNode* node = nullptr;
    std::int64_t id = 0;
  };
  EvalContext& ctx_;
  const JsonNode* variables_;
  Item root_, current_;            ///< $ and @
  Base base_;                      ///< what keyvalue() counts from
  std::int64_t last_id_;
  std::int64_t array_size_ = -1;   ///< what `last` means
  bool lax_, ignore_, throws_, with_zone_;
  bool failed_ = false;            ///< an error that nothing swallows
};

}  // namespace

void write_jsonpath_item(const JsonPathItem& item, TextBuilder& out) {
  if (item.time == nullptr) return write_jsonb(*item.node, out);
  out.push_back('"');
  write_jsonpath_time(*item.time, out);
  out.push_back('"');
}

JsonPathResult run_jsonpath(EvalContext& ctx, const JsonPathCall& call, std::vector<JsonPathItem>* items) {
  Run run(ctx, call);
  const Found found = run.run(*call.path->root, items);
  if (run.failed()) return JsonPathResult::kFailed;
  return found == Found::kError ? JsonPathResult::kSuppressed : found == Found::kYes ? JsonPathResult::kFound : JsonPathResult::kNothing;
}

}  // namespace wandian::sql
