// Window functions: which ones there are. What they compute, the executor does (sql/exec/window_ops.cc), since it has the partition.
#include "sql/functions/bindings.h"

namespace wandian::sql {

namespace {

constexpr WindowBinding kBindings[] = {
    {"window_row_number", WindowFunction::kRowNumber},
    {"window_rank", WindowFunction::kRank},
    {"window_dense_rank", WindowFunction::kDenseRank},
    {"window_percent_rank", WindowFunction::kPercentRank},
    {"window_cume_dist", WindowFunction::kCumeDist},
    {"window_ntile", WindowFunction::kNtile},
    {"window_lag", WindowFunction::kLag},
    {"window_lag_with_offset", WindowFunction::kLag},
    {"window_lag_with_offset_and_default", WindowFunction::kLag},
    {"window_lead", WindowFunction::kLead},
    {"window_lead_with_offset", WindowFunction::kLead},
    {"window_lead_with_offset_and_default", WindowFunction::kLead},
    {"window_first_value", WindowFunction::kFirstValue},
    {"window_last_value", WindowFunction::kLastValue},
    {"window_nth_value", WindowFunction::kNthValue},
};

}  // namespace

std::span<const WindowBinding> window_bindings() { return kBindings; }

}  // namespace wandian::sql
