# One row of variants.json -> build/variants/<name>/smallmind, from the same sources as every other.
#
# Reads the V_* variables that table.cmake fills for a row:
#   V_NAME V_ISA V_DISPATCH V_LTO V_PGO V_LINK V_STRIP  facts
#   V_COMPILE V_LINK_FLAGS V_DEFINES                   lists of flags
# Targets made: engine-<name> (objects), smallmind-<name> (program), engine_tests-<name> (tests; not in all).

# SSSE3, SSE4 and AVX3_SPR are left out of dynamic dispatch: each target costs compile time and text in every
# variant, and no machine of the last ten years would choose the first two.
set(SMALLMIND_DYNAMIC_DEFINES HWY_WANT_AVX3_DL
  "HWY_DISABLED_TARGETS=((1LL<<4)|(1LL<<11)|(1LL<<12)|(1LL<<18)|(1LL<<19)|(1LL<<23)|(1LL<<24))")

function(smallmind_engine_settings target)
  target_compile_options(${target} PRIVATE ${SMALLMIND_WARNINGS} ${V_COMPILE})
  target_compile_definitions(${target} PRIVATE ${V_DEFINES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_include_directories(${target} SYSTEM PRIVATE ${SMALLMIND_HIGHWAY_DIR} ${PCRE2_INCLUDE_DIR})
endfunction()

function(smallmind_add_variant)
  set(facts_dir ${PROJECT_BINARY_DIR}/variants/${V_NAME}/generated)
  list(JOIN V_COMPILE " " V_FLAGS_TEXT)
  string(REPLACE "\"" "\\\"" V_FLAGS_TEXT "${V_FLAGS_TEXT}")
  configure_file(${PROJECT_SOURCE_DIR}/variants/build_facts.h.in ${facts_dir}/build_facts.h @ONLY)

  add_library(engine-${V_NAME} OBJECT EXCLUDE_FROM_ALL
    ${SMALLMIND_ENGINE_SOURCES} ${SMALLMIND_HIGHWAY_SOURCES})
  smallmind_engine_settings(engine-${V_NAME})
  target_include_directories(engine-${V_NAME} PRIVATE ${facts_dir} ${PROJECT_BINARY_DIR}/generated)
  add_dependencies(engine-${V_NAME} git-revision)

  if(EXISTS ${SMALLMIND_MAIN})
    add_executable(smallmind-${V_NAME} EXCLUDE_FROM_ALL ${SMALLMIND_MAIN})
    smallmind_engine_settings(smallmind-${V_NAME})
    smallmind_link_engine(smallmind-${V_NAME} ${V_NAME})
    set_target_properties(smallmind-${V_NAME} PROPERTIES OUTPUT_NAME smallmind
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/variants/${V_NAME})
  endif()
endfunction()

# Links `target` to a variant's engine, with that variant's link flags.
function(smallmind_link_engine target variant)
  target_link_options(${target} PRIVATE ${V_COMPILE} ${V_LINK_FLAGS})
  target_link_libraries(${target} PRIVATE engine-${variant} Threads::Threads ${PCRE2_LIBRARY})
endfunction()
