#include "sql/functions/bindings.h"

namespace wandian::sql {

std::span<const FunctionBinding> format_bindings() { return {}; }

}  // namespace wandian::sql
