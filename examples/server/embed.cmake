# SPDX-License-Identifier: MIT
#
# Writes a C file that holds every file of a folder:
#
#   cmake -DFOLDER=assets -DOUTPUT=assets.c -P embed.cmake
#
# The same files give the same bytes, whenever and wherever that is done: names are relative and
# sorted, and an asset's ETag is the digest of what is in it.
cmake_minimum_required(VERSION 3.22)

function(type_of name out)
  get_filename_component(ending "${name}" LAST_EXT)
  set(type_.html "text/html; charset=utf-8")
  set(type_.js "text/javascript; charset=utf-8")
  set(type_.css "text/css; charset=utf-8")
  set(type_.json "application/json; charset=utf-8")
  set(type_.yaml "application/yaml")
  set(type_.svg "image/svg+xml")
  set(type_.png "image/png")
  if(NOT DEFINED "type_${ending}")
    message(FATAL_ERROR "${name}: what type of content is that? Add its ending to embed.cmake")
  endif()
  set(${out} "${type_${ending}}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE names RELATIVE "${FOLDER}" "${FOLDER}/*")
list(SORT names)
set(arrays "")
set(table "")
set(index 0)
foreach(name IN LISTS names)
  type_of("${name}" type)
  file(SHA256 "${FOLDER}/${name}" digest)
  string(SUBSTRING "${digest}" 0 32 digest)
  file(SIZE "${FOLDER}/${name}" size)
  file(READ "${FOLDER}/${name}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  # A last 0, so that an empty file is an array too.
  string(APPEND arrays "static const unsigned char bytes_${index}[] = {${bytes}0};\n")
  string(APPEND table
         "    {\"${name}\", \"${type}\", \"\\\"${digest}\\\"\", bytes_${index}, ${size}},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUTPUT}" "/* Made by embed.cmake. */
#include \"http/assets.h\"

${arrays}
const struct asset assets[] = {
${table}    {NULL, NULL, NULL, NULL, 0},
};
")
