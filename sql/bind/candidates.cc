// Choosing among functions and operators: PostgreSQL manual, chapter 10 (Type Conversion).
#include <algorithm>
#include <array>

#include "sql/bind/internal.h"
#include "sql/types/multirange.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

bool is_polymorphic(Oid type) {
  switch (type) {
    case kAnyElement: case kAnyArray: case kAnyNonArray: case kAnyEnum: case kAnyRange: case kAnyMultirange:
    case kAnyCompatible: case kAnyCompatibleArray: case kAnyCompatibleNonArray: return true;
    default: return false;
  }
}

char type_category(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr ? info->category : 'U';
}

bool is_preferred(char category, Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr && info->category == category && info->preferred;
}

Oid element_type_of(Oid array) {
  const TypeInfo* info = find_type(array);
  // name has an element type for subscripting, but is no array.
  return info != nullptr && info->category == 'A' ? info->element : (array == 2287 ? kRecord : 0);
}

Oid array_type_of(Oid element) {
  const TypeInfo* info = find_type(element);
  if (info == nullptr) return 0;
  if (info->oid == kRecord) return 2287;
  return info->array;
}

std::string type_text(Oid type) { return format_type(type); }

std::string signature_text(std::string_view name, std::span<const Oid> args, std::span<const std::string_view> names) {
  std::string out(name);
  out += '(';
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += ", ";
    const std::size_t positional = args.size() - names.size();
    if (i >= positional) out += std::string(names[i - positional]) + " => ";
    out += type_text(args[i]);
  }
  out += ')';
  return out;
}

bool is_binary_coercible(Oid source, Oid target) {
  source = base_type(source);
  if (source == target || target == kAny) return true;
  if (target == kAnyElement || target == kAnyCompatible) return true;
  const Oid element = element_type_of(source);
  if ((target == kAnyArray || target == kAnyCompatibleArray) && element != 0) return true;
  if (target == kRecord && type_kind(source) == 'c') return true;
  if (target == kAnyEnum && type_kind(source) == 'e') return true;
  if (target == kAnyRange && type_kind(source) == 'r') return true;
  if (target == kAnyMultirange && type_kind(source) == 'm') return true;
  if ((target == kAnyNonArray || target == kAnyCompatibleNonArray) && element == 0) return true;
  const CastDef* cast = find_cast(source, target);
  return cast != nullptr && cast->method == CastDef::Method::kBinary && cast->context == CastDef::Context::kImplicit;
}

CoercePath find_coercion(Oid target, Oid source, CoerceContext context, const FunctionDef** function) {
  *function = nullptr;
  source = base_type(source);
  target = base_type(target);
  if (source == target) return CoercePath::kRelabel;
  if (const CastDef* cast = find_cast(source, target)) {
    CoerceContext needed = CoerceContext::kExplicit;
    if (cast->context == CastDef::Context::kImplicit) needed = CoerceContext::kImplicit;
    if (cast->context == CastDef::Context::kAssignment) needed = CoerceContext::kAssignment;
    if (context < needed) return CoercePath::kNone;
    switch (cast->method) {
      case CastDef::Method::kFunction:
        *function = sql::find_function(cast->function);
        return *function != nullptr ? CoercePath::kFunction : CoercePath::kNone;
      case CastDef::Method::kInOut: return CoercePath::kIo;
      case CastDef::Method::kBinary: return CoercePath::kRelabel;
    }
  }
  // A range of users becomes its multirange by the code that does it for PostgreSQL's own.
  if (context == CoerceContext::kExplicit && type_kind(source) == 'r' && type_kind(target) == 'm' && find_type(target)->base == source) {
    *function = sql::find_function(find_cast(kInt4Range, kInt4Multirange)->function);
    return CoercePath::kFunction;
  }
  // Rows of a type of their own are records; the reverse is for row constructors alone (Binder::row_to_composite).
  if (target == kRecord && type_kind(source) == 'c') return CoercePath::kRelabel;
  if (target == 2287 && type_kind(element_type_of(source)) == 'c') return CoercePath::kRelabel;
  const Oid target_element = target == kOidVector || target == kInt2Vector ? 0 : element_type_of(target);
  const Oid source_element = element_type_of(source);
  if (target_element != 0 && source_element != 0) {
    const FunctionDef* element_function = nullptr;
    const CoercePath path = find_coercion(target_element, source_element, context, &element_function);
    if (path != CoercePath::kNone) return CoercePath::kArray;
  }
  if (context >= CoerceContext::kAssignment && type_category(target) == 'S') return CoercePath::kIo;
  if (context >= CoerceContext::kExplicit && type_category(source) == 'S') return CoercePath::kIo;
  return CoercePath::kNone;
}

bool can_coerce(std::span<const Oid> inputs, std::span<const Oid> targets, CoerceContext context) {
  bool generic = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Oid input = inputs[i];
    const Oid target = targets[i];
    if (input == target || target == kAny) continue;
    if (is_polymorphic(target)) {
      generic = true;
      continue;
    }
    if (input == kUnknown) continue;
    const FunctionDef* function = nullptr;
    if (find_coercion(target, input, context, &function) != CoercePath::kNone) continue;
    if (input == kRecord && type_category(target) == 'C') continue;
    if (target == 2287 && element_type_of(input) == kRecord) continue;
    return false;
  }
  return !generic || polymorphic_consistent(inputs, targets);
}

bool polymorphic_consistent(std::span<const Oid> actual, std::span<const Oid> declared) {
  Oid element = 0, array = 0, range = 0, multirange = 0;
  bool non_array = false, is_enum = false, compatible_non_array = false, has_compatible_array = false;
  std::vector<Oid> compatible;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const Oid type = actual[i];
    switch (declared[i]) {
      case kAnyElement: case kAnyNonArray: case kAnyEnum:
        if (declared[i] == kAnyNonArray) non_array = true;
        if (declared[i] == kAnyEnum) is_enum = true;
        if (type == kUnknown) break;
        if (element != 0 && type != element) return false;
        element = type;
        break;
      case kAnyRange:
        if (type == kUnknown) break;
        if (type_kind(type) != 'r' || (range != 0 && type != range)) return false;
        range = type;
        break;
      case kAnyMultirange:
        if (type == kUnknown) break;
        if (type_kind(type) != 'm' || (multirange != 0 && type != multirange)) return false;
        multirange = type;
        break;
      case kAnyArray:
        if (type == kUnknown) break;
        if (array != 0 && type != array) return false;
        array = type;
        break;
      case kAnyCompatible: case kAnyCompatibleNonArray:
        if (declared[i] == kAnyCompatibleNonArray) compatible_non_array = true;
        if (type != kUnknown) compatible.push_back(type);
        break;
      case kAnyCompatibleArray: {
        has_compatible_array = true;
        if (type == kUnknown) break;
        const Oid of = element_type_of(type);
        if (of == 0) return false;
        compatible.push_back(of);
        break;
      }
      default: break;
    }
  }
  if (multirange != 0) {
    const Oid of = find_type(multirange)->base;
    if (range != 0 && range != of) return false;
    range = of;
  }
  if (range != 0) {
    const Oid subtype = find_type(range)->base;
    if (element != 0 && element != subtype) return false;
    element = subtype;
  }
  if (array != 0) {
    if (array == kAnyArray) {
      if (element != 0) return false;
    } else {
      const Oid of = element_type_of(array);
      if (of == 0) return false;
      if (element != 0 && element != of) return false;
      element = of;
    }
  }
  if (non_array && element != 0 && element_type_of(element) != 0) return false;
  if (is_enum && type_kind(element) != 'e') return false;
  if (!compatible.empty()) {
    // The common type: the same walk as for UNION, without an error.
    Oid common = compatible[0];
    for (const Oid type : compatible) {
      if (type == common) continue;
      if (type_category(type) != type_category(common)) return false;
      const FunctionDef* function = nullptr;
      if (!is_preferred(type_category(common), common) &&
          find_coercion(type, common, CoerceContext::kImplicit, &function) != CoercePath::kNone &&
          find_coercion(common, type, CoerceContext::kImplicit, &function) == CoercePath::kNone) {
        common = type;
      }
    }
    if (has_compatible_array && array_type_of(common) == 0) return false;
    if (compatible_non_array && element_type_of(common) != 0) return false;
  }
  return true;
}

Oid resolve_polymorphic(std::span<const Oid> actual, std::vector<Oid>* declared, Oid result, std::string_view what) {
  Oid element = 0, array = 0, range = 0, multirange = 0;
  bool any_poly = false, need_non_array = false, need_enum = false;
  std::vector<Oid> compatible;
  bool compatible_needed = false;
  for (std::size_t i = 0; i < declared->size() && i < actual.size(); ++i) {
    const Oid type = actual[i];
    switch ((*declared)[i]) {
      case kAnyElement: case kAnyNonArray: case kAnyEnum:
        any_poly = true;
        if ((*declared)[i] == kAnyNonArray) need_non_array = true;
        if ((*declared)[i] == kAnyEnum) need_enum = true;
        if (type == kUnknown) break;
        if (element != 0 && type != element) {
          fail(Status{sqlstate::datatype_mismatch, "arguments declared \"anyelement\" are not all alike"}.with_detail(
              type_text(element) + " versus " + type_text(type)));
        }
        element = type;
        break;
      case kAnyRange:
        any_poly = true;
        if (type == kUnknown) break;
        if (range != 0 && type != range) {
          fail(Status{sqlstate::datatype_mismatch, "arguments declared \"anyrange\" are not all alike"}.with_detail(
              type_text(range) + " versus " + type_text(type)));
        }
        range = type;
        break;
      case kAnyMultirange:
        any_poly = true;
        if (type == kUnknown) break;
        if (multirange != 0 && type != multirange) {
          fail(Status{sqlstate::datatype_mismatch, "arguments declared \"anymultirange\" are not all alike"}.with_detail(
              type_text(multirange) + " versus " + type_text(type)));
        }
        multirange = type;
        break;
      case kAnyArray:
        any_poly = true;
        if (type == kUnknown) break;
        if (array != 0 && type != array) {
          fail(Status{sqlstate::datatype_mismatch, "arguments declared \"anyarray\" are not all alike"}.with_detail(
              type_text(array) + " versus " + type_text(type)));
        }
        array = type;
        break;
      case kAnyCompatible: case kAnyCompatibleNonArray:
        compatible_needed = true;
        if (type != kUnknown) compatible.push_back(type);
        break;
      case kAnyCompatibleArray:
        compatible_needed = true;
        if (type == kUnknown) break;
        if (element_type_of(type) == 0) {
          fail(Status{sqlstate::datatype_mismatch, "argument declared anycompatiblearray is not an array but type " + type_text(type)});
        }
        compatible.push_back(element_type_of(type));
        break;
      default: break;
    }
  }
  const bool result_poly = is_polymorphic(result);
  if (!any_poly && !compatible_needed) {
    if (result_poly) fail(Status{sqlstate::datatype_mismatch, "could not determine polymorphic type"});
    return result;
  }
  if (any_poly) {
    if (multirange != 0) {
      if (type_kind(multirange) != 'm') {
        fail(Status{sqlstate::datatype_mismatch, "argument declared anymultirange is not a multirange type but type " + type_text(multirange)});
      }
      const Oid of = find_type(multirange)->base;
      if (range != 0 && range != of) {
        fail(Status{sqlstate::datatype_mismatch, "argument declared anymultirange is not consistent with argument declared anyrange"}.with_detail(
            type_text(multirange) + " versus " + type_text(range)));
      }
      range = of;
    }
    if (range != 0) {
      if (type_kind(range) != 'r') fail(Status{sqlstate::datatype_mismatch, "argument declared anyrange is not a range type but type " + type_text(range)});
      const Oid subtype = find_type(range)->base;
      if (element != 0 && element != subtype) {
        fail(Status{sqlstate::datatype_mismatch, "argument declared anyrange is not consistent with argument declared anyelement"}.with_detail(
            type_text(range) + " versus " + type_text(element)));
      }
      element = subtype;
    }
    if (array != 0 && array != kAnyArray) {
      const Oid of = element_type_of(array);
      if (of == 0) {
        fail(Status{sqlstate::datatype_mismatch, "argument declared anyarray is not an array but type " + type_text(array)});
      }
      if (element != 0 && element != of) {
        fail(Status{sqlstate::datatype_mismatch, "argument declared anyarray is not consistent with argument declared anyelement"}
                 .with_detail(type_text(array) + " versus " + type_text(element)));
      }
      element = of;
    }
    if (element == 0 && array != kAnyArray) {
      fail(Status{sqlstate::datatype_mismatch, "could not determine polymorphic type because input has type unknown"});
    }
    if (need_non_array && element_type_of(element) != 0) {
      fail(Status{sqlstate::datatype_mismatch, "type matched to anynonarray is an array type: " + type_text(element)});
    }
    if (need_enum && type_kind(element) != 'e') {
      fail(Status{sqlstate::datatype_mismatch, "type matched to anyenum is not an enum type: " + type_text(element)});
    }
    if (array == 0) array = array_type_of(element);
    if (multirange == 0 && range != 0) multirange = multirange_type_of(range);
  }
  Oid common = 0;
  if (compatible_needed) {
    if (compatible.empty()) {
      common = kText;
    } else {
      common = compatible[0];
      for (const Oid type : compatible) {
        if (type == common) continue;
        const FunctionDef* function = nullptr;
        if (type_category(type) != type_category(common)) {
          fail(Status{sqlstate::datatype_mismatch, "arguments of anycompatible family cannot be cast to a common type"});
        }
        if (!is_preferred(type_category(common), common) &&
            find_coercion(type, common, CoerceContext::kImplicit, &function) != CoercePath::kNone &&
            find_coercion(common, type, CoerceContext::kImplicit, &function) == CoercePath::kNone) {
          common = type;
        }
      }
    }
  }
  const auto need_array = [&](Oid type, Oid of) {
    if (type == 0) fail(Status{sqlstate::undefined_object, "could not find array type for data type " + type_text(of)});
    return type;
  };
  for (Oid& type : *declared) {
    switch (type) {
      case kAnyElement: case kAnyNonArray: case kAnyEnum: type = element; break;
      case kAnyRange: type = range; break;
      case kAnyMultirange: type = multirange; break;
      case kAnyArray: type = need_array(array, element); break;
      case kAnyCompatible: case kAnyCompatibleNonArray: type = common; break;
      case kAnyCompatibleArray: type = need_array(array_type_of(common), common); break;
      default: break;
    }
  }
  switch (result) {
    case kAnyElement: case kAnyNonArray: case kAnyEnum:
      if (element == 0) fail(Status{sqlstate::datatype_mismatch, "could not determine polymorphic type of " + std::string(what)});
      return element;
    case kAnyRange:
      if (range == 0) fail(Status{sqlstate::datatype_mismatch, "could not determine polymorphic type of " + std::string(what)});
      return range;
    case kAnyMultirange:
      if (multirange == 0) fail(Status{sqlstate::datatype_mismatch, "could not determine polymorphic type of " + std::string(what)});
      return multirange;
    case kAnyArray: return need_array(array != 0 ? array : array_type_of(element), element);
    case kAnyCompatible: case kAnyCompatibleNonArray: return common;
    case kAnyCompatibleArray: return need_array(array_type_of(common), common);
    default: return result;
  }
}

namespace {

// Keeps the candidates for which `score` is highest.
template <class Score>
void keep_best(std::vector<int>* alive, Score score) {
  int best = 0;
  std::vector<int> kept;
  for (const int i : *alive) {
    const int value = score(i);
    if (value > best) {
      best = value;
      kept.clear();
    }
    if (value == best) kept.push_back(i);
  }
  *alive = std::move(kept);
}

}  // namespace

int choose_candidate(std::span<const Candidate> candidates, std::span<const Oid> inputs) {
  std::vector<int> alive;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].args.size() == inputs.size() && can_coerce(inputs, candidates[i].args, CoerceContext::kImplicit)) {
      alive.push_back(static_cast<int>(i));
    }
  }
  if (alive.empty()) return -1;
  if (alive.size() == 1) return alive[0];
  const auto arg = [&](int i, std::size_t k) { return candidates[static_cast<std::size_t>(i)].args[k]; };

  keep_best(&alive, [&](int i) {
    int exact = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) exact += inputs[k] != kUnknown && arg(i, k) == inputs[k] ? 1 : 0;
    return exact;
  });
  if (alive.size() == 1) return alive[0];

  keep_best(&alive, [&](int i) {
    int matches = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (inputs[k] == kUnknown) continue;
      if (arg(i, k) == inputs[k] || is_preferred(type_category(inputs[k]), arg(i, k))) ++matches;
    }
    return matches;
  });
  if (alive.size() == 1) return alive[0];

  const auto unknowns = std::count(inputs.begin(), inputs.end(), kUnknown);
  if (unknowns == 0) return -2;

  // Unknown arguments: string if any candidate takes one there, else the category they all share.
  std::vector<char> category(inputs.size(), '\0');
  std::vector<bool> preferred(inputs.size(), false);
  bool resolved = true;
  for (std::size_t k = 0; k < inputs.size() && resolved; ++k) {
    if (inputs[k] != kUnknown) continue;
    bool conflict = false, have_preferred = false;
    for (const int i : alive) {
      const TypeInfo* info = find_type(arg(i, k));
      const char current = info != nullptr ? info->category : 'U';
      const bool current_preferred = info != nullptr && info->preferred;
      if (category[k] == '\0') {
        category[k] = current;
        have_preferred = current_preferred;
      } else if (category[k] == current) {
        have_preferred = have_preferred || current_preferred;
      } else if (current == 'S') {
        category[k] = 'S';
        have_preferred = current_preferred;
        conflict = false;
        // A string settles it, whatever the others are.
      } else if (category[k] != 'S') {
        conflict = true;
      }
    }
    if (conflict && category[k] != 'S') resolved = false;
    preferred[k] = have_preferred;
  }
  if (resolved) {
    std::vector<int> kept;
    for (const int i : alive) {
      bool keep = true;
      for (std::size_t k = 0; k < inputs.size() && keep; ++k) {
        if (inputs[k] != kUnknown) continue;
        const TypeInfo* info = find_type(arg(i, k));
        const char current = info != nullptr ? info->category : 'U';
        if (current != category[k]) keep = false;
        if (preferred[k] && (info == nullptr || !info->preferred)) keep = false;
      }
      if (keep) kept.push_back(i);
    }
    if (!kept.empty()) alive = std::move(kept);
    if (alive.size() == 1) return alive[0];
  }

  // Last: suppose the unknown ones are of the one type that all known ones have.
  if (static_cast<std::size_t>(unknowns) < inputs.size()) {
    Oid known = 0;
    for (const Oid input : inputs) {
      if (input == kUnknown) continue;
      if (known == 0) known = input;
      if (known != input) return -2;
    }
    const std::vector<Oid> assumed(inputs.size(), known);
    int found = -1;
    for (const int i : alive) {
      if (!can_coerce(assumed, candidates[static_cast<std::size_t>(i)].args, CoerceContext::kImplicit)) continue;
      if (found >= 0) return -2;
      found = i;
    }
    if (found >= 0) return found;
  }
  return -2;
}

const FunctionDef* length_function(Oid type) {
  const CastDef* cast = find_cast(type, type);
  return cast != nullptr && cast->method == CastDef::Method::kFunction ? sql::find_function(cast->function) : nullptr;
}

}  // namespace wandian::sql
