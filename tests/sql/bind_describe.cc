// Reads statements, one a line, and prints what each binds to: result columns or error. compare_bind asks PostgreSQL the same.
#include <iostream>
#include <string>

#include "tests/sql/bind_harness.h"

int main() {
  wandian::sql::test::BindWorld world;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::cout << line << "\n  " << (line[0] == '=' ? world.value(line.substr(1)) : world.describe(line)) << "\n";
  }
}
