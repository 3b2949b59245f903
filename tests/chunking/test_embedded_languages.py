"""Files with several languages: each part has its language, its names and its own lines."""

from __future__ import annotations

import pytest

from retrieval.chunking import chunk_file
from retrieval.chunking.embedded.regions import MAX_REGIONS
from retrieval.chunking.listing import parts_of

JS = "function load(a) {\n  return a;\n}\n"
ROWS = "".join(f"  step_{n}(value, {n});\n" for n in range(12))

# ruff: noqa: E501 - one row a case
# File name -> text, and its parts: "language kind name first-last", without kind and name where they have none.
CASES: dict[str, tuple[str, list[str]]] = {
    "script.vue": (
        f"<script>\n{JS}</script>\n<template>\n  <p>{{{{ a }}}}</p>\n</template>\n",
        ["javascript 1-1", "javascript function load 2-4", "javascript 5-5", "html 6-8"],
    ),
    "setup.vue": (
        '<script setup lang="ts">\nfunction load(a: number) {\n  return a;\n}\n</script>\n<style lang="scss">\n'
        "@mixin round {\n  border: 1px;\n}\n</style>\n",
        [
            "typescript 1-1",
            "typescript function load 2-4",
            "typescript 5-5",
            "scss 6-6",
            "scss function round 7-9",
            "scss 10-10",
        ],
    ),
    "two_scripts.vue": (
        f'<script lang="ts">\nexport class Store {{\n  n = 1;\n}}\n</script>\n\n<script setup lang="tsx">\n{JS}</script>\n',
        [
            "typescript 1-1",
            "typescript class Store 2-4",
            "typescript 5-5",
            "tsx 7-7",
            "tsx function load 8-10",
            "tsx 11-11",
        ],
    ),
    "nested_template.vue": (
        f"<template>\n  <template v-if='a < b'>\n    <p/>\n  </template>\n  <template #x />\n</template>\n<script>\n{JS}</script>\n",
        ["html 1-6", "javascript 7-7", "javascript function load 8-10", "javascript 11-11"],
    ),
    "blocks.vue": (
        '<!-- <script>no</script> -->\n<template lang="pug">\np hello\n</template>\n<i18n lang="yaml">\nen:\n  hello: Hello\n</i18n>\n'
        "<script src='./a.js'></script>\n",
        ["vue 1-1", "pug 2-4", "yaml 5-8", "vue 9-9"],
    ),
    "unclosed.vue": (f"<script>\n{JS}", ["javascript 1-1", "javascript function load 2-4"]),
    "a.svelte": (
        f'<script context="module" lang="ts">\n{JS}</script>\n{{#if a < b}}\n  <p>{{a}}</p>\n{{/if}}\n<style>\n  p {{ color: red }}\n</style>\n',
        ["typescript 1-1", "typescript function load 2-4", "typescript 5-5", "svelte 6-8", "css 9-11"],
    ),
    "a.astro": (
        f"---\nimport A from './A.astro';\n{JS}---\n<A/>\n<script>\nconst b: number = 1;\n</script>\n",
        [
            "typescript 1-2",
            "typescript function load 3-5",
            "typescript 6-6",
            "astro 7-7",
            "typescript 8-8",
            "typescript block b 9-9",
            "typescript 10-10",
        ],
    ),
    "no_front_matter.astro": ("<A/>\n", ["astro 1-1"]),
    "a.html": (
        f"<!doctype html>\n<html>\n<head>\n<script type='application/ld+json'>\n{{}}\n</script>\n</head>\n<body><p>x</p><script>\n{JS}</script></body>\n</html>\n",
        ["html 1-3", "json 4-6", "html 7-8", "javascript function load 9-11", "html 12-13"],
    ),
    "text_of_tags.html": (
        "<script>\nconst page = `<script>no<\\/script><style>`;\nfunction load() {\n  return '</style>';\n}\n</script>\n<p>x</p>\n",
        ["javascript 1-1", "javascript block page 2-2", "javascript function load 3-5", "javascript 6-6", "html 7-7"],
    ),
    "one_line.html": (
        f"<p>a</p><script>go()</script>\n<script>\n{JS}</script>\n",
        ["html 1-1", "javascript 2-2", "javascript function load 3-5", "javascript 6-6"],
    ),
    "templates.html": (
        "<script type='text/x-template'>\n<p>a</p>\n<script>\n</script>\n<script type='text/x-unheard-of'>\nabc\n</script>\n",
        ["html 1-7"],
    ),
    "indented.html": (
        f"<body>\n    <script>\n      {JS.replace(chr(10), chr(10) + '      ').rstrip(' ')}    </script>\n</body>\n",
        ["html 1-1", "javascript 2-2", "javascript function load 3-5", "javascript 6-6", "html 7-7"],
    ),
    "view.php": (
        "<ul>\n<?php foreach ($rows as $row): ?>\n  <li><?= $row ?></li>\n<?php endforeach; ?>\n</ul>\n<?php\n/** Adds. */\nfunction add($a, $b) {\n"
        "  $end = '?>' . <<<X\n  ?> text\n  X;\n  return $a + $b;\n}\n?>\n<script>\nfunction load() {\n  return <?= $a ?>;\n}\n</script>\n",
        [
            "html 1-5",
            "php 6-6",
            "php function add 7-13",
            "php 14-14",
            "javascript 15-15",
            "javascript function load 16-18",
            "javascript 19-19",
        ],
    ),
    "mixed.php": (
        "<?php function row($x) { ?>\n<td><?= $x ?></td>\n<?php } ?>\n<p>x</p>\n<?php class Till {\n  function open() {}\n}\n",
        ["php function row 1-3", "html 4-4", "php class Till 5-7"],
    ),
    "pure.php": ("<?php\nfunction add($a) {\n  return $a;\n}\n?>\n", ["php 1-1", "php function add 2-4", "php 5-5"]),
    "only_markup.php": ("<p>x</p>\n@foreach ($a as $b)\n<b>{{ $b }}</b>\n@endforeach\n", ["html 1-4"]),
    "a.html.erb": (
        "<h1><%= @title %></h1>\n<%# a comment %>\n<% @rows.each do |row| -%>\n  <li><%== row %></li>\n<% end -%>\n<%-\n  def shown(x)\n    x.to_s\n  end\n-%>\n<%% no code %>\n",
        ["html 1-5", "ruby 6-6", "ruby function shown 7-9", "ruby 10-10", "html 11-11"],
    ),
    "a.ejs": (
        "<% function row(x) { %>\n<td><%- x %></td>\n<% } -%>\n<%_ rows.forEach(x => { _%>\n  <li><%= x %></li>\n<%_ }) _%>\n",
        ["javascript function row 1-3", "html 4-6"],
    ),
    "a.jsp": (
        '<%@ page import="java.util.*" %>\n<%-- int no() {} --%>\n<html>\n<%!\n  private int count = 0;\n  String shown(int x) {\n    return "" + x;\n  }\n%>\n'
        "<% for (int i = 0; i < 3; i++) { %>\n<p><%= shown(i) %></p>\n<% } %>\n</html>\n",
        ["html 1-3", "java 4-5", "java function shown 6-8", "java 9-9", "html 10-13"],
    ),
    "a.razor": (
        '@page "/c"\n<h1>Don\'t</h1>\n@code {\n    private int count = 0;\n\n    /// <summary>Adds.</summary>\n    [Parameter]\n    public string Title { get; set; } = "}";\n\n'
        "    private void Add()\n    {\n        count++;\n    }\n}\n<p>@count</p>\n",
        ["html 1-2", "csharp 3-4", "csharp method Title 6-8", "csharp method Add 10-13", "csharp 14-14", "html 15-15"],
    ),
    "a.cshtml": (
        '@model Page\n@* @code { } *@\n@{\n    ViewData["a"] = "{";\n    string Shown(int x) { return x.ToString(); }\n}\n<p>don\'t</p>\n@functions\n{\n    public int Add(int a)\n    {\n        return a;\n    }\n}\n',
        [
            "html 1-2",
            "csharp 3-4",
            "csharp function Shown 5-5",
            "csharp 6-6",
            "html 7-7",
            "csharp 8-9",
            "csharp method Add 10-13",
            "csharp 14-14",
        ],
    ),
    "unclosed.razor": (
        "<p/>\n@code {\n    void Add()\n    {\n    }\n",
        ["html 1-1", "csharp 2-2", "csharp method Add 3-5"],
    ),
    "a.md": (
        f'# Title\n\ntext\n\n```ts title="x"\n{JS}```\n\n~~~{{.python .numberLines}}\ndef go():\n    return 1\n~~~\n\n```bash\npip install x\n```\n',
        [
            "markdown section Title 1-3",
            "typescript 5-5",
            "typescript function load 6-8",
            "typescript 9-9",
            "python 11-11",
            "python function go 12-13",
            "python 14-14",
            "markdown section Title 16-18",
        ],
    ),
    "nested_fences.md": (
        "````md\n```py\ndef no():\n    pass\n```\n````\n\n```py\ndef go():\n    pass\n",
        ["markdown 1-6", "python 8-8", "python function go 9-10"],
    ),
    "list.md": (
        f"1. do\n\n    ```js\n    {JS.replace(chr(10), chr(10) + '    ').rstrip(' ')}    ```\n\n2. do not\n",
        ["markdown 1-1", "javascript 3-3", "javascript function load 4-6", "javascript 7-7", "markdown 9-9"],
    ),
    "unheard_of.md": (
        f"# A\n\n```unheard\n{JS}```\n\n``` \nx\n```\n\n```text\ndef go():\n```\n",
        ["markdown section A 1-15"],
    ),
    "long.md": (f"# A\n\n```js\n{ROWS * 3}```\n", ["markdown section A 1-1", "javascript 3-40"]),
    "page.md": (
        f"# A\n\n```html\n<p>x</p>\n<script>\n{JS}</script>\n```\n",
        [
            "markdown section A 1-1",
            "html 3-4",
            "javascript 5-5",
            "javascript function load 6-8",
            "javascript 9-9",
            "html 10-10",
        ],
    ),
    "code.md": (
        "# A\n\n```php\nfunction add($a) {\n  return $a;\n}\n```\n",
        ["markdown section A 1-1", "php 3-3", "php function add 4-6", "php 7-7"],
    ),
    "a.mdx": (
        "import { X } from './x'\nexport const meta = { a: 1 }\n\n# Title\n\nexport it all\n\nexport function Card() {\n  const a = 1;\n\n  return <div>{a}</div>;\n}\n\n<X/>\n",
        [
            "javascript 1-1",
            "javascript block meta 2-2",
            "markdown section Title 4-4",
            "javascript 6-6",
            "javascript function Card 8-12",
            "markdown section Title 14-14",
        ],
    ),
    "a.Rmd": (
        "# Title\n\n```{r grow, echo=FALSE}\ngrow <- function(x) {\n  x * 2\n}\n```\n",
        ["markdown section Title 1-1", "r 3-3", "r function grow 4-6", "r 7-7"],
    ),
    "a.qmd": (
        "text\n\n```{python}\n#| label: a\ndef go():\n    return 1\n```\n",
        ["markdown 1-1", "python 3-3", "python function go 4-6", "python 7-7"],
    ),
}


def told(path: str, text: str) -> list[str]:
    parts = parts_of(chunk_file(path, text))
    lines = []
    for part in parts:
        name = f"{part.kind} {part.symbol} " if part.symbol else ""
        lines.append(f"{part.language} {name}{part.start_line}-{part.end_line}")
    return lines


@pytest.mark.parametrize("path", CASES)
def test_parts_have_their_language_names_and_lines(path: str) -> None:
    text, expected = CASES[path]
    assert told(path, text) == expected


@pytest.mark.parametrize("path", CASES)
def test_line_breaks_tabs_and_other_scripts_change_nothing(path: str) -> None:
    text, _ = CASES[path]
    parts = told(path, text)
    assert told(path, text.replace("\n", "\r\n")) == parts
    if not path.endswith((".md", ".mdx", ".Rmd", ".qmd", ".vue")):  # where an indent of four columns has a meaning
        assert told(path, text.replace("  ", "\t")) == parts
    assert told(path, text.replace("text", "tëxt").replace("<p>", "<p>🙂")) == parts


@pytest.mark.parametrize("path", CASES)
def test_every_line_is_in_exactly_one_chunk_or_blank(path: str) -> None:
    text, _ = CASES[path]
    for shown in (text, text[: len(text) // 2], text * 3, text.replace("\n", "\r")):
        chunks = chunk_file(path, shown)
        data = shown.encode()
        lines = shown.replace("\r", "\n").split("\n")
        covered = [line for chunk in chunks for line in range(chunk.start_line, chunk.end_line + 1)]
        assert len(covered) == len(set(covered))
        assert [n for n, line in enumerate(lines, 1) if line.strip() and n not in covered] == []
        assert all(chunk.text == data[chunk.start_byte : chunk.end_byte].decode() for chunk in chunks)


def test_code_in_markdown_has_the_headings_as_scope() -> None:
    chunks = chunk_file("a.md", f"# Guide\n\n## Use\n\ntext\n\n```js\nclass A {{\n  load(a) {{\n{ROWS}  }}\n}}\n```\n")
    (symbols,) = [[symbol.qualified for symbol in chunk.symbols] for chunk in chunks if chunk.language == "javascript"]
    assert symbols == ["Guide.Use.A", "Guide.Use.A.load"]


def test_a_long_class_in_a_part_is_split_into_its_members() -> None:
    members = "".join(f"  load_{n}(value) {{\n{ROWS}  }}\n" for n in range(8))
    chunks = chunk_file("a.vue", f"<template/>\n<script>\nclass Till {{\n{members}}}\n</script>\n")
    assert [chunk.qualified for chunk in chunks if chunk.symbol][-1] == "Till.load_7"
    assert chunks[-1].language == "javascript"
    last = chunks[-1].symbols[-1]
    assert (last.name, last.start_line, last.end_line) == ("load_7", 102, 115)


def test_parts_beyond_the_limit_belong_to_the_file() -> None:
    chunks = chunk_file("a.html", "<script>\nfunction go() {\n  return 1;\n}\n</script>\n" * (MAX_REGIONS + 2))
    assert [chunk.language for chunk in chunks if chunk.start_line > MAX_REGIONS * 5] == ["html"]


def test_a_script_behind_much_markup_is_not_cut_off_with_it() -> None:
    row = "<li>some text of a long list of things that somebody wrote down</li>\n" * 20
    chunks = chunk_file("a.html", f"<ul>\n{row * 400}</ul>\n<script>\n{JS}</script>\n")
    assert chunks[-1].symbol == "load"


def test_code_in_restructured_text_has_the_headings_as_scope() -> None:
    body = "".join(f"   {row}\n" for row in f"class A {{\n  load(a) {{\n{ROWS}  }}\n}}".split("\n"))
    text = f"Guide\n=====\n\ntext\n\n.. code-block:: javascript\n   :linenos:\n\n{body}\nMore text.\n\n.. code::\n\n   x = 1\n"
    chunks = chunk_file("a.rst", text)
    (code,) = [chunk for chunk in chunks if chunk.language == "javascript"]
    assert [symbol.qualified for symbol in code.symbols] == ["Guide.A", "Guide.A.load"]
    assert code.start_line == 6
    assert [chunk.language for chunk in chunks] == ["rst", "javascript", "rst"]


@pytest.mark.parametrize("path", ["a.hbs", "a.twig"])
def test_scripts_in_templates_are_read_around_their_tags(path: str) -> None:
    tag = "{{#if a}}" if path == "a.hbs" else "{% if a %}"
    script = f"<script>\n{tag}\nfunction load() {{\n  const token = {{{{ token }}}};\n{ROWS}}}\n</script>\n"
    (chunk,) = [chunk for chunk in chunk_file(path, f"<p>{{{{ a }}}}</p>\n{script}") if chunk.language == "javascript"]
    assert (chunk.symbol, chunk.symbols[-1].start_line, chunk.symbols[-1].name) == ("load", 4, "load")


@pytest.mark.parametrize(
    ("path", "scrap"),
    [
        ("a.html", "<script a='"), ("a.html", "<!--"), ("a.html", "<script></script>"), ("a.vue", "<template>"),
        ("a.vue", "<template><template/>"), ("a.md", "```py\n"), ("a.md", "    ```py\n"), ("a.mdx", "export (\n\n"),
        ("a.razor", "@{"), ("a.razor", "@code{}\n"), ("a.razor", '@{"a\n'), ("a.erb", "<%"), ("a.jsp", "<%--"),
        ("a.php", "<?= <<<X\n"), ("a.astro", "---\n"), ("a.rst", ".. code:: c\n\n "), ("a.hbs", "{{"), ("a.twig", "{%"),
    ],
)  # fmt: skip
def test_hostile_text_is_cut(path: str, scrap: str) -> None:
    text = scrap * 2_000
    assert chunk_file(path, text)
