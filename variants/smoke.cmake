# sanitize-smoke: the tests of all engine code that reads foreign bytes, under AddressSanitizer and UBSan, in about
# a CPU-minute. Of any build tree; whole test programs under sanitizers are the presets asan and tsan.

if(CMAKE_CROSSCOMPILING OR SMALLMIND_SANITIZE)
  return()
endif()
set(smoke_sources ${SMALLMIND_ENGINE_SOURCES} ${SMALLMIND_ENGINE_TESTS})
list(FILTER smoke_sources INCLUDE REGEX "${SMALLMIND_READERS}")
list(FILTER smoke_sources EXCLUDE REGEX "/build_info(_test)?\\.cc$")
add_executable(sanitize_smoke EXCLUDE_FROM_ALL ${smoke_sources})
smallmind_engine_settings(sanitize_smoke
  "-O1;-g1;-ffp-contract=off;-fsanitize=address,undefined,float-cast-overflow;-fno-sanitize-recover=all"
  "SMALLMIND_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
smallmind_share_headers(sanitize_smoke)
target_precompile_headers(sanitize_smoke PRIVATE ${SMALLMIND_STANDARD_HEADERS} <gtest/gtest.h>)
target_link_options(sanitize_smoke PRIVATE -fsanitize=address,undefined)
target_link_libraries(sanitize_smoke PRIVATE GTest::gtest_main ${PCRE2_LIBRARY} Threads::Threads)
add_custom_target(sanitize-smoke COMMAND sanitize_smoke --gtest_brief=1 VERBATIM)
