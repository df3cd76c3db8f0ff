# Checks variants.json, turns its rows into flags for this toolchain and machine (table.py does both) and
# includes the result: SMALLMIND_ROWS, and ROW_<name>_<column> for each row.

find_program(SMALLMIND_PYTHON NAMES /usr/bin/python3 python3 REQUIRED)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(SMALLMIND_TOOLCHAIN gcc)
  set(compiler_name GCC)
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(SMALLMIND_TOOLCHAIN clang)
  set(compiler_name Clang)
else()
  message(FATAL_ERROR "the compiler must be GCC or Clang, not ${CMAKE_CXX_COMPILER_ID}")
endif()

# The tools that belong to this very compiler: the same version, from the same place, before any other.
string(REGEX MATCH "^[0-9]+" compiler_major "${CMAKE_CXX_COMPILER_VERSION}")
get_filename_component(compiler_real "${CMAKE_CXX_COMPILER}" REALPATH)
get_filename_component(compiler_dir "${compiler_real}" DIRECTORY)
foreach(tool gcov-dump llvm-profdata llvm-bolt ld.lld)
  string(TOUPPER "SMALLMIND_${tool}" variable)
  string(REGEX REPLACE "[-.]" "_" variable "${variable}")
  find_program(${variable} NAMES ${tool}-${compiler_major} ${tool} HINTS ${compiler_dir} NO_CMAKE_PATH)
endforeach()
# Another version's linker or profile tool does not read what this compiler writes: better none.
foreach(variable SMALLMIND_LLVM_PROFDATA SMALLMIND_LD_LLD)
  if(SMALLMIND_TOOLCHAIN STREQUAL "clang" AND ${variable})
    execute_process(COMMAND ${${variable}} --version OUTPUT_VARIABLE version ERROR_QUIET)
    if(NOT version MATCHES "(LLVM version|LLD) ${compiler_major}\\.")
      unset(${variable} CACHE)  # looked for again when CMake runs again
      set(${variable} "")
    endif()
  endif()
endforeach()
find_program(SMALLMIND_LLVM_BOLT NAMES llvm-bolt-19 llvm-bolt-18 llvm-bolt-17 llvm-bolt-16)

set(have "")
if(SMALLMIND_GCOV_DUMP)
  list(APPEND have gcov-dump)
endif()
if(SMALLMIND_LLVM_PROFDATA)
  list(APPEND have llvm-profdata)
endif()
if(SMALLMIND_LD_LLD)
  list(APPEND have lld)
endif()
if(SMALLMIND_LLVM_BOLT)
  list(APPEND have bolt)
endif()
if(SMALLMIND_TOOLCHAIN STREQUAL "clang")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.profile-x86_64.a
    OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.profile.a
    OUTPUT_VARIABLE runtime_per_target OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(EXISTS "${runtime}" OR EXISTS "${runtime_per_target}")
    list(APPEND have profile-runtime)
  endif()
endif()
if(NOT CMAKE_CROSSCOMPILING)
  list(APPEND have native-cpu)
endif()
find_library(PCRE2_STATIC_LIBRARY libpcre2-8.a)
if(PCRE2_STATIC_LIBRARY)
  list(APPEND have static-pcre2)
endif()

# The best target among those that the dynamic rows contain, asked again when those change.
file(READ ${PROJECT_SOURCE_DIR}/variants/variants.json table_text)
set(dynamic_defines "")
foreach(path "common_defines" "factors;dispatch;dynamic;defines")
  string(JSON count LENGTH "${table_text}" ${path})
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON define GET "${table_text}" ${path} ${i})
    list(APPEND dynamic_defines "-D${define}")
  endforeach()
endforeach()
if(NOT DEFINED SMALLMIND_BEST_TARGET OR
    (DEFINED SMALLMIND_PROBED_WITH AND NOT "${SMALLMIND_PROBED_WITH}" STREQUAL "${dynamic_defines}"))
  unset(SMALLMIND_PROBE_RUNS CACHE)
  unset(SMALLMIND_PROBE_COMPILES CACHE)
  try_run(SMALLMIND_PROBE_RUNS SMALLMIND_PROBE_COMPILES ${PROJECT_BINARY_DIR}/probe
    SOURCES ${PROJECT_SOURCE_DIR}/variants/probe_target.cc
      ${SMALLMIND_HIGHWAY_SOURCES}
    CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${SMALLMIND_HIGHWAY_DIR}
    COMPILE_DEFINITIONS ${dynamic_defines}
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
    COMPILE_OUTPUT_VARIABLE probe_log RUN_OUTPUT_VARIABLE probe_target)
  if(NOT SMALLMIND_PROBE_COMPILES OR NOT SMALLMIND_PROBE_RUNS EQUAL 0)
    message(FATAL_ERROR "cannot tell this machine's best Highway target:\n${probe_log}")
  endif()
  string(STRIP "${probe_target}" probe_target)
  set(SMALLMIND_BEST_TARGET ${probe_target} CACHE STRING "Best Highway target of this machine" FORCE)
  set(SMALLMIND_PROBED_WITH "${dynamic_defines}" CACHE INTERNAL "What SMALLMIND_BEST_TARGET was asked with")
  message(STATUS "Best Highway target here: ${SMALLMIND_BEST_TARGET}")
endif()

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/variants/variants.json ${PROJECT_SOURCE_DIR}/variants/table.py)
list(TRANSFORM have PREPEND --have= OUTPUT_VARIABLE have_options)
execute_process(
  COMMAND ${SMALLMIND_PYTHON} ${PROJECT_SOURCE_DIR}/variants/table.py --toolchain ${SMALLMIND_TOOLCHAIN}
    --compiler "${compiler_name} ${CMAKE_CXX_COMPILER_VERSION}"
    --best ${SMALLMIND_BEST_TARGET} --build-dir ${PROJECT_BINARY_DIR} ${have_options}
  RESULT_VARIABLE failed ERROR_VARIABLE faults)
if(failed)
  message(FATAL_ERROR "${faults}")
endif()
include(${PROJECT_BINARY_DIR}/variants/rows.cmake)
