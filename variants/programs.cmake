# Everything that is built beside the variants: tests, benches, the harness and its launcher. The engine's tests
# and benches are compiled once, with the table's `tools` flags, and linked to each variant's engine.

set(SMALLMIND_TEST_VARIANTS "" CACHE STRING
  "Groups or names of variants, comma separated, whose engine tests ctest runs beside those of o2")
set(SMALLMIND_TEST_PARTS 4 CACHE STRING "Processes that share the engine tests of a variant in ctest")
set(bin ${PROJECT_BINARY_DIR}/bin)
enable_testing()
include(GoogleTest)

if(CMAKE_CROSSCOMPILING)
  set(SMALLMIND_BENCHES "")  # Google Benchmark and the harness are for the machine that builds
  set(SMALLMIND_HARNESS_SOURCES "")
  set(SMALLMIND_HARNESS_TESTS "")
endif()

set(tool_compile ${SMALLMIND_TOOL_FLAGS} ${SMALLMIND_COMMON_FLAGS})
set(tool_defines ${ROW_o2_defines} SMALLMIND_SOURCE_DIR="${PROJECT_SOURCE_DIR}")

# Of programs whose speed nobody measures: most of a source's compile time is its headers' templates. GCC then takes
# a class that a source completes for a header's, which must not hold types of that source alone.
function(smallmind_share_headers target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SMALLMIND_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

if(SMALLMIND_ENGINE_TESTS)
  add_library(engine-tests OBJECT EXCLUDE_FROM_ALL ${SMALLMIND_ENGINE_TESTS})
  smallmind_engine_settings(engine-tests "${tool_compile}" "${tool_defines}")
  smallmind_share_headers(engine-tests)
  target_precompile_headers(engine-tests PRIVATE ${SMALLMIND_STANDARD_HEADERS} <gtest/gtest.h>)
  add_executable(engine_tests $<TARGET_OBJECTS:engine-tests>)
  smallmind_link_engine(engine_tests o2)
  target_link_libraries(engine_tests PRIVATE GTest::gtest_main)
  add_dependencies(engine_tests variant-o2)  # some tests run the program itself
  set_target_properties(engine_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${bin})
  gtest_discover_tests(engine_tests TEST_PREFIX engine. DISCOVERY_MODE PRE_TEST)
endif()

if(SMALLMIND_BENCH_SUPPORT AND SMALLMIND_BENCHES)
  add_library(bench-support OBJECT EXCLUDE_FROM_ALL ${SMALLMIND_BENCH_SUPPORT})
  smallmind_engine_settings(bench-support "${tool_compile}" "${tool_defines}")
endif()
if(SMALLMIND_BENCHES)
  add_library(bench-objects OBJECT EXCLUDE_FROM_ALL ${SMALLMIND_BENCHES})
  smallmind_engine_settings(bench-objects "${tool_compile}" "${tool_defines}")
endif()

# <bench> for variant `name` in `folder`: its own object among bench-objects, picked by name.
function(smallmind_add_bench target output folder source name)
  file(RELATIVE_PATH relative ${PROJECT_SOURCE_DIR} ${source})
  string(REPLACE "." "\\." pattern "${relative}.o")
  add_executable(${target} EXCLUDE_FROM_ALL
    $<FILTER:$<TARGET_OBJECTS:bench-objects>,INCLUDE,${pattern}$>)
  target_link_libraries(${target} PRIVATE benchmark::benchmark)
  if(TARGET bench-support)
    target_link_libraries(${target} PRIVATE bench-support)
  endif()
  smallmind_link_engine(${target} ${name})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME ${output}
    RUNTIME_OUTPUT_DIRECTORY ${folder})
endfunction()

string(REPLACE "," ";" test_variants "${SMALLMIND_TEST_VARIANTS}")
foreach(source ${SMALLMIND_BENCHES})
  get_filename_component(bench ${source} NAME_WE)
  smallmind_add_bench(${bench} ${bench} ${bin} ${source} o2)
  set_target_properties(${bench} PROPERTIES EXCLUDE_FROM_ALL OFF)
endforeach()
add_custom_target(benches-o2)
foreach(source ${SMALLMIND_BENCHES})
  get_filename_component(bench ${source} NAME_WE)
  add_dependencies(benches-o2 ${bench})
endforeach()
foreach(name ${SMALLMIND_ROWS})
  if(name STREQUAL "o2")
    continue()
  endif()
  add_custom_target(benches-${name})
  if(NOT ROW_${name}_buildable OR ROW_${name}_group STREQUAL "helper")
    continue()
  endif()
  foreach(source ${SMALLMIND_BENCHES})
    get_filename_component(bench ${source} NAME_WE)
    smallmind_add_bench(${bench}-${name} ${bench} ${SMALLMIND_VARIANTS_DIR}/${name} ${source} ${name})
    add_dependencies(benches-${name} ${bench}-${name})
  endforeach()
  if(SMALLMIND_ENGINE_TESTS)
    add_executable(engine_tests-${name} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:engine-tests>)
    smallmind_link_engine(engine_tests-${name} ${name})
    target_link_libraries(engine_tests-${name} PRIVATE GTest::gtest_main)
    add_dependencies(engine_tests-${name} variant-${name})
    set_target_properties(engine_tests-${name} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME engine_tests
      RUNTIME_OUTPUT_DIRECTORY ${SMALLMIND_VARIANTS_DIR}/${name})
    if("all" IN_LIST test_variants OR name IN_LIST test_variants OR ROW_${name}_group IN_LIST test_variants)
      set_target_properties(engine_tests-${name} PROPERTIES EXCLUDE_FROM_ALL OFF)
      # In parts, so that the slow rows' tests keep every core busy: those of the unoptimised, the scalar and the counting
      # row take CPU-minutes and start first. Instrumented tests count too; away with it, or it would look like a training.
      set(cost 1000)
      if("-O0" IN_LIST ROW_${name}_compile OR ROW_${name}_isa STREQUAL "scalar" OR
          ROW_${name}_pgo STREQUAL "instrument")
        set(cost 2000)
      endif()
      math(EXPR last "${SMALLMIND_TEST_PARTS} - 1")
      foreach(part RANGE ${last})
        add_test(NAME variant.${name}.${part} COMMAND ${SMALLMIND_VARIANTS_DIR}/${name}/engine_tests --gtest_brief=1)
        set_tests_properties(variant.${name}.${part} PROPERTIES COST ${cost} TIMEOUT 3600 ENVIRONMENT
          "GTEST_TOTAL_SHARDS=${SMALLMIND_TEST_PARTS};GTEST_SHARD_INDEX=${part};GCOV_PREFIX=${SMALLMIND_VARIANTS_DIR}/${name}/stray;LLVM_PROFILE_FILE=${SMALLMIND_VARIANTS_DIR}/${name}/stray/%m.profraw")
      endforeach()
    endif()
  endif()
endforeach()

# The harness knows the engine only as processes: nothing of it is linked here. Further words are flags.
function(smallmind_harness_settings target)
  target_compile_options(${target} PRIVATE ${SMALLMIND_WARNINGS} ${ARGN})
  target_compile_definitions(${target} PRIVATE
    SMALLMIND_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SMALLMIND_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE Threads::Threads)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${bin})
endfunction()

if(SMALLMIND_HARNESS_SOURCES)
  add_library(harness-core OBJECT EXCLUDE_FROM_ALL ${SMALLMIND_HARNESS_SOURCES})
  smallmind_harness_settings(harness-core ${SMALLMIND_TOOL_FLAGS})
  smallmind_share_headers(harness-core)
  target_precompile_headers(harness-core PRIVATE ${SMALLMIND_STANDARD_HEADERS} <nlohmann/json.hpp>)
endif()
if(TARGET harness-core AND EXISTS ${PROJECT_SOURCE_DIR}/harness/main.cc)
  add_executable(harness ${PROJECT_SOURCE_DIR}/harness/main.cc)
  smallmind_harness_settings(harness ${SMALLMIND_TOOL_FLAGS})
  target_link_libraries(harness PRIVATE harness-core)
endif()
if(NOT CMAKE_CROSSCOMPILING AND EXISTS ${PROJECT_SOURCE_DIR}/harness/launcher_main.cc)
  # Static and without the harness's libraries: its own loading must not blur the exec stamp.
  add_executable(launcher ${PROJECT_SOURCE_DIR}/harness/launcher_main.cc)
  smallmind_harness_settings(launcher ${SMALLMIND_TOOL_FLAGS})
  if(NOT SMALLMIND_SANITIZE)
    target_link_options(launcher PRIVATE -static)
  endif()
endif()
if(TARGET harness-core AND SMALLMIND_HARNESS_TESTS)
  add_executable(harness_tests ${SMALLMIND_HARNESS_TESTS})
  # Without the table's flags: what runs once is not worth optimising (two thirds of the time to compile).
  smallmind_harness_settings(harness_tests)
  smallmind_share_headers(harness_tests)
  target_precompile_headers(harness_tests PRIVATE ${SMALLMIND_STANDARD_HEADERS} <gtest/gtest.h> <nlohmann/json.hpp>)
  target_link_libraries(harness_tests PRIVATE harness-core GTest::gtest_main)
  gtest_discover_tests(harness_tests TEST_PREFIX harness. DISCOVERY_MODE PRE_TEST)
endif()

# /usr/bin/python3, where there is one, is the one that the system's packages (matplotlib) belong to.
foreach(test ${SMALLMIND_PYTHON_TESTS})
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${test})
  string(REGEX REPLACE "/|\\.py$" "." name ${name})
  string(REGEX REPLACE "\\.$" "" name ${name})
  add_test(NAME python.${name} COMMAND ${SMALLMIND_PYTHON} ${test} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(python.${name} PROPERTIES ENVIRONMENT SMALLMIND_BUILD_DIR=${PROJECT_BINARY_DIR})
  # Half a minute to a minute each: among the first, or they would be the last ones running.
  if(name MATCHES "^harness\\.testing\\.")
    set_tests_properties(python.${name} PROPERTIES COST 1500)
  endif()
endforeach()
