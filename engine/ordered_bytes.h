// Arrays, records, ranges and jsonb as bytes whose memcmp order is compare_values()': the forms that index keys hold them in (engine/key.h).
// Form, array: per element 01 and its key, or 02 for a null, which is above every value; 00; then the number of dimensions, their
//              lengths and lower bounds.
//       record: per field 01 and its key, or 02 for a null; 00. A field whose type has no order counts by its bytes.
//       range: 00 if it is empty; else 01, the lower bound and the upper one. A bound is 00 where a lower one is infinite, 02 where an upper one
//              is, else 01, the key of its value, and 01 if the range begins behind it or ends with it, 00 if not.
//       jsonb: the rank of its kind; then a scalar's value, or the number of items (4 bytes) and the items.
// Thread:  pure functions; all forms end themselves.
#pragma once

#include <string>

#include "engine/value.h"

namespace wandian {

void append_array_key(const Value& array, std::string& out);
void append_record_key(const Value& record, std::string& out);
void append_range_key(const Value& range, std::string& out);
void append_jsonb_key(const Value& value, std::string& out);

}  // namespace wandian
