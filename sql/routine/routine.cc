#include "sql/routine/routine.h"

#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "sql/functions/bindings.h"
#include "sql/functions/extension_functions.h"
#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

// Plans and compiled checks point to it, so it is kept for good, once for each function that an extension or a range type declares.
const FunctionDef* built_in_of(const Routine& routine) {
  const FunctionObject& declared = routine.declaration;
  const ExtensionSymbol* symbol = declared.language == "c" ? find_extension_function(declared.module, declared.symbol, routine.def.args.size()) : nullptr;
  const TypedFn typed = declared.language == "internal" ? find_range_constructor(declared.source) : nullptr;
  if (symbol == nullptr && typed == nullptr) return nullptr;
  static std::mutex mutex;
  static auto& kept = *new std::map<std::pair<Oid, std::string>, std::unique_ptr<const FunctionDef>>;
  const std::lock_guard lock(mutex);
  auto& entry = kept[{routine.oid, declared.symbol + declared.source + "(" + declared.object_name()}];
  if (entry == nullptr) {
    static auto& names = *new std::deque<std::string>;
    auto made = std::make_unique<FunctionDef>(routine.def);
    made->name = names.emplace_back(declared.name);
    for (std::vector<std::string_view>* list : {&made->arg_names, &made->out_names})
      for (std::string_view& name : *list) name = names.emplace_back(name);   // the routine does not live as long
    made->routine = nullptr;
    if (symbol != nullptr) {
      made->fn = symbol->fn;
      made->set_fn = symbol->set;
    }
    made->typed_fn = typed;
    entry = std::move(made);
  }
  return entry.get();
}

bool is_input(char mode) { return mode == 'i' || mode == 'b' || mode == 'v'; }

}  // namespace

std::shared_ptr<const Routine> compile_routine(const Catalog& catalog, const ObjectDef& object) {
  std::optional<FunctionObject> declaration = FunctionObject::decode(object.definition);
  if (!declaration || declaration->is_native()) return nullptr;
  static std::atomic<std::uint64_t> last_id{0};
  auto routine = std::make_shared<Routine>();
  routine->id = 1 + last_id.fetch_add(1, std::memory_order_relaxed);
  routine->declaration = std::move(*declaration);
  const FunctionObject& declared = routine->declaration;
  routine->oid = object.oid;
  routine->schema = object.parent;
  routine->owner = object.owner;
  if (const auto schema = catalog.schema(object.parent)) routine->schema_name = schema->name;
  FunctionDef& def = routine->def;
  def.oid = object.oid;
  def.name = declared.name;
  def.result = declared.result;
  def.args = declared.arguments;
  def.strict = declared.strict;
  def.volatility = static_cast<Volatility>(declared.volatility);
  def.kind = declared.is_procedure ? 'p' : 'f';
  def.returns_set = declared.returns_set;
  def.routine = routine.get();
  for (std::size_t i = 0; i < declared.parameters.size(); ++i) {
    const FunctionObject::Parameter& parameter = declared.parameters[i];
    if (is_input(parameter.mode)) {
      routine->inputs.push_back(i);
      if (parameter.has_default) ++routine->defaults;
    }
    if (parameter.mode == 'v') {
      const TypeInfo* type = find_type(parameter.type);
      def.variadic = parameter.type == type_oid::kAny        ? type_oid::kAny
                     : parameter.type == type_oid::kAnyArray ? type_oid::kAnyElement
                     : type != nullptr                       ? type->element
                                                             : 0;
      if (parameter.type == type_oid::kAnyCompatibleArray) def.variadic = type_oid::kAnyCompatible;
    }
    if (parameter.mode == 'o' || parameter.mode == 'b' || parameter.mode == 't') routine->outputs.push_back(i);
  }
  def.defaults = static_cast<std::uint8_t>(routine->defaults);
  if (declared.result == type_oid::kRecord) {
    for (std::size_t i = 0; i < routine->outputs.size(); ++i) {
      const FunctionObject::Parameter& parameter = declared.parameters[routine->outputs[i]];
      def.out_names.push_back(parameter.name);
      def.out_types.push_back(parameter.type);
    }
  }
  if (declared.language == "c" || declared.language == "internal") {
    routine->built_in = built_in_of(*routine);
    if (routine->built_in == nullptr) return nullptr;
  }
  return routine;
}

std::string routine_signature(const Routine& routine, bool qualified) {
  std::string out;
  if (qualified) out = quote_identifier(routine.schema_name) + ".";
  out += quote_identifier(routine.declaration.name) + "(";
  for (std::size_t i = 0; i < routine.declaration.arguments.size(); ++i)
    out += (i != 0 ? "," : "") + format_type(routine.declaration.arguments[i]);
  return out + ")";
}

}  // namespace wandian::sql
