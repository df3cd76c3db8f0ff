# Highway's source tree (>= 1.2). It is compiled into every variant with that variant's flags, so a packaged
# library will not do. Looked for in SMALLMIND_HIGHWAY_DIR (cache or environment), then third_party/highway
# (scripts/bootstrap puts it there), then fetched from Highway's public repository. One hash pins all three
# ways in: Debian's orig tarball and the tag's archive are the same bytes.

set(SMALLMIND_HIGHWAY_SHA256 7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343)
set(SMALLMIND_HIGHWAY_URL https://github.com/google/highway/archive/refs/tags/1.2.0.tar.gz)

if(NOT SMALLMIND_HIGHWAY_DIR AND DEFINED ENV{SMALLMIND_HIGHWAY_DIR})
  set(SMALLMIND_HIGHWAY_DIR "$ENV{SMALLMIND_HIGHWAY_DIR}")
endif()
if(NOT SMALLMIND_HIGHWAY_DIR AND EXISTS "${PROJECT_SOURCE_DIR}/third_party/highway/hwy/highway.h")
  set(SMALLMIND_HIGHWAY_DIR "${PROJECT_SOURCE_DIR}/third_party/highway")
endif()
if(NOT SMALLMIND_HIGHWAY_DIR)
  include(FetchContent)
  FetchContent_Declare(highway URL ${SMALLMIND_HIGHWAY_URL}
    URL_HASH SHA256=${SMALLMIND_HIGHWAY_SHA256}
    SOURCE_SUBDIR not-configured)  # sources only: its own CMake would build a library we do not use
  FetchContent_MakeAvailable(highway)
  set(SMALLMIND_HIGHWAY_DIR "${highway_SOURCE_DIR}")
endif()
if(NOT EXISTS "${SMALLMIND_HIGHWAY_DIR}/hwy/highway.h")
  message(FATAL_ERROR "no Highway source in '${SMALLMIND_HIGHWAY_DIR}'; run scripts/bootstrap")
endif()
set(SMALLMIND_HIGHWAY_DIR "${SMALLMIND_HIGHWAY_DIR}" CACHE PATH "Highway source tree (>= 1.2)" FORCE)

file(STRINGS "${SMALLMIND_HIGHWAY_DIR}/hwy/base.h" hwy_version REGEX "define HWY_(MAJOR|MINOR) ")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" hwy_version "${hwy_version}")
if(hwy_version VERSION_LESS 1.2)
  message(FATAL_ERROR "Highway ${hwy_version} in '${SMALLMIND_HIGHWAY_DIR}' is too old; 1.2 is needed")
endif()

# Only what the kernels link against; nothing from contrib.
set(SMALLMIND_HIGHWAY_SOURCES
  ${SMALLMIND_HIGHWAY_DIR}/hwy/abort.cc
  ${SMALLMIND_HIGHWAY_DIR}/hwy/aligned_allocator.cc
  ${SMALLMIND_HIGHWAY_DIR}/hwy/targets.cc)
# Off x86 targets.cc asks it for the vector length; on x86 it would parse Highway once a target for nothing.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i.86")
  list(APPEND SMALLMIND_HIGHWAY_SOURCES ${SMALLMIND_HIGHWAY_DIR}/hwy/per_target.cc)
endif()
