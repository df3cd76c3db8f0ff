# One row -> build/variants/<name>/smallmind, from the same sources as every other row.
#
# Targets of a row:
#   engine-<name>        objects of engine/ and Highway; what an equally compiled row has is taken from there
#   smallmind-<name>     the program
#   variant-<name>       the program, its Highway target checked, listed in the manifest
#   engine_tests-<name>  the engine's tests linked to that row's objects
#   pgo-train-<name>     for instrumented rows: the profile

set(SMALLMIND_VARIANTS_DIR ${PROJECT_BINARY_DIR}/variants)

# Options of every engine source, whichever row: compile flags and defines are the row's.
function(smallmind_engine_settings target compile defines)
  target_compile_options(${target} PRIVATE ${SMALLMIND_WARNINGS} ${compile})
  # There GCC 12 sees copies and accesses beyond all memory in "text" + std::string (GCC bug 105329), and members of a
  # temporary destroyed that an exception left unmade. The other rows compile the same lines with these warnings on.
  if("-O3" IN_LIST compile AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-maybe-uninitialized
      -Wno-stringop-overflow)
  endif()
  target_compile_definitions(${target} PRIVATE ${defines})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_include_directories(${target} SYSTEM PRIVATE ${SMALLMIND_HIGHWAY_DIR} ${PCRE2_INCLUDE_DIR})
endfunction()

# Standard headers that most files include, parsed once a target instead of once a file: half of a small file's
# compile time. For a row with a profile its stamp is among them, so that a new profile recompiles every object.
set(SMALLMIND_STANDARD_HEADERS <algorithm> <array> <atomic> <cmath> <cstdint> <cstring> <filesystem> <functional>
  <memory> <span> <string> <string_view> <thread> <unordered_map> <vector>)

# Links `target` to a row's engine, with that row's flags (LTO compiles again at link time).
function(smallmind_link_engine target name)
  target_link_options(${target} PRIVATE ${ROW_${name}_compile} ${ROW_${name}_link_flags})
  if(ROW_${name}_link STREQUAL "static")
    target_link_libraries(${target} PRIVATE engine-${name} Threads::Threads ${PCRE2_STATIC_LIBRARY})
  else()
    target_link_libraries(${target} PRIVATE engine-${name} Threads::Threads ${PCRE2_LIBRARY})
  endif()
  if(ROW_${name}_objects_of)
    target_sources(${target} PRIVATE
      "$<FILTER:$<TARGET_OBJECTS:engine-${ROW_${name}_objects_of}>,EXCLUDE,/engine/base/build_info[.]cc[.]o$>")
  endif()
endfunction()

function(smallmind_add_variant name)
  if(NOT ROW_${name}_buildable)
    # Skipped in groups; an error when asked for by name.
    add_custom_target(variant-${name}
      COMMAND ${CMAKE_COMMAND} -E echo "variant ${name} cannot be built here: ${ROW_${name}_reason}"
      COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
    return()
  endif()
  set(place ${SMALLMIND_VARIANTS_DIR}/${name})
  set(ROW_name ${name})
  foreach(fact flags isa dispatch lto pgo link)
    set(ROW_${fact} "${ROW_${name}_${fact}}")
  endforeach()
  configure_file(${PROJECT_SOURCE_DIR}/variants/build_facts.h.in ${place}/generated/build_facts.h @ONLY)

  set(sources ${SMALLMIND_ENGINE_SOURCES} ${SMALLMIND_HIGHWAY_SOURCES})
  if(ROW_${name}_objects_of)
    # Compiled exactly as that row is, but for the file that holds the row's name.
    set(sources ${PROJECT_SOURCE_DIR}/engine/base/build_info.cc)
  endif()
  add_library(engine-${name} OBJECT EXCLUDE_FROM_ALL ${sources})
  smallmind_engine_settings(engine-${name} "${ROW_${name}_compile}" "${ROW_${name}_defines}")
  target_include_directories(engine-${name} PRIVATE ${place}/generated ${PROJECT_BINARY_DIR}/generated)
  set_target_properties(engine-${name} PROPERTIES UNITY_BUILD ${SMALLMIND_UNITY} UNITY_BUILD_MODE GROUP)
  add_dependencies(engine-${name} git-revision)
  target_precompile_headers(engine-${name} PRIVATE ${SMALLMIND_STANDARD_HEADERS})
  if(NOT EXISTS ${SMALLMIND_MAIN})
    return()
  endif()

  add_executable(smallmind-${name} EXCLUDE_FROM_ALL ${SMALLMIND_MAIN})
  smallmind_engine_settings(smallmind-${name} "${ROW_${name}_compile}" "${ROW_${name}_defines}")
  smallmind_link_engine(smallmind-${name} ${name})
  set_target_properties(smallmind-${name} PROPERTIES OUTPUT_NAME smallmind RUNTIME_OUTPUT_DIRECTORY ${place})
  set(binary ${place}/smallmind)
  set(depends smallmind-${name})
  if(ROW_${name}_post STREQUAL "bolt")
    set_target_properties(smallmind-${name} PROPERTIES OUTPUT_NAME smallmind.before-bolt)
    smallmind_bolt(${name} ${binary})
    set(depends ${binary})
  elseif("-s" IN_LIST ROW_${name}_link_flags)
    # Stripped by a step of its own: the file with symbols stays beside it and tells the report what grew.
    get_target_property(options smallmind-${name} LINK_OPTIONS)
    list(REMOVE_ITEM options "-s")
    set_target_properties(smallmind-${name} PROPERTIES OUTPUT_NAME smallmind.unstripped LINK_OPTIONS "${options}")
    add_custom_command(OUTPUT ${binary}
      COMMAND ${CMAKE_STRIP} --strip-all -o ${binary} ${binary}.unstripped
      DEPENDS smallmind-${name} COMMENT "Stripping ${name}" VERBATIM)
    set(depends ${binary})
  endif()
  if(ROW_${name}_pgo STREQUAL "use")
    set(stamp ${PROJECT_BINARY_DIR}/pgo/${ROW_${name}_trained_by}/profile_stamp.h)
    target_precompile_headers(engine-${name} PRIVATE ${stamp})
    # One file: precompiling would only cost time.
    target_compile_options(smallmind-${name} PRIVATE "SHELL:-include \"${stamp}\"")
    foreach(target engine-${name} smallmind-${name})
      add_dependencies(${target} pgo-train-${ROW_${name}_trained_by})
    endforeach()
  endif()

  list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
  add_custom_command(OUTPUT ${place}/target.checked
    COMMAND ${SMALLMIND_PYTHON} ${PROJECT_SOURCE_DIR}/variants/check_target.py
      --binary ${binary} --emulator=${emulator} --expected ${ROW_${name}_expected_target} --stamp ${place}/target.checked
    DEPENDS ${depends} ${PROJECT_SOURCE_DIR}/variants/check_target.py
    COMMENT "Checking the Highway target of ${name}" VERBATIM)
  set(all "")
  if(name STREQUAL "o2")
    set(all ALL)  # the one row of a plain `cmake --build build`
  endif()
  add_custom_target(variant-${name} ${all}
    COMMAND ${SMALLMIND_PYTHON} ${PROJECT_SOURCE_DIR}/variants/manifest.py --build-dir ${PROJECT_BINARY_DIR}
      --source-dir ${PROJECT_SOURCE_DIR} --built ${name}
    DEPENDS ${place}/target.checked COMMENT "Manifest: ${name}" VERBATIM)
endfunction()

# variants-<group>: what of it can be built here; variants-all: every row but the helpers.
function(smallmind_add_groups)
  foreach(group ${SMALLMIND_GROUPS} all)
    add_custom_target(variants-${group}
      COMMAND ${SMALLMIND_PYTHON} ${PROJECT_SOURCE_DIR}/variants/manifest.py --build-dir ${PROJECT_BINARY_DIR}
        --source-dir ${PROJECT_SOURCE_DIR}
      COMMENT "Manifest: group ${group}" VERBATIM)
  endforeach()
  foreach(name ${SMALLMIND_ROWS})
    set(group ${ROW_${name}_group})
    if(ROW_${name}_buildable)
      add_dependencies(variants-${group} variant-${name})
      if(NOT group STREQUAL "helper")
        add_dependencies(variants-all variant-${name})
      endif()
    endif()
  endforeach()
endfunction()
