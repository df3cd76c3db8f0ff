# A row with post "bolt": the linked program is instrumented, trained and laid out again by llvm-bolt. Works
# without hardware counters, which virtual machines seldom give.
function(smallmind_bolt name output)
  set(input ${SMALLMIND_VARIANTS_DIR}/${name}/smallmind.before-bolt)
  add_custom_command(OUTPUT ${output}
    COMMAND ${SMALLMIND_PYTHON} ${PROJECT_SOURCE_DIR}/variants/bolt.py --bolt ${SMALLMIND_LLVM_BOLT}
      --input ${input} --output ${output} ${SMALLMIND_TRAINING_FILES}
    DEPENDS smallmind-${name} training-models ${SMALLMIND_TRAINING_FILES} ${PROJECT_SOURCE_DIR}/variants/bolt.py
    COMMENT "Laying out ${name} again with BOLT" VERBATIM)
endfunction()
