# libFuzzer programs under AddressSanitizer and UBSan, with Clang and -DSMALLMIND_FUZZ=ON:
#   <build>/fuzz/<name>_fuzz      {engine,harness}/fuzz/<name>_fuzz.cc over all code that reads foreign bytes
#   fuzz-smoke                    each over its seeds, {engine,harness}/fuzz/corpus/<name>, once
# model_fuzz runs the forward pass as well: compiled without SIMD, where every access is the sanitizer's to see,
# and without UBSan and coverage, which would take the compiler minutes and gigabytes.

option(SMALLMIND_FUZZ "Build the fuzzers (needs Clang)" OFF)
if(NOT SMALLMIND_FUZZ)
  return()
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "SMALLMIND_FUZZ needs Clang: -DCMAKE_CXX_COMPILER=clang++-19")
endif()

set(fuzz_sources ${SMALLMIND_ENGINE_SOURCES})
list(FILTER fuzz_sources EXCLUDE REGEX "/engine/(cli|modelmaker)/|/build_info\\.cc$")
set(compute_sources ${fuzz_sources} ${SMALLMIND_HIGHWAY_SOURCES})
list(FILTER fuzz_sources INCLUDE REGEX "${SMALLMIND_READERS}")
list(FILTER compute_sources EXCLUDE REGEX "${SMALLMIND_READERS}")
set(fuzz_defines HWY_COMPILE_ONLY_STATIC HWY_BASELINE_TARGETS=HWY_EMU128 HWY_BROKEN_EMU128=0
  SMALLMIND_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
set(fuzz_flags -O1 -g -ffp-contract=off -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all)

add_library(fuzz-engine OBJECT EXCLUDE_FROM_ALL ${fuzz_sources})
smallmind_engine_settings(fuzz-engine "${fuzz_flags};-fsanitize=fuzzer-no-link" "${fuzz_defines}")
add_library(fuzz-compute OBJECT EXCLUDE_FROM_ALL ${compute_sources})
smallmind_engine_settings(fuzz-compute "-O1;-g1;-ffp-contract=off;-fsanitize=address" "${fuzz_defines}")
add_custom_target(fuzz-smoke)
foreach(source ${SMALLMIND_FUZZERS})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" subject ${name})
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  smallmind_engine_settings(${name} "${fuzz_flags};-fsanitize=fuzzer" "${fuzz_defines}")
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(${name} PRIVATE fuzz-engine ${PCRE2_LIBRARY} Threads::Threads)
  if(subject STREQUAL "model")
    target_link_libraries(${name} PRIVATE fuzz-compute)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_custom_target(fuzz-smoke-${subject}
    COMMAND ${name} -runs=0 ${PROJECT_SOURCE_DIR}/engine/fuzz/corpus/${subject} VERBATIM)
  add_dependencies(fuzz-smoke fuzz-smoke-${subject})
endforeach()

# The harness's: over what its fuzzers include (test_fuzz.py), the harness's readers of foreign text.
set(harness_fuzz_sources ${SMALLMIND_HARNESS_SOURCES})
list(FILTER harness_fuzz_sources INCLUDE REGEX "/harness/(llama_bench|load_run|manifest|peer|process|protocol|record|strings|stats/summary)\\.cc$")
add_library(fuzz-harness OBJECT EXCLUDE_FROM_ALL ${harness_fuzz_sources})
function(smallmind_harness_fuzz_settings target)
  target_compile_options(${target} PRIVATE ${SMALLMIND_WARNINGS} ${fuzz_flags} ${ARGN})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()
smallmind_harness_fuzz_settings(fuzz-harness -fsanitize=fuzzer-no-link)
foreach(source ${SMALLMIND_HARNESS_FUZZERS})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" subject ${name})
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  smallmind_harness_fuzz_settings(${name} -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(${name} PRIVATE fuzz-harness)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_custom_target(fuzz-smoke-${subject}
    COMMAND ${name} -runs=0 ${PROJECT_SOURCE_DIR}/harness/fuzz/corpus/${subject} VERBATIM)
  add_dependencies(fuzz-smoke fuzz-smoke-${subject})
endforeach()
