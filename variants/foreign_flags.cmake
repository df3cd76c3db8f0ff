# Keeps out what would be in every row and in no record: included before project(), which reads the environment's
# flags; smallmind_refuse_foreign_flags() after it. All flags of a variant are in variants.json.

foreach(name CXXFLAGS LDFLAGS CMAKE_BUILD_TYPE)
  if(NOT "$ENV{${name}}" STREQUAL "")
    message(NOTICE "${name}=$ENV{${name}} of the environment is left out: flags belong into variants/variants.json")
    unset(ENV{${name}})
  endif()
endforeach()

function(smallmind_refuse_foreign_flags)
  foreach(name CMAKE_CXX_FLAGS CMAKE_EXE_LINKER_FLAGS CMAKE_BUILD_TYPE)
    if(NOT "${${name}}" STREQUAL "")
      message(FATAL_ERROR "${name}=${${name}} would be in every variant and in no record: leave it out (-U${name}), "
        "and add a row to variants/variants.json instead")
    endif()
  endforeach()
endfunction()
