# Build options, warnings, sanitizers and speed-ups of the build itself.

set(WANDIAN_ALLOCATOR mimalloc CACHE STRING "mimalloc, jemalloc or system")
set_property(CACHE WANDIAN_ALLOCATOR PROPERTY STRINGS mimalloc jemalloc system)
set(WANDIAN_SANITIZE "" CACHE STRING "empty, asan (address and undefined behaviour), tsan or fuzz")
option(WANDIAN_BATCHES "compile sources in batches (WandianTargets.cmake): a clean build is faster, one changed file slower" ON)
set(WANDIAN_FAULT "" CACHE STRING "build with one planted bug, to show that a checker catches it (tests only)")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # The base directory makes paths relative in the hash, so that a fresh clone hits the cache.
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND NOT WANDIAN_SANITIZE STREQUAL "fuzz")
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
add_compile_options(-Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers -Werror)
add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-semantic-interposition>)
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
add_compile_options(-mcx16 -msse4.2)
# g++ 12 warns of accesses that inlining of library code makes it imagine (GCC bugs 105329, 105651, 107852).
add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-stringop-overread> $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-stringop-overflow>
                    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds> $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
                    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
if(WANDIAN_BATCHES)   # it takes a batch's sources for headers; it stays on where each file is compiled alone
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()

if(WANDIAN_SANITIZE STREQUAL "tsan")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
  set(WANDIAN_ALLOCATOR system)
elseif(WANDIAN_SANITIZE STREQUAL "asan" OR WANDIAN_SANITIZE STREQUAL "fuzz")
  # clang for both: with these checks it compiles more than twice as fast as g++. The same options, so that the fuzzers' objects
  # come from the compiler cache when the tests were built, and the other way round.
  # Not `function`: clang 14 cannot emit its marks for coroutines ("Cannot represent a difference across sections").
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=function -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  set(WANDIAN_ALLOCATOR system)
endif()
if(WANDIAN_FAULT)
  add_compile_definitions(WANDIAN_FAULT_${WANDIAN_FAULT}=1)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(WANDIAN_DCHECK=1)
endif()
