# wandian_layer(name DEPENDS a b SOURCES ...): a library whose headers are reached as "name/header.h".
# Each layer exports an include root that holds one link to its own folder and nothing else; so a file can
# include another layer's header only if its library links that layer.
function(wandian_layer NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;SOURCES" ${ARGN})
  set(ROOT ${CMAKE_BINARY_DIR}/include/${NAME})
  file(MAKE_DIRECTORY ${ROOT})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${NAME} ${ROOT}/${NAME} SYMBOLIC)
  add_library(wandian_${NAME} STATIC ${ARG_SOURCES})
  target_include_directories(wandian_${NAME} PUBLIC ${ROOT})
  foreach(D ${ARG_DEPENDS})
    target_link_libraries(wandian_${NAME} PUBLIC wandian_${D})
  endforeach()
  target_link_libraries(wandian_${NAME} PUBLIC Threads::Threads ${ARG_LINK})
endfunction()

# wandian_test(name SOURCES ... LINK ...): one GoogleTest executable, registered with ctest as a whole.
function(wandian_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_include_directories(${NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${NAME} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main wandian_allocator)
  add_test(NAME ${NAME} COMMAND ${NAME})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
