#include "sql/exec/place_lookup.h"

#include <algorithm>

#include "engine/database.h"
#include "engine/system_columns.h"
#include "sql/exec/operator.h"
#include "sql/exec/table_access.h"

namespace wandian::sql {

void PlaceLookup::open(std::vector<std::int64_t> places) {
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  places_ = std::move(places);
  missing_.clear();
  next_ = 0;
  state_ = State::kPlaces;
}

bool PlaceLookup::has_place(ExecContext& ctx, const RowView& row, std::int64_t place) const {
  return place_of(*table_, ctx.shard->database().place_secret(), row.layout, row.row, row.anchor) == place;
}

bool PlaceLookup::find_known(ExecContext& ctx, const PlaceMemory::Entry& known, std::int64_t place, RowView* out) {
  return find_row(*table_, known.partition, known.ref(), ctx.view, out) && has_place(ctx, *out, place);
}

// False: it is not there, or in `missing_` if nobody can tell yet.
bool PlaceLookup::find(ExecContext& ctx, std::int64_t place, RowView* out) {
  if (const std::optional<std::int64_t> key = key_of_place(*table_, place)) {
    const Value value = Value::of_int(*key);
    const KeyCodec& codec = table_->codecs[0];
    if (!codec.fits(0, value)) return false;
    codec.encode({&value, 1}, key_);
    return find_by_key(ctx, *table_, key_, {&value, 1}, out);
  }
  if (gathered_ != nullptr) {
    const auto found = gathered_->find(place);
    return found != gathered_->end() && find_known(ctx, found->second, place, out);
  }
  const PlaceMemory::Entry* known = ctx.env->places == nullptr ? nullptr : ctx.env->places->find(table_->oid, place);
  if (known != nullptr && find_known(ctx, *known, place, out)) return true;
  missing_.push_back(place);
  return false;
}

void PlaceLookup::start_scan() {
  scan_.open(table_, {}, {});
  state_ = ++passes_ == 1 ? State::kScanning : State::kGathering;
  if (state_ == State::kGathering) gathered_ = std::make_unique<std::unordered_map<std::int64_t, PlaceMemory::Entry>>();
}

PlaceLookup::Found PlaceLookup::next(ExecContext& ctx, RowView* out) {
  for (;;) {
    switch (state_) {
      case State::kPlaces:
        while (next_ < places_.size()) {
          if (ctx.out_of_budget()) return Found::kPause;
          if (find(ctx, places_[next_++], out)) return Found::kRow;
        }
        if (missing_.empty()) state_ = State::kEnd;
        else start_scan();
        break;
      case State::kScanning:
        for (;;) {
          if (ctx.out_of_budget()) return Found::kPause;
          if (!scan_.next(ctx.view, out)) break;
          const std::int64_t place = place_of(*table_, ctx.shard->database().place_secret(), out->layout, out->row, out->anchor);
          if (std::binary_search(missing_.begin(), missing_.end(), place)) return Found::kRow;
        }
        state_ = State::kEnd;
        break;
      case State::kGathering:
        for (;;) {
          if (ctx.out_of_budget()) return Found::kPause;
          RowView row;
          if (!scan_.next(ctx.view, &row)) break;
          const std::int64_t place = place_of(*table_, ctx.shard->database().place_secret(), row.layout, row.row, row.anchor);
          if (key_of_place(*table_, place)) continue;
          table_->codecs[0].encode_from_row(*table_->layouts, row.layout, row.row, table_->codec_columns[0], key_);
          gathered_->insert_or_assign(place, PlaceMemory::Entry{row.partition, std::string(key_.ref().view())});
        }
        places_ = std::exchange(missing_, {});
        next_ = 0;
        state_ = State::kPlaces;
        break;
      case State::kEnd: return Found::kEnd;
    }
  }
}

}  // namespace wandian::sql
