"""Which patterns are not linear by their form alone, and why they do no harm. The test of their costs holds each of them."""

from __future__ import annotations

import dataclasses
import re

from retrieval import text_pattern
from retrieval.chunking import c_macros, definition, languages, pattern_outline, pattern_rules, patterns, shared_endings
from retrieval.chunking.structure import extraction
from retrieval.files import default_excludes
from retrieval.search import definitions
from retrieval.training import doc_comments

# Patterns of languages without a grammar, compiled when they are needed.
DEFINITION_PATTERNS = {
    f"retrieval.chunking.pattern_rules:RULES[{name}].{field.name}": re.compile(text)
    for name, rules in {**pattern_rules.RULES, "any": pattern_rules.ANY}.items()
    for field in dataclasses.fields(rules)
    if isinstance(text := getattr(rules, field.name), bytes) and text and field.name != "qualified"
}
_PATH = (4_096, "a path within the workspace")
_HEADER = (pattern_outline.HEADER_BYTES, "the first bytes of a line")
_TITLE = (patterns.MAX_TITLE_CHARS, "the first characters of a heading")
_COMMENT = (doc_comments.MAX_CHARS_READ, "the first characters of a comment's paragraph")
# The longest text that a pattern sees, in characters, and what that text is.
BOUNDS: dict[str, tuple[int, str]] = {
    **dict.fromkeys(DEFINITION_PATTERNS, _HEADER),
    **{
        f"retrieval.chunking.c_macros:{name}": (
            c_macros.LINE_BYTES + c_macros.NEXT_BYTES,
            "a short line and the next one",
        )
        for name in (
            "_ALONE _EXPORT _MIXED_TYPE _MODULE _OBJC_TYPE _OPENED _SLOTS _TEXT _TEXT_TEST _TRAILING _TYPE _TYPED_NAME"
        ).split()
    },
    "retrieval.chunking.languages:_EMACS": (languages.MODE_CHARS, "the first characters of a line"),
    "retrieval.chunking.languages:_VIM": (languages.MODE_CHARS, "the first characters of a line"),
    **{
        f"retrieval.chunking.shared_endings:_COMPILED['{ending}'][{number}][1]": (shared_endings.LINE_CHARS, "a line")
        for ending, number in (
            ("as", 0),
            ("cl", 0),
            ("cls", 3),
            ("fs", 0),
            ("fs", 1),
            ("h", 1),
            ("m", 2),
            ("m", 3),
            ("ml", 0),
            ("rs", 1),
            ("sc", 0),
            ("v", 0),
        )
    },
    "retrieval.chunking.patterns:_TITLES['tex'][0]": _TITLE,
    "retrieval.chunking.patterns:_IMAGE": _TITLE,
    "retrieval.chunking.patterns:_MARKUP": _TITLE,
    **{
        f"retrieval.chunking.structure.extraction:{name}": (
            extraction.MAX_CALLEE_BYTES,
            "the last bytes of what is called",
        )
        for name in ("_NAME", "_QUALIFIER", "_TYPE_ARGUMENTS")
    },
    "retrieval.chunking.symbols:_RECEIVER": (definition.MAX_NAME, "a name"),
    "retrieval.files.default_excludes:GENERATED_MARKER": (
        default_excludes.GENERATED_HEADER_BYTES,
        "the first bytes of a file",
    ),
    "retrieval.search.definitions:_MEMBER": (definitions.MAX_BEFORE, "what stands before a name in its line"),
    "retrieval.globs.test_files:_TEST": _PATH,
    "retrieval.text_pattern:_PARENTHESIS": (text_pattern.MAX_PATTERN_CHARS, "a pattern that a person types"),
    "retrieval.training.doc_comments:_CODE_LIKE": (doc_comments.MAX_CHARS, "a comment that is cut"),
    "retrieval.training.doc_comments:_INLINE_TAG": _COMMENT,
    "retrieval.training.doc_comments:_MARKDOWN_LINK": _COMMENT,
    "retrieval.training.doc_comments:_NOISE": (doc_comments.MAX_CHARS, "a comment that is cut"),
    "retrieval.training.doc_comments:_ROLE": _COMMENT,
    "retrieval.training.doc_comments:_XML": _COMMENT,
    "retrieval.training.pair_sources:_TEST_PATH": _PATH,
}
_RUN_TAKEN = "where a run of capitals is followed by nothing that helps, a later alternative takes all of it"
_WHOLE_LINE = "what follows a line's characters is always a line break or the end"
# Linear in fact, for a reason that the form does not show.
HARMLESS = {
    "c2llm_lsp.render.heat:_LINE": _WHOLE_LINE,
    "c2llm_lsp.server.fast_initialize:_STRING": "a string without an end is matched too",
    "c2llm_lsp.server.text.positions:_LINE": "is looked for up to the last line break only",
    "retrieval.encoders.token_overlap:_PARTS": _RUN_TAKEN,
    "retrieval.bounded_files:_LONG_KEY": "a part of a key is tried at most fifty times, once from each part before it",
    "retrieval.engine.explain:_LINE": _WHOLE_LINE,
    "retrieval.files.secret_names:PRIVATE_KEY": "no line of what follows an opening line holds another one",
    "retrieval.files.token_masking:_TOKEN": "a token begins only where a run of its characters does: each run is looked at once",
    "retrieval.search.duplicates:_COMMENT": "spaces are looked at where a line begins only",
    "retrieval.search.duplicates:_TOKEN": "a quote behind a backslash begins no string, and all others end the one before",
    "retrieval.search.query:_NAME": "a name without what may follow it is one too",
    "retrieval.store.analyzer:PART": _RUN_TAKEN,
    "retrieval.training.doc_comments:_END_MARKS": "a run of stars is entered at its first one only",
    "retrieval.training.pair_sources:_WORDS": _RUN_TAKEN,
}
# These would be slow for a text as it is, and never see one: not measured.
PREPARED = {"c2llm_lsp.server.text.positions:_LINE"}
# Patterns made where they are used, of names that are escaped; and those that other tests hold.
INLINE = {
    "c2llm_lsp.render.snippet: f'(?<!\\\\w){re.escape(hit.chunk.symbol)}(?!\\\\w)'": "a name",
    "retrieval.structure.relations: f'(?<![\\\\w$]){re.escape(name)}(?![\\\\w$])'": "a name",
    "retrieval.search.definitions: f'(?<!\\\\w){own}(?!\\\\w)'": "a name",
    "retrieval.search.definitions: f'(?<!\\\\w){re.escape(name)}(?![\\\\w$])'": "a name",
    "retrieval.search.exact: _expression(text)": "words, escaped, each of which ends a run of spaces; tried where the first one is",
    "retrieval.search.exact: _expression(self._text)": "the same",
    "retrieval.files.repository: to_regex(tokens)": "linear by construction: tests/globs",
    "retrieval.chunking.comments: b'|'.join([*map(re.escape, longest_first), b'\\\\\\\\.']) if longest_first else b'\\\\\\\\.'": (
        "marks of comments, escaped"
    ),
    "retrieval.chunking.pattern_rules: pattern": "those of RULES, which are measured here too",
    "retrieval.globs.rules: alternation": "linear by construction: tests/globs",
    "retrieval.globs.rules: self.expression": "linear by construction: tests/globs",
    **{
        f"retrieval.training.mining: {text}": "names and paths within archives that the user names"
        for text in (
            "'[^a-z0-9._-]+'",
            "'\\\\d+'",
            "'^(?:package|usr/share/gocode/src|usr/share/cargo/registry|usr/lib/ruby/vendor_ruby|usr/share/php|usr/share|"
            "usr/lib(?:/[a-z0-9_]+-linux-gnu)?|usr/include|usr/src)/'",
        )
    },
}
