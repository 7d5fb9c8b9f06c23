// pg_type and its company: the built-in types, those that users made, and the row types of relations.
#include "sql/catalog/producers.h"
#include "sql/catalog/stored_objects.h"
#include "sql/functions/registry.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

/// OIDs of pg_proc.
namespace in_out {
constexpr Oid kArrayIn = 750, kArrayOut = 751, kArrayReceive = 2400, kArraySend = 2401, kArrayAnalyze = 3816, kArraySubscript = 6179,
              kDomainIn = 2597, kDomainReceive = 2598, kEnumIn = 3506, kEnumOut = 3507, kEnumReceive = 3532, kEnumSend = 3533,
              kRangeIn = 3834, kRangeOut = 3835, kRangeReceive = 3836, kRangeSend = 3837, kRangeAnalyze = 3916, kMultirangeIn = 4231, kMultirangeOut = 4232,
              kMultirangeReceive = 4233, kMultirangeSend = 4234, kMultirangeAnalyze = 4242, kRecordIn = 2290, kRecordOut = 2291, kRecordReceive = 2402, kRecordSend = 2403;
}  // namespace in_out

struct TypeRow {
  Oid oid = 0, schema = 0, owner = 0, relation = 0, element = 0, array = 0, subscript = 0;
  Oid input = 0, output = 0, receive = 0, send = 0, analyze = 0, base = 0, collation = 0;
  std::string name;
  std::int16_t length = -1;
  bool by_value = false, not_null = false;
  char kind = 'b', category = 'U', align = 'i', storage = 'x';
  std::int32_t typmod = -1, dimensions = 0;
  std::optional<std::string> default_expression, default_stored;
};

void add_type(const SystemContext& context, SystemRows& rows, const TypeRow& t) {
  CatalogRow row(rows);
  row.i(t.oid).t(t.name).i(t.schema).i(t.owner).i(t.length).b(t.by_value).c(t.kind).c(t.category).b(false).b(true).c(',');
  row.i(t.relation).i(t.subscript).i(t.element).i(t.array).i(t.input).i(t.output).i(t.receive).i(t.send).i(0).i(0).i(t.analyze);
  row.c(t.align).c(t.storage).b(t.not_null).i(t.base).i(t.typmod).i(t.dimensions).i(t.collation);
  row.t_or_null(t.default_stored).t_or_null(t.default_expression);
  const ObjectAcl* lists = find_acl(context.catalog, t.oid);
  row.acl(context.catalog, lists != nullptr ? lists->acl : std::nullopt);
  row.done();
}

void add_array_type(const SystemContext& context, SystemRows& rows, const TypeRow& element) {
  TypeRow t;
  t.oid = element.array;
  t.schema = element.schema;
  t.owner = element.owner;
  t.name = "_" + element.name;
  if (t.name.size() > 63) t.name.resize(63);
  t.category = 'A';
  t.element = element.oid;
  t.subscript = in_out::kArraySubscript;
  t.input = in_out::kArrayIn;
  t.output = in_out::kArrayOut;
  t.receive = in_out::kArrayReceive;
  t.send = in_out::kArraySend;
  t.analyze = in_out::kArrayAnalyze;
  t.align = element.align == 'd' ? 'd' : 'i';
  t.collation = element.collation;
  add_type(context, rows, t);
}

void add_row_type(const SystemContext& context, SystemRows& rows, Oid relation, Oid schema, Oid owner, const std::string& name) {
  TypeRow t;
  t.oid = row_type_of(relation);
  t.name = name;
  t.schema = schema;
  t.owner = owner;
  t.kind = 'c';
  t.category = 'C';
  t.relation = relation;
  t.array = find_type(t.oid)->array;
  t.input = in_out::kRecordIn;
  t.output = in_out::kRecordOut;
  t.receive = in_out::kRecordReceive;
  t.send = in_out::kRecordSend;
  t.align = 'd';
  add_type(context, rows, t);
  add_array_type(context, rows, t);
}

void add_enum(const SystemContext& context, SystemRows& rows, const ObjectDef& object, const UserType& definition) {
  TypeRow t;
  t.oid = object.oid;
  t.name = object.name;
  t.schema = object.parent;
  t.owner = object.owner;
  t.kind = 'e';
  t.category = 'E';
  t.length = 4;
  t.by_value = true;
  t.storage = 'p';
  t.array = definition.array;
  t.input = in_out::kEnumIn;
  t.output = in_out::kEnumOut;
  t.receive = in_out::kEnumReceive;
  t.send = in_out::kEnumSend;
  add_type(context, rows, t);
  add_array_type(context, rows, t);
}

// A range type or a multirange type.
void add_range(const SystemContext& context, SystemRows& rows, const ObjectDef& object, const UserType& definition) {
  const bool multi = definition.kind == 'm';
  const TypeInfo* range = find_type(multi ? definition.base : object.oid);
  TypeRow t;
  t.oid = object.oid;
  t.name = object.name;
  t.schema = object.parent;
  t.owner = object.owner;
  t.kind = definition.kind;
  t.category = 'R';
  t.align = range != nullptr && type_facts(base_type(range->base)).align == 'd' ? 'd' : 'i';
  t.array = definition.array;
  t.input = multi ? in_out::kMultirangeIn : in_out::kRangeIn;
  t.output = multi ? in_out::kMultirangeOut : in_out::kRangeOut;
  t.receive = multi ? in_out::kMultirangeReceive : in_out::kRangeReceive;
  t.send = multi ? in_out::kMultirangeSend : in_out::kRangeSend;
  t.analyze = multi ? in_out::kMultirangeAnalyze : in_out::kRangeAnalyze;
  add_type(context, rows, t);
  add_array_type(context, rows, t);
}

void add_domain(const SystemContext& context, SystemRows& rows, const ObjectDef& object, const UserType& definition, SessionHooks& session) {
  const TypeInfo* base = find_type(base_type(object.oid));
  const TypeFunctions* functions = find_type_functions(base->oid);
  const TypeFacts facts = type_facts(base->oid);
  TypeRow t;
  t.oid = object.oid;
  t.name = object.name;
  t.schema = object.parent;
  t.owner = object.owner;
  t.kind = 'd';
  t.category = base->category;
  t.length = base->length;
  t.by_value = facts.by_value;
  t.align = facts.align;
  t.storage = facts.storage;
  t.collation = facts.collation;
  if (!definition.collation.empty()) t.collation = collation_of(base->oid, definition.collation);
  t.array = definition.array;
  t.input = in_out::kDomainIn;
  t.receive = in_out::kDomainReceive;
  t.output = functions != nullptr ? functions->output : base->kind == 'e' ? in_out::kEnumOut : base->category == 'A' ? in_out::kArrayOut : in_out::kRecordOut;
  t.send = functions != nullptr ? functions->send : base->kind == 'e' ? in_out::kEnumSend : base->category == 'A' ? in_out::kArraySend : in_out::kRecordSend;
  t.base = definition.base;
  t.typmod = definition.typmod;
  t.not_null = definition.not_null;
  if (!definition.default_expression.empty()) {
    t.default_expression = session.expression_text(definition.default_expression, 0, false);
    t.default_stored = definition.default_expression;
  }
  add_type(context, rows, t);
  add_array_type(context, rows, t);
}

template <class Visit>
void each_user_type(const SystemContext& context, Visit&& visit) {
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kType, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kType; ++it) {
    const ObjectDef& object = *it->second;
    if (object.compiled != nullptr && in_database(context, object.parent)) visit(object, *static_cast<const UserType*>(object.compiled.get()));
  }
}

Status pg_type(const SystemContext& context, SystemRows& rows) {
  WANDIAN_TRY(produce_facts("pg_type", context, rows));
  for (const auto& [oid, table] : context.catalog.tables())
    if (!table->internal && in_database(context, table->schema)) add_row_type(context, rows, oid, table->schema, table->owner, table->name);
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kView, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kView; ++it)
    if (in_database(context, it->second->parent)) add_row_type(context, rows, it->second->oid, it->second->parent, it->second->owner, it->second->name);
  each_user_type(context, [&](const ObjectDef& object, const UserType& definition) {
    if (definition.kind == 'e') add_enum(context, rows, object, definition);
    if (definition.kind == 'c') add_row_type(context, rows, relation_of_row_type(object.oid), object.parent, object.owner, object.name);
    if (definition.kind == 'r' || definition.kind == 'm') add_range(context, rows, object, definition);
    if (definition.kind == 'd') add_domain(context, rows, object, definition, context.session);
  });
  return {};
}

Status pg_enum(const SystemContext& context, SystemRows& rows) {
  each_user_type(context, [&](const ObjectDef& object, const UserType& definition) {
    for (const EnumLabel& label : definition.labels)
      CatalogRow(rows).i(label.oid).i(object.oid).d(static_cast<double>(label.sort_order)).t(label.text).done();
  });
  return {};
}

Status pg_range(const SystemContext& context, SystemRows& rows) {
  WANDIAN_TRY(produce_facts("pg_range", context, rows));
  each_user_type(context, [&](const ObjectDef& object, const UserType& definition) {
    if (definition.kind != 'r') return;
    const Oid subtype = base_type(definition.base);
    const Oid collation = definition.collation.empty() ? type_facts(subtype).collation : collation_of(subtype, definition.collation);
    CatalogRow(rows).i(object.oid).i(definition.base).i(definition.multirange).i(collation).i(default_opclass(subtype)).i(0).i(definition.difference).done();
  });
  return {};
}

constexpr SystemProducer kTypeProducers[] = {{"pg_type", pg_type}, {"pg_enum", pg_enum}, {"pg_range", pg_range}};

}  // namespace

std::span<const SystemProducer> type_producers() { return kTypeProducers; }

}  // namespace wandian::sql
