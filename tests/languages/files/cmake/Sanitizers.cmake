# Checks of memory for debug builds.

option(WITH_SANITIZERS "Check memory" OFF)

# Turns the address sanitizer on for one target.
function(enable_sanitizer target)
  if(WITH_SANITIZERS)
    target_compile_options(${target} PRIVATE -fsanitize=address)
    target_link_options(${target} PRIVATE -fsanitize=address)
  endif()
endfunction()

macro(add_fuzzer name)
  add_executable(${name} ${ARGN})
  enable_sanitizer(${name})
endmacro()
