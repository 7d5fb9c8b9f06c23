// What several files of functions need from date and time arithmetic. False: out of range.
// Thread:  pure functions.
#pragma once

#include <cstdint>

#include "engine/value.h"
#include "sql/functions/registry.h"
#include "sql/types/timezone.h"

namespace wandian::sql {

bool add_interval(std::int64_t micros, const IntervalValue& span, std::int64_t* out);
/// For timestamptz: months and days move the wall clock of the zone.
bool add_interval(const TimeZone& zone, std::int64_t micros, const IntervalValue& span, std::int64_t* out);
bool negate_interval(const IntervalValue& v, IntervalValue* out);
bool scale_interval(const IntervalValue& span, double factor, bool divide, IntervalValue* out);
bool justify_hours(IntervalValue* v);
bool justify_days(IntervalValue* v);
bool date_to_timestamp(std::int64_t days, std::int64_t* out);
std::int64_t timestamp_to_date(std::int64_t micros);
std::int64_t time_of_day(std::int64_t micros);

// Set the error and return false.
bool timestamp_out_of_range(EvalContext& ctx);
bool interval_out_of_range(EvalContext& ctx);
bool date_out_of_range(EvalContext& ctx, const char* message);

/// ISO 8601's week and the year it belongs to.
void iso_week(std::int32_t days, std::int32_t* year, std::int32_t* week);

}  // namespace wandian::sql
