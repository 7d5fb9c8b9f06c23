// PARTITION BY and FOR VALUES.
#include "sql/ddl/partition.h"

#include <algorithm>

#include "sql/catalog/producers.h"
#include "sql/ddl/index_builder.h"
#include "sql/expr/deparse.h"
#include "sql/expr/expression.h"
#include "sql/expr/tree.h"
#include "sql/partition/hash.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using Kind = BoundDatum::Kind;

// ---- PARTITION BY ----

char partition_strategy(const PgQuery__PartitionSpec& spec) {
  std::string word(text_or_empty(spec.strategy));
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return word == "list" ? 'l' : word == "range" ? 'r' : word == "hash" ? 'h' : 0;
}

namespace {

Status bad_definition(std::string message) { return Status{sqlstate::invalid_object_definition, std::move(message)}; }

Status check_key_class(const PgQuery__PartitionElem& element, bool hash, PartitionKeyPart* part) {
  const std::string method = hash ? "hash" : "btree";
  const TypeInfo* type = find_type(base_type(part->type));
  const bool has_class = hash ? has_extended_hash(part->type) : type != nullptr && type->order != Order::kNone;
  if (element.n_opclass != 0) {
    const std::string name(string_value(element.opclass[element.n_opclass - 1]));
    bool known = false;
    for (const OperatorClass& one : operator_classes()) {
      if (one.method != (hash ? kHashAccess : kBtreeAccess) || one.name != name) continue;
      known = true;
      const Oid base = base_type(part->type);
      if (one.type != base && !(base == type_oid::kVarchar && one.type == type_oid::kText)) continue;
      if (!one.is_default) part->opclass = name;
      return {};
    }
    if (known) return Status{sqlstate::datatype_mismatch, "operator class " + quoted(name) + " does not accept data type " + format_type(part->type, -1)};
    return Status{sqlstate::undefined_object, "operator class " + quoted(name) + " does not exist for access method " + quoted(method)};
  }
  if (has_class) return {};
  return Status{sqlstate::undefined_object, "data type " + format_type(part->type, -1) + " has no default operator class for access method " + quoted(method)}
      .with_hint("You must specify a " + method + " operator class or define a default " + method + " operator class for the data type.");
}

// Bounds are compared as bytes.
Status collated_key() { return feature_not_supported("partition keys under collations of ICU are not supported").with_hint("Use COLLATE \"C\" for the key."); }

Status check_key_collation(DdlContext& ctx, const TableDef& table, const PgQuery__PartitionElem& element, PartitionKeyPart* part) {
  const std::string_view own = part->column == kExpressionPart ? std::string_view() : std::string_view(table.columns[part->column].collation);
  if (element.n_collation == 0) return is_collated(order_of_collation(own)) ? collated_key() : Status();
  const Oid base = base_type(part->type);
  if (base != type_oid::kText && base != type_oid::kVarchar && base != type_oid::kBpchar && base != type_oid::kName)
    return Status{sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(part->type, -1)};
  PgQuery__CollateClause clause = PG_QUERY__COLLATE_CLAUSE__INIT;
  clause.n_collname = element.n_collation;
  clause.collname = element.collation;
  clause.location = element.location;
  WANDIAN_TRY(check_collation(&clause, ctx, &part->collation));
  return is_collated(order_of_collation(part->collation)) ? collated_key() : Status();
}

Result<PartitionKeyPart> read_key_part(DdlContext& ctx, const TableDef& table, const PgQuery__PartitionElem& element) {
  PartitionKeyPart part;
  const std::int32_t at = ctx.position(element.location);
  std::string name(text_or_empty(element.name));
  const auto of_generated = [&](const ColumnDef& column) {
    return bad_definition("cannot use generated column in partition key").with_detail("Column " + quoted(column.name) + " is a generated column.").with_position(at);
  };
  const auto system_column = [&](std::string_view column) { return bad_definition("cannot use system column " + quoted(column) + " in partition key").with_position(at); };
  if (name.empty()) {
    StandaloneOptions options;
    const std::vector<StandaloneColumn> columns = standalone_columns(table);
    options.use = StandaloneUse::kPartitionKey;
    options.table_name = table.name;
    options.columns = columns;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(element.expr, {}, ctx.bind_context(), options));
    if (bound.expr->kind == ExprKind::kColumn) {   // a column in parentheses
      const std::int16_t column = bound.expr->as<ColumnExpr>().column;
      if (column < 0) return bad_definition("partition key expressions cannot contain system column references");
      name = table.columns[static_cast<std::size_t>(column)].name;
    } else {
      if (bound.expr->kind == ExprKind::kRow) return bad_definition("partition key expressions cannot contain whole-row references");
      bool any = false;
      for (const ColumnUse& use : collect_columns(bound.expr)) {
        if (use.column < 0) return bad_definition("partition key expressions cannot contain system column references");
        if (table.columns[static_cast<std::size_t>(use.column)].generated != 0) return of_generated(table.columns[static_cast<std::size_t>(use.column)]);
        any = true;
      }
      if (!any) return bad_definition("cannot use constant expression as partition key");
      part.column = kExpressionPart;
      part.expression = deparse(bound.expr, {column_names(table), nullptr, false});
      part.type = bound.expr->type;
      part.typmod = bound.expr->typmod;
      return part;
    }
  }
  for (const std::string_view system : {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"})
    if (name == system) return system_column(system);
  const int column = table.find_column(name);
  if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(name) + " named in partition key does not exist"}.with_position(at);
  const ColumnDef& def = table.columns[static_cast<std::size_t>(column)];
  if (def.generated != 0) return of_generated(def);
  part.column = static_cast<std::uint16_t>(column);
  part.type = def.type;
  part.typmod = def.typmod;
  return part;
}

}  // namespace

Status read_partition_key(DdlContext& ctx, const PgQuery__PartitionSpec& spec, TableDef* table) {
  const char strategy = partition_strategy(spec);
  if (strategy == 'l' && spec.n_part_params != 1) return bad_definition("cannot use \"list\" partition strategy with more than one column");
  if (spec.n_part_params > 32) return Status{sqlstate::too_many_columns, "cannot partition using more than 32 columns"};
  for (std::size_t i = 0; i < spec.n_part_params; ++i) {
    const PgQuery__PartitionElem& element = *spec.part_params[i]->partition_elem;
    WANDIAN_ASSIGN(PartitionKeyPart part, read_key_part(ctx, *table, element));
    WANDIAN_TRY(check_key_collation(ctx, *table, element, &part));
    WANDIAN_TRY(check_key_class(element, strategy == 'h', &part));
    table->partition_key.push_back(std::move(part));
  }
  table->partition_strategy = strategy;
  return {};
}

Status check_covers_partition_key(const TableDef& table, const IndexDef& index) {
  if (!table.is_partitioned() || !index.unique) return {};
  const std::string kind = index.primary ? "PRIMARY KEY" : "UNIQUE";
  for (const PartitionKeyPart& part : table.partition_key) {
    if (part.column == kExpressionPart)
      return feature_not_supported("unsupported " + kind + " constraint with partition key definition")
          .with_detail(kind + " constraints cannot be used when partition keys include expressions.");
    const bool has = std::any_of(index.parts.begin(), index.parts.begin() + index.key_parts, [&](const IndexPart& p) { return p.column == part.column; });
    if (!has)
      return feature_not_supported("unique constraint on partitioned table must include all partitioning columns")
          .with_detail(kind + " constraint on table " + quoted(table.name) + " lacks column " + quoted(table.columns[part.column].name) +
                       " which is part of the partition key.");
  }
  return {};
}

// ---- FOR VALUES ----

namespace {

// A bound as it is written, with the places of its values for errors about them.
struct WrittenBound {
  PartitionBound bound;
  std::vector<std::int32_t> values_at, upper_at;
  std::int32_t at = 0;
  Arena arena;
  PartitionDatums values, upper;
};

std::int32_t location_of(const ParseNode& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_A_CONST: return node.a_const->location;
    case PG_QUERY__NODE__NODE_COLUMN_REF: return node.column_ref->location;
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      // As PostgreSQL shows it: where the expression begins.
      const std::int32_t own = node.type_cast->location, inner = location_of(*node.type_cast->arg);
      return inner >= 0 && inner < own ? inner : own;
    }
    case PG_QUERY__NODE__NODE_FUNC_CALL: return node.func_call->location;
    case PG_QUERY__NODE__NODE_A_EXPR: {
      const std::int32_t own = node.a_expr->location, left = node.a_expr->lexpr != nullptr ? location_of(*node.a_expr->lexpr) : -1;
      return left >= 0 && left < own ? left : own;
    }
    case PG_QUERY__NODE__NODE_SUB_LINK: return node.sub_link->location;
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION: return node.sqlvalue_function->location;
    default: return -1;
  }
}

std::string key_part_name(const TableDef& parent, const PartitionKeyPart& part) {
  return part.column != kExpressionPart ? parent.columns[part.column].name : part.expression;
}

Result<BoundDatum> read_value(DdlContext& ctx, const TableDef& parent, const PartitionKeyPart& part, const ParseNode* node) {
  StandaloneOptions options;
  const std::string name = key_part_name(parent, part);
  options.use = StandaloneUse::kPartitionBound;
  options.target_type = part.type;
  options.target_typmod = part.typmod;
  options.target_name = name;
  WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(node, ctx.statement.text, ctx.bind_context(), options));
  Arena arena;
  EvalContext eval = ctx.session.eval_context(arena);
  WANDIAN_ASSIGN(const Value value, evaluate_constant(*bound.expr, eval));
  BoundDatum datum;
  if (value.is_null) {
    datum.kind = Kind::kNull;
    return datum;
  }
  // Kept in a form that no setting of a session changes.
  static const FormatSettings format;
  EvalContext plain{arena, format, eval.session, 0, 0, {}};
  if (!append_text(plain, part.type, value, datum.text)) return std::move(plain.error);
  return datum;
}

Result<BoundDatum> read_range_datum(DdlContext& ctx, const TableDef& parent, const PartitionKeyPart& part, const ParseNode* node) {
  if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && node->column_ref->n_fields == 1 && node->column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_STRING) {
    const std::string_view word = string_value(node->column_ref->fields[0]);
    if (word == "minvalue") return BoundDatum{Kind::kMinValue, {}};
    if (word == "maxvalue") return BoundDatum{Kind::kMaxValue, {}};
  }
  WANDIAN_ASSIGN(BoundDatum datum, read_value(ctx, parent, part, node));
  if (datum.kind == Kind::kNull) return bad_definition("cannot specify NULL in range bound");
  return datum;
}

Status read_range_side(DdlContext& ctx, const TableDef& parent, PgQuery__Node** nodes, std::size_t count, std::vector<BoundDatum>* out,
                       std::vector<std::int32_t>* places) {
  Kind end = Kind::kValue;
  for (std::size_t i = 0; i < count; ++i) {
    WANDIAN_ASSIGN(BoundDatum datum, read_range_datum(ctx, parent, parent.partition_key[i], nodes[i]));
    places->push_back(ctx.position(location_of(*nodes[i])));
    out->push_back(std::move(datum));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Kind kind = (*out)[i].kind;
    if (end != Kind::kValue && kind != end) {
      const std::string word = end == Kind::kMinValue ? "MINVALUE" : "MAXVALUE";
      return Status{sqlstate::datatype_mismatch, "every bound following " + word + " must also be " + word}.with_position((*places)[i]);
    }
    if (kind != Kind::kValue) end = kind;
  }
  return {};
}

Status read_spec(DdlContext& ctx, const TableDef& parent, const PgQuery__PartitionBoundSpec& spec, WrittenBound* out) {
  const auto invalid = [](std::string message) { return Status{sqlstate::invalid_table_definition, std::move(message)}; };
  out->at = ctx.position(spec.location);
  out->bound.is_default = spec.is_default != 0;
  if (out->bound.is_default) return parent.partition_strategy == 'h' ? invalid("a hash-partitioned table may not have a default partition") : Status{};
  const std::string_view given = text_or_empty(spec.strategy);
  if (given.empty() || given[0] != parent.partition_strategy) {
    const std::string word = parent.partition_strategy == 'l' ? "list" : parent.partition_strategy == 'r' ? "range" : "hash";
    return invalid("invalid bound specification for a " + word + " partition").with_position(out->at);
  }
  switch (parent.partition_strategy) {
    case 'h':
      if (spec.modulus <= 0) return invalid("modulus for hash partition must be an integer value greater than zero");
      if (spec.remainder >= spec.modulus) return invalid("remainder for hash partition must be less than modulus");
      out->bound.modulus = spec.modulus;
      out->bound.remainder = spec.remainder;
      return {};
    case 'l':
      for (std::size_t i = 0; i < spec.n_listdatums; ++i) {
        WANDIAN_ASSIGN(BoundDatum datum, read_value(ctx, parent, parent.partition_key[0], spec.listdatums[i]));
        if (std::find(out->bound.values.begin(), out->bound.values.end(), datum) != out->bound.values.end()) continue;
        out->bound.values.push_back(std::move(datum));
        out->values_at.push_back(ctx.position(location_of(*spec.listdatums[i])));
      }
      return read_datums(out->bound.values, parent, out->arena, &out->values);
    default:
      if (spec.n_lowerdatums != parent.partition_key.size()) return invalid("FROM must specify exactly one value per partitioning column");
      if (spec.n_upperdatums != parent.partition_key.size()) return invalid("TO must specify exactly one value per partitioning column");
      WANDIAN_TRY(read_range_side(ctx, parent, spec.lowerdatums, spec.n_lowerdatums, &out->bound.values, &out->values_at));
      WANDIAN_TRY(read_range_side(ctx, parent, spec.upperdatums, spec.n_upperdatums, &out->bound.upper, &out->upper_at));
      WANDIAN_TRY(read_datums(out->bound.values, parent, out->arena, &out->values));
      return read_datums(out->bound.upper, parent, out->arena, &out->upper);
  }
}

// Compares new bounds with those of the partitions that are there, as PostgreSQL's check_new_partition_bound() does.
class BoundChecker {
 public:
  BoundChecker(const Catalog& catalog, const TableDef& parent, const std::string& name, const WrittenBound& bound)
      : catalog_(catalog), parent_(parent), partitioning_(*partitioning_of(parent)), name_(name), new_(bound) {}

  Status check() const {
    if (new_.bound.is_default) {
      if (partitioning_.default_child() < 0) return {};
      return bad_definition("partition " + quoted(name_) + " conflicts with existing default partition " + quoted(child_name(partitioning_.default_child())))
          .with_position(new_.at);
    }
    switch (parent_.partition_strategy) {
      case 'l': return check_list();
      case 'r': return check_range();
      default: return check_hash();
    }
  }

 private:
  std::string child_name(int child) const {
    const auto table = catalog_.table(partitioning_.children()[static_cast<std::size_t>(child)].table);
    return table != nullptr ? table->name : std::string();
  }
  Status overlaps(int child, std::int32_t at) const {
    return bad_definition("partition " + quoted(name_) + " would overlap partition " + quoted(child_name(child))).with_position(at);
  }

  Status check_list() const {
    for (std::size_t i = 0; i < new_.values.size(); ++i) {
      if (new_.values[i].kind == Kind::kNull) {
        if (partitioning_.null_child() >= 0) return overlaps(partitioning_.null_child(), new_.values_at[i]);
        continue;
      }
      for (const auto& [value, child] : partitioning_.listed())
        if (partitioning_.compare_values_of(0, value, new_.values[i].value) == 0) return overlaps(static_cast<int>(child), new_.values_at[i]);
    }
    return {};
  }

  // Which datum tells two bounds apart, counted from 1, with the sign of their order. A lower bound lies above an equal upper one.
  int compare_bounds(const PartitionDatums& a, bool a_lower, const PartitionDatums& b, bool b_lower) const {
    int column = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      ++column;
      const int order = partitioning_part_order(i, a[i], b[i]);
      if (order != 0) return order < 0 ? -column : column;
      if (a[i].kind != Kind::kValue) break;
    }
    if (a_lower == b_lower) return 0;
    return a_lower ? column : -column;
  }
  int partitioning_part_order(std::size_t part, const PartitionDatum& a, const PartitionDatum& b) const {
    const auto rank = [](Kind kind) { return kind == Kind::kMinValue ? -1 : kind == Kind::kMaxValue ? 1 : 0; };
    if (a.kind != Kind::kValue || b.kind != Kind::kValue) return rank(a.kind) - rank(b.kind);
    return partitioning_.compare_values_of(part, a.value, b.value);
  }
  std::string side_text(const std::vector<BoundDatum>& datums) const {
    std::string out = "(";
    for (std::size_t i = 0; i < datums.size(); ++i) out += (i != 0 ? ", " : "") + datum_text(datums[i], parent_.partition_key[i].type);
    return out + ")";
  }

  Status check_range() const {
    if (const int order = compare_bounds(new_.values, true, new_.upper, false); order > 0)
      return bad_definition("empty range bound specified for partition " + quoted(name_))
          .with_detail("Specified lower bound " + side_text(new_.bound.values) + " is greater than or equal to upper bound " + side_text(new_.bound.upper) + ".")
          .with_position(new_.values_at[static_cast<std::size_t>(order - 1)]);
    // The distinct bounds in their order; `ends`: the partition that ends there, or -1.
    struct Bound {
      const PartitionDatums* datums;
      int ends;
    };
    std::vector<Bound> bounds;
    for (const std::uint32_t i : partitioning_.ranges()) {
      const Partitioning::Child& child = partitioning_.children()[i];
      if (bounds.empty() || partitioning_.compare(*bounds.back().datums, child.values) != 0) bounds.push_back({&child.values, -1});
      bounds.push_back({&child.upper, static_cast<int>(i)});
    }
    // The last bound that is not above the new lower one. The comparison made last says which datum the error points at.
    int low = -1, high = static_cast<int>(bounds.size()) - 1, order = 0;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      const Bound& bound = bounds[static_cast<std::size_t>(middle)];
      order = compare_bounds(*bound.datums, bound.ends < 0, new_.values, true);
      if (order <= 0) low = middle;
      else high = middle - 1;
      if (order == 0) break;
    }
    const std::size_t next = static_cast<std::size_t>(low + 1);
    if (next == bounds.size()) return {};
    if (bounds[next].ends >= 0) return overlaps(bounds[next].ends, new_.values_at[order == 0 ? 0 : static_cast<std::size_t>(std::abs(order) - 1)]);
    const int to = compare_bounds(*bounds[next].datums, true, new_.upper, false);
    if (to >= 0) return {};
    return overlaps(bounds[next + 1].ends, new_.upper_at[static_cast<std::size_t>(-to - 1)]);
  }

  Status check_hash() const {
    std::vector<std::pair<std::int32_t, int>> moduli;   // and a partition that has it
    for (std::size_t i = 0; i < partitioning_.children().size(); ++i) moduli.emplace_back(partitioning_.children()[i].modulus, static_cast<int>(i));
    std::stable_sort(moduli.begin(), moduli.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const std::int32_t modulus = new_.bound.modulus;
    const auto refuse = [&](std::string detail) {
      return bad_definition("every hash partition modulus must be a factor of the next larger modulus").with_detail(std::move(detail));
    };
    const auto next = std::find_if(moduli.begin(), moduli.end(), [&](const auto& other) { return other.first > modulus; });
    if (next != moduli.begin()) {
      const auto& [before, child] = *(next - 1);
      if (modulus % before != 0)
        return refuse("The new modulus " + std::to_string(modulus) + " is not divisible by " + std::to_string(before) + ", the modulus of existing partition " +
                      quoted(child_name(child)) + ".");
    }
    if (next != moduli.end() && next->first % modulus != 0)
      return refuse("The new modulus " + std::to_string(modulus) + " is not a factor of " + std::to_string(next->first) + ", the modulus of existing partition " +
                    quoted(child_name(next->second)) + ".");
    for (std::size_t i = 0; i < partitioning_.children().size(); ++i) {
      const Partitioning::Child& child = partitioning_.children()[i];
      const std::int32_t less = std::min(modulus, child.modulus);
      if (new_.bound.remainder % less == child.remainder % less) return overlaps(static_cast<int>(i), new_.at);
    }
    return {};
  }

  const Catalog& catalog_;
  const TableDef& parent_;
  const Partitioning& partitioning_;
  const std::string& name_;
  const WrittenBound& new_;
};

}  // namespace

Result<PartitionBound> read_partition_bound(DdlContext& ctx, const TableDef& parent, const std::string& name, const PgQuery__PartitionBoundSpec& spec) {
  WrittenBound written;
  WANDIAN_TRY(read_spec(ctx, parent, spec, &written));
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  WANDIAN_TRY(BoundChecker(*catalog, parent, name, written).check());
  return std::move(written.bound);
}

}  // namespace wandian::sql
