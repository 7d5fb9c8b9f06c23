// The arguments of a function written in SQL, by name and by number, as the body's binder looks them up. A column of the same name wins.
#pragma once

#include <span>
#include <string_view>

#include "sql/bind/binder.h"
#include "sql/routine/routine.h"

namespace wandian::sql {

class RoutineArguments final : public BindVariables {
 public:
  /// @param types  of the arguments as they are given; both outlive this
  RoutineArguments(const Routine& routine, std::span<const Oid> types) : routine_(routine), types_(types) {}
  Precedence precedence() const override { return Precedence::kColumn; }
  Result<bool> find(std::span<const std::string_view> names, Found* out) override {
    if (names.size() > 2 || (names.size() == 2 && names[0] != routine_.declaration.name)) return false;
    for (std::size_t i = 0; i < routine_.inputs.size(); ++i)
      if (routine_.declaration.parameters[routine_.inputs[i]].name == names.back()) return give(i, out);
    return false;
  }
  Result<bool> find_number(std::uint32_t number, Found* out) override { return number <= routine_.inputs.size() && give(number - 1, out); }

 private:
  bool give(std::size_t i, Found* out) const {
    out->scalar = {static_cast<std::uint32_t>(i), types_[i], -1};
    return true;
  }
  const Routine& routine_;
  std::span<const Oid> types_;
};

}  // namespace wandian::sql
