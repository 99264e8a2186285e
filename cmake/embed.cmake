# joiner_embed(TARGET NAME GLOB…) compiles the files into TARGET as string views: `embedded::NAME()` in the
# generated header embedded_NAME.h returns them as {file name, text}, in order of name.
function(joiner_embed target name)
  file(GLOB files CONFIGURE_DEPENDS ${ARGN})
  list(SORT files)
  set(header ${CMAKE_BINARY_DIR}/generated/embedded_${name}.h)
  set(source ${CMAKE_BINARY_DIR}/generated/embedded_${name}.cc)
  add_custom_command(
    OUTPUT ${source} ${header}
    COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/embed.py ${name} ${header} ${source} ${files}
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/embed.py
    VERBATIM)
  add_custom_target(embed_${name} DEPENDS ${source} ${header})
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES GENERATED TRUE SKIP_PRECOMPILE_HEADERS TRUE)
  add_dependencies(${target} embed_${name})
endfunction()
