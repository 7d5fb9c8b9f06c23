// Arrays and jsonb as bytes whose memcmp order is compare_values()': the forms that index keys hold them in (engine/key.h).
// Form, array: per element 01 and its key, or 02 for a null, which is above every value; 00; then the number of dimensions, their
//              lengths and lower bounds.
//       jsonb: the rank of its kind; then a scalar's value, or the number of items (4 bytes) and the items.
// Thread:  pure functions; both forms end themselves.
#pragma once

#include <string>

#include "engine/value.h"

namespace wandian {

void append_array_key(const Value& array, std::string& out);
void append_jsonb_key(const Value& value, std::string& out);

}  // namespace wandian
