# SPDX-License-Identifier: MIT
#
# Writes a C file that holds every file of a folder:
#
#   cmake -DFOLDER=assets -DOUTPUT=assets.c -P embed.cmake
#
# The modules of the folder's widget/ become one, api-keys-widget.js: pages load one file, without
# comments and indentation.
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

# Comments that stand on lines of their own, and blanks at the beginning of a line, go: no code has
# them inside a text, but for the style sheet, where they mean nothing either.
function(strip text out)
  string(REGEX REPLACE "\n[ \t]*//[^\n]*" "" text "\n${text}")
  string(REGEX REPLACE "\n[ \t]*/\\*([^*]|\\*+[^*/])*\\*+/" "" text "${text}")
  string(REGEX REPLACE "\n[ \t\n]+" "\n" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# A name has one meaning in all of widget/, so modules join by dropping what ties them together.
function(join_widget out)
  set(joined "")
  foreach(module IN ITEMS main strings dom times tokens client style menu dialog expiration
                          permissions create key_dialogs element)
    file(READ "${FOLDER}/widget/${module}.js" text)
    string(REGEX REPLACE "\nimport [^;]*;" "" text "${text}")
    string(REGEX REPLACE "\nexport (const|function|async|class|let) " "\n\\1 " text "${text}")
    string(REGEX REPLACE " from '[^']*';" ";" text "${text}")
    string(APPEND joined "${text}\n")
  endforeach()
  strip("${joined}" joined)
  file(WRITE "${out}" "// SPDX-License-Identifier: MIT${joined}")
endfunction()

file(GLOB_RECURSE names RELATIVE "${FOLDER}" "${FOLDER}/*")
list(FILTER names EXCLUDE REGEX "^widget/")
get_filename_component(made "${OUTPUT}" DIRECTORY)
set(widget "${made}/api-keys-widget.js")
join_widget("${widget}")
list(APPEND names api-keys-widget.js)
list(SORT names)
set(arrays "")
set(table "")
set(index 0)
foreach(name IN LISTS names)
  type_of("${name}" type)
  set(path "${FOLDER}/${name}")
  if(name STREQUAL "api-keys-widget.js")
    set(path "${widget}")
  endif()
  file(SHA256 "${path}" digest)
  string(SUBSTRING "${digest}" 0 32 digest)
  file(SIZE "${path}" size)
  file(READ "${path}" bytes HEX)
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
