# Everything comes from Debian 12 packages (scripts/packages.txt); docs/dependencies.md says why each.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
find_library(PG_QUERY_LIBRARY NAMES libpg_query.a pg_query REQUIRED)
find_library(PROTOBUF_C_LIBRARY protobuf-c REQUIRED)

add_library(wandian_xxhash INTERFACE)
target_link_libraries(wandian_xxhash INTERFACE ${XXHASH_LIBRARY})
add_library(wandian_pg_query INTERFACE)
target_link_libraries(wandian_pg_query INTERFACE ${PG_QUERY_LIBRARY} ${PROTOBUF_C_LIBRARY} ${XXHASH_LIBRARY})

# The allocator is linked into executables only: libraries call plain malloc and operator new.
add_library(wandian_allocator INTERFACE)
if(WANDIAN_ALLOCATOR STREQUAL "mimalloc")
  find_library(MIMALLOC_LIBRARY mimalloc REQUIRED)
  target_link_libraries(wandian_allocator INTERFACE -Wl,--no-as-needed ${MIMALLOC_LIBRARY} -Wl,--as-needed)
elseif(WANDIAN_ALLOCATOR STREQUAL "jemalloc")
  find_library(JEMALLOC_LIBRARY jemalloc REQUIRED)
  target_link_libraries(wandian_allocator INTERFACE -Wl,--no-as-needed ${JEMALLOC_LIBRARY} -Wl,--as-needed)
elseif(NOT WANDIAN_ALLOCATOR STREQUAL "system")
  message(FATAL_ERROR "WANDIAN_ALLOCATOR must be mimalloc, jemalloc or system")
endif()
