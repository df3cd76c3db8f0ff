# libFuzzer programs under AddressSanitizer and UBSan, with Clang and -DSMALLMIND_FUZZ=ON:
#   <build>/fuzz/<name>_fuzz      engine/fuzz/<name>_fuzz.cc over all code that reads foreign bytes
#   fuzz-smoke                    each over its seeds, engine/fuzz/corpus/<name>, once
# Kernels and sessions are left out: they see checked data only, and take minutes to instrument.

option(SMALLMIND_FUZZ "Build the fuzzers (needs Clang)" OFF)
if(NOT SMALLMIND_FUZZ)
  return()
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "SMALLMIND_FUZZ needs Clang: -DCMAKE_CXX_COMPILER=clang++-19")
endif()

set(fuzz_sources ${SMALLMIND_ENGINE_SOURCES})
list(FILTER fuzz_sources INCLUDE REGEX
  "/engine/(base|gguf|tensor|tokenizer)/|/engine/model/(architecture|rope|spec|weights)\\.cc$")
list(FILTER fuzz_sources EXCLUDE REGEX "/build_info\\.cc$")
set(fuzz_flags -O1 -g -ffp-contract=off -fsanitize=address,undefined -fno-sanitize-recover=all)

add_library(fuzz-engine OBJECT EXCLUDE_FROM_ALL ${fuzz_sources})
smallmind_engine_settings(fuzz-engine "${fuzz_flags};-fsanitize=fuzzer-no-link" "")
add_custom_target(fuzz-smoke)
foreach(source ${SMALLMIND_FUZZERS})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" subject ${name})
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  smallmind_engine_settings(${name} "${fuzz_flags};-fsanitize=fuzzer" "")
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(${name} PRIVATE fuzz-engine ${PCRE2_LIBRARY} Threads::Threads)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_custom_target(fuzz-smoke-${subject}
    COMMAND ${name} -runs=0 ${PROJECT_SOURCE_DIR}/engine/fuzz/corpus/${subject} VERBATIM)
  add_dependencies(fuzz-smoke fuzz-smoke-${subject})
endforeach()
