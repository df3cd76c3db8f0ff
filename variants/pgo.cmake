# Training: an instrumented row runs `smallmind profile` on small models and leaves a profile for the rows that
# name it in trained_by.
#
# The profile is a real dependency, both ways. train.py runs again when the instrumented objects, the models, the users
# or itself changed in content (a new commit alone changes none of them), and it rewrites profile_stamp.h, one of
# the precompiled headers of every optimised object: a new profile recompiles exactly those objects.

set(SMALLMIND_MODELS_DIR ${PROJECT_BINARY_DIR}/models)

# Training models are made by the reference variant, once; remaking one with equal bytes retrains nothing.
function(smallmind_add_training_models)
  set(models "")
  foreach(entry ${SMALLMIND_TRAINING_MODELS})
    string(REPLACE ":" ";" entry ${entry})
    list(GET entry 0 preset)
    list(GET entry 1 quant)
    set(model ${SMALLMIND_MODELS_DIR}/train-${preset}-${quant}.gguf)
    add_custom_command(OUTPUT ${model}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${SMALLMIND_MODELS_DIR}
      COMMAND ${SMALLMIND_VARIANTS_DIR}/o2/smallmind make-model --preset ${preset} --quant ${quant}
        --seed ${SMALLMIND_TRAINING_SEED} --output ${model}.new
      COMMAND ${CMAKE_COMMAND} -E copy_if_different ${model}.new ${model}
      COMMAND ${CMAKE_COMMAND} -E rm ${model}.new
      DEPENDS smallmind-o2 COMMENT "Making training model ${preset} ${quant}" VERBATIM)
    list(APPEND models ${model})
  endforeach()
  add_custom_target(training-models DEPENDS ${models})
  set(SMALLMIND_TRAINING_FILES ${models} PARENT_SCOPE)
endfunction()

function(smallmind_add_training name)
  set(users "")
  foreach(row ${SMALLMIND_ROWS})
    if(ROW_${row}_trained_by STREQUAL name AND ROW_${row}_buildable)
      list(APPEND users ${row})
    endif()
  endforeach()
  if(NOT users)
    return()
  endif()
  set(place ${PROJECT_BINARY_DIR}/pgo/${name})
  list(JOIN users "," users)
  if(SMALLMIND_TOOLCHAIN STREQUAL "gcc")
    set(tool ${SMALLMIND_GCOV_DUMP})
  else()
    set(tool ${SMALLMIND_LLVM_PROFDATA})
  endif()
  set(scripts ${PROJECT_SOURCE_DIR}/variants/train.py ${PROJECT_SOURCE_DIR}/variants/profile_data.py)
  add_custom_command(OUTPUT ${place}/profile_stamp.h ${place}/coverage.json
    COMMAND ${SMALLMIND_PYTHON} ${PROJECT_SOURCE_DIR}/variants/train.py --toolchain ${SMALLMIND_TOOLCHAIN}
      --trainer ${name} --users ${users} --tool ${tool} --build-dir ${PROJECT_BINARY_DIR}
      ${SMALLMIND_TRAINING_FILES}
    DEPENDS smallmind-${name} training-models ${SMALLMIND_TRAINING_FILES} ${scripts}
    COMMENT "Training ${name} for ${users}" VERBATIM)
  add_custom_target(pgo-train-${name} DEPENDS ${place}/profile_stamp.h)
endfunction()
