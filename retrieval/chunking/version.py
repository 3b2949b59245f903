"""The version of the chunking rules, in a module that costs nothing to import."""

# One line per version: what is chunked differently.
# 1: first version
# 2: grammars for 19 more languages; languages by content
# 3: a long class keeps its name, all symbols of a chunk are stored
# 4: patterns keep comments with what follows and find members
# 5: macros of C and C++ are seen through
# 6: files with several languages are cut by the rules of each; all functions of a notebook's cell have names
# 7: code in reStructuredText, scripts in Handlebars and Twig; files beside one tell its language
# 8: patterns for 24 more languages; short files of Terraform and PowerShell have names
CHUNKING_VERSION = 8

# The same for what files define, call and import (structure/).
# 1: first version
STRUCTURE_VERSION = 1
