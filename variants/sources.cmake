# What is compiled, by place and name alone: adding a file is adding it to the tree.
#   engine/**/*.cc          every variant          engine/**/*_test.cc     that variant's test binary
#   engine/cli/main.cc      its entry point        engine/bench/*_bench.cc Google Benchmark programs
#   engine/fuzz/*_fuzz.cc   libFuzzer programs     harness/**/*.cc         the harness (main.cc, launcher_main.cc apart)
#   harness/fuzz/*_fuzz.cc  libFuzzer programs

# A regular expression: the engine's code that reads foreign bytes, and its tests.
set(SMALLMIND_READERS "/engine/(base|gguf|tensor|tokenizer)/|/engine/model/(architecture|rope|spec|weights)(_test)?\\.cc$")

file(GLOB_RECURSE engine_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/engine/*.cc")
set(SMALLMIND_ENGINE_TESTS ${engine_sources})
list(FILTER SMALLMIND_ENGINE_TESTS INCLUDE REGEX "_test\\.cc$")
list(FILTER SMALLMIND_ENGINE_TESTS EXCLUDE REGEX "/engine/(bench|fuzz)/")
set(SMALLMIND_BENCHES ${engine_sources})
list(FILTER SMALLMIND_BENCHES INCLUDE REGEX "/engine/bench/[^/]*_bench\\.cc$")
set(SMALLMIND_BENCH_SUPPORT ${engine_sources})
list(FILTER SMALLMIND_BENCH_SUPPORT INCLUDE REGEX "/engine/bench/")
list(FILTER SMALLMIND_BENCH_SUPPORT EXCLUDE REGEX "_(bench|test)\\.cc$")
set(SMALLMIND_FUZZERS ${engine_sources})
list(FILTER SMALLMIND_FUZZERS INCLUDE REGEX "/engine/fuzz/[^/]*_fuzz\\.cc$")
set(SMALLMIND_ENGINE_SOURCES ${engine_sources})
list(FILTER SMALLMIND_ENGINE_SOURCES EXCLUDE REGEX "_test\\.cc$|/engine/(bench|fuzz)/|/engine/cli/main\\.cc$")
set(SMALLMIND_MAIN "${PROJECT_SOURCE_DIR}/engine/cli/main.cc")

file(GLOB_RECURSE harness_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/harness/*.cc")
set(SMALLMIND_HARNESS_FUZZERS ${harness_sources})
list(FILTER SMALLMIND_HARNESS_FUZZERS INCLUDE REGEX "/harness/fuzz/[^/]*_fuzz\\.cc$")
list(FILTER harness_sources EXCLUDE REGEX "/harness/fuzz/")
set(SMALLMIND_HARNESS_TESTS ${harness_sources})
list(FILTER SMALLMIND_HARNESS_TESTS INCLUDE REGEX "_test\\.cc$")
set(SMALLMIND_HARNESS_SOURCES ${harness_sources})
list(FILTER SMALLMIND_HARNESS_SOURCES EXCLUDE REGEX "_test\\.cc$|/harness/(main|launcher_main)\\.cc$")

file(GLOB_RECURSE SMALLMIND_PYTHON_TESTS CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/plots/test_*.py" "${PROJECT_SOURCE_DIR}/scripts/test_*.py"
  "${PROJECT_SOURCE_DIR}/variants/test_*.py" "${PROJECT_SOURCE_DIR}/harness/test_*.py")

# Where a measured token spends no time is one object a folder in every row, where most of a source's compile time is
# its headers (with GCC 12 a row's cli/ takes 14 CPU-seconds for 49, modelmaker/ 5 for 13). Everything else of the
# engine is an object a source: calls between them are what link-time optimisation is measured by.
option(SMALLMIND_UNITY "Compile tests, harness, command line and model maker many sources at a time" ON)
foreach(folder cli modelmaker)
  set(cold ${SMALLMIND_ENGINE_SOURCES})
  list(FILTER cold INCLUDE REGEX "/engine/${folder}/")
  set_source_files_properties(${cold} PROPERTIES UNITY_GROUP ${folder})
endforeach()
