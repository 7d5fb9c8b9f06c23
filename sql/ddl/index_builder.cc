#include "sql/ddl/index_builder.h"

#include <algorithm>

#include "sql/catalog/producers.h"
#include "sql/ddl/table_builder.h"
#include "sql/expr/deparse.h"
#include "sql/expr/tree.h"
#include "sql/index_expressions.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

std::string method_name(IndexMethod method) {
  switch (method) {
    case IndexMethod::kBtree: return "btree";
    case IndexMethod::kHash: return "hash";
    case IndexMethod::kGin: return "gin";
  }
  return {};
}
Oid method_oid(IndexMethod method) {
  IndexDef index;
  index.method = method;
  return access_method(index);
}

Result<IndexMethod> find_method(std::string_view name) {
  if (name.empty() || name == "btree") return IndexMethod::kBtree;
  if (name == "hash") return IndexMethod::kHash;
  if (name == "gin") return IndexMethod::kGin;
  for (const std::string_view known : {"gist", "spgist", "brin"})
    if (name == known) return feature_not_supported("access method " + quoted(name) + " is not supported").with_hint("Use btree.");
  return Status{sqlstate::undefined_object, "access method " + quoted(name) + " does not exist"};
}

// What an access method cannot do, as PostgreSQL says it.
Status check_method(IndexMethod method, const PgQuery__IndexStmt& node) {
  if (method == IndexMethod::kBtree) return {};
  const std::string of = "access method " + quoted(method_name(method));
  if (node.unique) return feature_not_supported(of + " does not support unique indexes");
  if (node.n_index_including_params != 0) return feature_not_supported(of + " does not support included columns");
  if (method == IndexMethod::kHash && node.n_index_params > 1) return feature_not_supported(of + " does not support multicolumn indexes");
  return {};
}

// As IndexPart::collation holds what an expression's collation is without being named.
std::string own_collation(const Expr& expr) {
  const bool has = is_collatable(expr.type) && expr.collation > kDefaultCollation && expr.collation != kIndeterminateCollation;
  return has ? "=" + collation_of(expr.collation).stored : std::string();
}

// Of an expression that is COLLATE as a whole; else "".
std::string_view explicit_collation(const Expr* expr) { return expr->kind == ExprKind::kRelabel ? std::string_view(expr->as<UnaryExpr>().collate) : std::string_view(); }

std::string last_name(PgQuery__Node** nodes, std::size_t count) {
  return count == 0 ? std::string() : std::string(string_value(nodes[count - 1]));
}

Result<BoundExpression> bind_text(DdlContext& ctx, const TableDef& table, std::span<const StandaloneColumn> columns, const std::string& text,
                                  StandaloneUse use, RoutineCalls calls = RoutineCalls::kInlined) {
  StandaloneOptions options;
  options.use = use;
  options.table_name = table.name;
  options.columns = columns;
  options.calls = calls;
  return bind_standalone_expression(text, ctx.bind_context(), options);
}

// One element of the list at a time; what it names is added to an index.
class IndexReader {
 public:
  IndexReader(DdlContext& ctx, const TableDef& table, IndexMethod method) : ctx_(ctx), table_(table), method_(method), columns_(standalone_columns(table)) {}

  Result<BoundExpression> bind(const ParseNode* node, StandaloneUse use) {
    StandaloneOptions options;
    options.use = use;
    options.table_name = table_.name;
    options.columns = columns_;
    options.calls = RoutineCalls::kShown;
    return bind_standalone_node(node, ctx_.statement.text, ctx_.bind_context(), options);
  }
  /// `expr` as it is stored: with the bodies of users' functions in place of calls, and as it was written.
  Status store(const Expr* expr, StandaloneUse use, std::string* stored, std::string* written) {
    const DefinitionStyle style{column_names(table_), nullptr, false};
    *stored = deparse(expr, style);
    if (!contains_routine(expr)) return {};
    *written = *stored;
    WANDIAN_TRY(bind_text(ctx_, table_, columns_, *written, use, RoutineCalls::kMatched).take_status());
    WANDIAN_ASSIGN(const BoundExpression expanded, bind_text(ctx_, table_, columns_, *written, use, RoutineCalls::kExpanded));
    *stored = deparse(expanded.expr, style);
    return {};
  }

  Result<IndexPart> key(const PgQuery__IndexElem& element) {
    WANDIAN_ASSIGN(IndexPart part, column_or_expression(element));
    const Oid type = key_part_type(table_, part);
    WANDIAN_TRY(read_collation(element, type, &part));
    WANDIAN_TRY(read_class(element, type, &part));
    WANDIAN_TRY(read_order(element, &part));
    return part;
  }
  Result<IndexPart> included(const PgQuery__IndexElem& element) {
    if (element.n_collation != 0) return Status{sqlstate::invalid_object_definition, "including column does not support a collation"};
    if (element.n_opclass != 0) return Status{sqlstate::invalid_object_definition, "including column does not support an operator class"};
    if (element.ordering != PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT)
      return Status{sqlstate::invalid_object_definition, "including column does not support ASC/DESC options"};
    if (element.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT)
      return Status{sqlstate::invalid_object_definition, "including column does not support NULLS FIRST/LAST options"};
    if (element.expr != nullptr) return feature_not_supported("expressions are not supported in included columns");
    return column_or_expression(element);
  }

 private:
  Result<IndexPart> column_or_expression(const PgQuery__IndexElem& element) {
    IndexPart part;
    if (element.expr == nullptr) {
      const int column = table_.find_column(text_or_empty(element.name));
      for (const std::string_view system : {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"})
        if (text_or_empty(element.name) == system) return feature_not_supported("index creation on system columns is not supported");
      if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(text_or_empty(element.name)) + " does not exist"};
      part.column = static_cast<std::uint16_t>(column);
      return part;
    }
    const bool constant = element.expr->node_case == PG_QUERY__NODE__NODE_A_CONST;
    if (constant && (element.expr->a_const->isnull || element.expr->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL))
      return Status{sqlstate::undefined_object, "data type unknown has no default operator class for access method " + quoted(method_name(method_))}.with_hint(
          "You must specify an operator class for the index or define a default operator class for the data type.");
    WANDIAN_ASSIGN(const BoundExpression bound, bind(element.expr, StandaloneUse::kIndex));
    const std::string_view collation = explicit_collation(bound.expr);
    const Expr* plain = collation.empty() ? bound.expr : bound.expr->as<UnaryExpr>().arg;
    if (plain->kind == ExprKind::kColumn) {   // a column in parentheses, with COLLATE or without
      const std::int16_t column = plain->as<ColumnExpr>().column;
      if (column < 0) return feature_not_supported("index creation on system columns is not supported");
      part.column = static_cast<std::uint16_t>(column);
      const std::string& own = table_.columns[part.column].collation;
      if (!collation.empty() && collation != (own.empty() ? "default" : own)) part.collation = collation;
      return part;
    }
    for (const ColumnUse& use : collect_columns(bound.expr))
      if (use.column < 0) return feature_not_supported("index creation on system columns is not supported");
    part.column = kExpressionPart;
    WANDIAN_TRY(store(bound.expr, StandaloneUse::kIndex, &part.expression, &part.written));
    part.type = bound.expr->type;
    part.typmod = bound.expr->typmod;
    if (bound.expr->collation == kIndeterminateCollation) {
      return Status{sqlstate::indeterminate_collation, "could not determine which collation to use for index expression"}.with_hint(
          "Use the COLLATE clause to set the collation explicitly.");
    }
    part.collation = own_collation(*bound.expr);
    const std::string_view given = text_or_empty(element.indexcolname);
    part.name = given.empty() ? column_name_of(element.expr) : given;
    if (part.name == "?column?") part.name = "expr";
    const TypeInfo* type = find_type(part.type);
    if (type == nullptr || type->category == 'P')
      return Status{sqlstate::invalid_table_definition, "column " + quoted(part.name) + " has pseudo-type " + format_type(part.type)};
    return part;
  }

  Status read_collation(const PgQuery__IndexElem& element, Oid type, IndexPart* part) {
    if (element.n_collation == 0) return {};
    WANDIAN_ASSIGN(const std::string name, resolve_collation({element.collation, element.n_collation}, ctx_.bind_context()));
    if (!is_collatable(type))
      return Status{sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(type)};
    const std::string own = part->column != kExpressionPart  ? table_.columns[part->column].collation
                            : part->collation.empty() ? std::string() : part->collation.substr(1);
    if (name != (own.empty() ? "default" : own)) part->collation = name;
    return {};
  }

  Status read_class(const PgQuery__IndexElem& element, Oid type, IndexPart* part) const {
    if (element.n_opclass == 0) return check_indexable(type, method_);
    const std::string name = last_name(element.opclass, element.n_opclass);
    const Oid method = method_oid(method_);
    bool known = false;
    for (const OperatorClass& one : operator_classes()) {
      if (one.method != method || one.name != name) continue;
      known = true;
      if (!accepts_type(one, base_type(type))) continue;
      if (!one.is_default) part->opclass = name;
      return check_indexable(type, method_);
    }
    if (known)
      return Status{sqlstate::datatype_mismatch, "operator class " + quoted(name) + " does not accept data type " + format_type(type)};
    return Status{sqlstate::undefined_object, "operator class " + quoted(name) + " does not exist for access method " + quoted(method_name(method_))};
  }

  Status read_order(const PgQuery__IndexElem& element, IndexPart* part) const {
    const bool order = element.ordering != PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT, nulls = element.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT;
    if (method_ != IndexMethod::kBtree) {
      const std::string of = "access method " + quoted(method_name(method_));
      if (order) return feature_not_supported(of + " does not support ASC/DESC options");
      if (nulls) return feature_not_supported(of + " does not support NULLS FIRST/LAST options");
      return {};
    }
    part->descending = element.ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
    part->nulls_first = element.nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
                        (part->descending && element.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST);
    return {};
  }

  DdlContext& ctx_;
  const TableDef& table_;
  const IndexMethod method_;
  const std::vector<StandaloneColumn> columns_;
};

std::string column_name(const TableDef& table, const IndexPart& part) {
  return part.column < table.columns.size() ? table.columns[part.column].name : part.name;
}

// The names of an index's columns; one that is there twice gets a number, as PostgreSQL names it.
std::vector<std::string> column_names_of(const TableDef& table, const IndexDef& index) {
  std::vector<std::string> names;
  for (const IndexPart& part : index.parts) {
    const std::string base = column_name(table, part);
    std::string name = base;
    for (int n = 1; std::find(names.begin(), names.end(), name) != names.end(); ++n) name = base + std::to_string(n);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

void name_index_columns(const TableDef& table, IndexDef* index) {
  std::vector<std::string> names = column_names_of(table, *index);
  for (std::size_t i = 0; i < names.size(); ++i) index->parts[i].name = std::move(names[i]);
}

Status check_indexable(Oid oid, IndexMethod method) {
  oid = base_type(oid);
  const TypeInfo* type = find_type(oid);
  const std::string name = format_type(oid);
  const auto none = [&] {
    return Status{sqlstate::undefined_object, "data type " + name + " has no default operator class for access method " + quoted(method_name(method))}.with_hint(
        "You must specify an operator class for the index or define a default operator class for the data type.");
  };
  if (type == nullptr || (type->order == Order::kNone && method != IndexMethod::kGin)) return none();
  if (method == IndexMethod::kGin) {
    if (oid == kJsonb) return {};
    const TypeInfo* element = type->category == 'A' && type->element != 0 ? find_type(type->element) : nullptr;
    if (element == nullptr) return none();
    if (element->order == Order::kNone || element->order == Order::kArray || element->order == Order::kJsonb)
      return Status{sqlstate::undefined_function, "could not identify a comparison function for type " + format_type(type->element)};
    return {};
  }
  if (type->order == Order::kArray && type->kind != 'm') {
    const TypeInfo* element = find_type(type->element);
    if (element == nullptr || element->order == Order::kNone)
      return Status{sqlstate::undefined_function, "could not identify a comparison function for type " + format_type(type->element)};
  }
  return {};
}

std::string choose_index_name(DdlContext& ctx, Changes& changes, const TableDef& table, const IndexDef& index) {
  return choose_relation_name(ctx, changes, table.name, joined_column_names(column_names_of(table, index)), "idx", table.schema, false);
}

Result<IndexDef> make_index(DdlContext& ctx, Changes& changes, const TableDef& table, const PgQuery__IndexStmt& node) {
  const std::string_view space = text_or_empty(node.table_space);
  if (!space.empty() && space != "pg_default") return Status{sqlstate::undefined_object, "tablespace " + quoted(space) + " does not exist"};
  if (!space.empty() && table.is_partitioned()) return feature_not_supported("cannot specify default tablespace for partitioned relations");
  IndexDef index;
  WANDIAN_ASSIGN(index.method, find_method(text_or_empty(node.access_method)));
  WANDIAN_TRY(check_method(index.method, node));
  index.unique = node.unique;
  index.nulls_not_distinct = node.nulls_not_distinct;
  if (node.n_index_params + node.n_index_including_params > 32) return Status{sqlstate::too_many_columns, "cannot use more than 32 columns in an index"};
  IndexReader reader(ctx, table, index.method);
  for (std::size_t i = 0; i < node.n_index_params; ++i) {
    WANDIAN_ASSIGN(IndexPart part, reader.key(*node.index_params[i]->index_elem));
    index.parts.push_back(std::move(part));
  }
  index.key_parts = static_cast<std::uint16_t>(node.n_index_params);
  for (std::size_t i = 0; i < node.n_index_including_params; ++i) {
    WANDIAN_ASSIGN(IndexPart part, reader.included(*node.index_including_params[i]->index_elem));
    index.parts.push_back(std::move(part));
  }
  if (node.where_clause != nullptr) {
    WANDIAN_ASSIGN(const BoundExpression bound, reader.bind(node.where_clause, StandaloneUse::kIndexPredicate));
    WANDIAN_TRY(reader.store(bound.expr, StandaloneUse::kIndexPredicate, &index.predicate, &index.written_predicate));
  }
  WANDIAN_TRY(read_options(node.options, node.n_options, index.method, &index.options));
  name_index_columns(table, &index);
  index.name = text_or_empty(node.idxname);
  if (index.name.empty()) index.name = choose_index_name(ctx, changes, table, index);
  index.oid = ctx.allocate_oid();
  return index;
}

Result<std::vector<std::uint16_t>> columns_of_index(DdlContext& ctx, const TableDef& table, const IndexDef& index) {
  std::vector<std::uint16_t> out;
  const std::vector<StandaloneColumn> columns = standalone_columns(table);
  const auto add = [&](const std::string& text, StandaloneUse use) -> Status {
    WANDIAN_ASSIGN(const BoundExpression bound, bind_text(ctx, table, columns, text, use));
    for (const ColumnUse& used : collect_columns(bound.expr)) out.push_back(static_cast<std::uint16_t>(used.column));
    return {};
  };
  for (const IndexPart& part : index.parts) {
    if (part.column != kExpressionPart) out.push_back(part.column);
    else WANDIAN_TRY(add(part.expression, StandaloneUse::kIndex));
  }
  if (!index.predicate.empty()) WANDIAN_TRY(add(index.predicate, StandaloneUse::kIndexPredicate));
  return out;
}

Status reprint_indexes(DdlContext& ctx, const TableDef& old, TableDef* table) {
  const std::vector<StandaloneColumn> columns = standalone_columns(old);
  const DefinitionStyle style{column_names(*table), nullptr, false};
  const auto reprint_written = [&](std::string* text, StandaloneUse use) -> Status {
    if (text->empty()) return {};
    WANDIAN_ASSIGN(const BoundExpression bound, bind_text(ctx, old, columns, *text, use, RoutineCalls::kShown));
    *text = deparse(bound.expr, style);
    return {};
  };
  for (IndexDef& index : table->indexes) {
    for (IndexPart& part : index.parts) {
      if (part.column != kExpressionPart) continue;
      WANDIAN_ASSIGN(const BoundExpression bound, bind_text(ctx, old, columns, part.expression, StandaloneUse::kIndex));
      WANDIAN_TRY(check_indexable(bound.expr->type, index.method));
      part.expression = deparse(bound.expr, style);
      WANDIAN_TRY(reprint_written(&part.written, StandaloneUse::kIndex));
      part.type = bound.expr->type;
      part.typmod = bound.expr->typmod;
      if (part.collation.empty() || part.collation[0] == '=') part.collation = own_collation(*bound.expr);
    }
    if (index.predicate.empty()) continue;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_text(ctx, old, columns, index.predicate, StandaloneUse::kIndexPredicate));
    index.predicate = deparse(bound.expr, style);
    WANDIAN_TRY(reprint_written(&index.written_predicate, StandaloneUse::kIndexPredicate));
  }
  return {};
}

}  // namespace wandian::sql
