# SPDX-License-Identifier: MIT
#
# Writes apikeys.cdef: the declarations of <apikeys.h> and <apikeys/document.h>, preprocessed, without attributes and
# without the C library's headers, as foreign-function tools read them (Python's cffi, LuaJIT).
#
#   cmake -DCC=cc -DINCLUDE=include -DSCRATCH=folder -DOUTPUT=apikeys.cdef -P cdef.cmake
file(MAKE_DIRECTORY "${SCRATCH}")
file(WRITE "${SCRATCH}/stddef.h" "") # these tools know size_t, int64_t and the like themselves
file(WRITE "${SCRATCH}/stdint.h" "")
file(WRITE "${SCRATCH}/all.c" "#include <apikeys.h>\n#include <apikeys/document.h>\n")
execute_process(
  COMMAND ${CC} -std=c11 -E -P -nostdinc -I${SCRATCH} -I${INCLUDE} -D__attribute__\(x\)= -x c
          "${SCRATCH}/all.c"
  OUTPUT_VARIABLE declarations RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "cannot preprocess ${INCLUDE}/apikeys.h")
endif()
string(REGEX REPLACE "(^|\n) +" "\\1" declarations "${declarations}")
file(WRITE "${OUTPUT}" "${declarations}")
