"""Which lines define a name, in the languages of the product, and what a query that is a name finds by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from c2llm_lsp.render.snippet import anchor_line
from c2llm_lsp.server.text.navigation_target import navigation_target
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.search.definitions import definition, definition_line, queried_definition_line
from retrieval.types import Chunk, Filters, Hit, SearchRequest, Signal


def chunk(text: str, language: str, symbol: str = "") -> Chunk:
    return Chunk("a", language, "block", symbol, "", 11, 11 + text.count("\n"), 0, 0, text)


def check(language: str, text: str, defines: bool, name: str = "fetch") -> None:
    found = definition(chunk(text, language), name)
    assert (found is not None) == defines, text
    if found is not None:
        line = next(n for n, line in enumerate(text.split("\n"), 11) if name in line)
        assert found == (line, name)


DEFINITIONS = [
    ("python", "x = 1\n\nasync def fetch(url):"),
    ("python", "class fetch(Base):"),
    ("go", "func fetch(url string) error {"),
    ("go", "func (c *Client[T]) fetch(url string) error {"),
    ("go", "type (\n\tfetch struct {\n"),
    ("go", "type fetch func(string) error"),
    ("rust", "    pub(crate) async unsafe fn fetch<T>(&self) -> T {"),
    ("rust", 'pub extern "C" fn fetch();'),
    ("rust", "macro_rules! fetch {"),
    ("javascript", "export default async function* fetch() {"),
    ("javascript", "  fetch: function (url) {"),
    ("javascript", "  fetch = async (url) => {"),
    ("javascript", "exports.fetch = function () {"),
    ("javascript", "Client.prototype.fetch = old"),
    ("javascript", "    static async fetch(url, { a } = wanted()) {"),
    ("javascript", "const fetch = make()"),
    ("typescript", "  private async fetch<T>(url: string): Promise<T> {"),
    ("typescript", "export type fetch = string"),
    ("typescript", "  private readonly fetch: Fetcher;"),
    ("java", "    public static <T> List<T> fetch(String url) throws IOException {"),
    ("java", "    public static final int fetch = 1;"),
    ("csharp", "    public async Task<int> fetch(string? url)\n    {"),
    ("kotlin", "    override fun String.fetch(): Int {"),
    ("swift", "    class func fetch() -> Int {"),
    ("scala", "  implicit override def fetch = 1"),
    ("php", "    abstract public function &fetch($url)"),
    ("php", "    private ?string $fetch = null;"),
    ("ruby", "  def self.fetch url"),
    ("ruby", "module fetch"),
    ("c", "static int fetch(const char* url,\n                 int (*done)(int)) {"),
    ("c", "int\nfetch(url)\n{"),
    ("c", "#  define fetch(x) (x)"),
    ("c", "struct fetch {"),
    ("c", "typedef struct fetch_s fetch;"),
    ("c", "typedef void (*fetch)(int);"),
    ("c", "} fetch;"),
    ("cpp", "Client::fetch(int a)\n    : a_(a), b_{1} {"),
    ("cpp", "std::vector<int> Client<T>::fetch(int a) const noexcept {"),
    ("cpp", "using fetch = int;"),
    ("cpp", "template <typename T> class fetch : public Base {"),
    ("zig", "    pub const fetch = struct {"),
    ("lua", "local function M.fetch(url)"),
    ("perl", "sub fetch {"),
    ("bash", "fetch() {"),
    ("bash", "function fetch {"),
    ("elixir", "  defp fetch(url) do"),
    ("haskell", "fetch :: String -> IO ()"),
    ("clojure", "(defn fetch [url]"),
    ("lisp", "(defun fetch (url)"),
    ("r", "fetch <- function(url) {"),
    ("sql", "CREATE OR REPLACE TEMP TABLE IF NOT EXISTS public.fetch ("),
    ("powershell", "Function fetch {"),
    ("vb", "Public Sub fetch()"),
    ("proto", "message fetch {"),
    ("graphql", "input fetch {"),
]

USES = [
    ("python", "    fetch(url)"),
    ("python", "from client import fetch"),
    ("python", "    result = fetch(url, default=fetch)"),
    ("python", "# def fetch was here\nclass Other(fetch):"),
    ("python", "def fetch_all(): ...\ndef prefetch(): ..."),
    ("python", "fetch = client.fetch"),
    ("python", '"""\nclass fetch is old\ntype fetch\n"""'),
    ("cpp", "/* The\n   class fetch of all things, or\n   class fetch, which is old */"),
    ("go", "\tif err := fetch(url); err != nil {"),
    ("go", "\tfetch(url, func() {"),
    ("go", "package fetch"),
    ("rust", "pub use fetch;\nuse crate::fetch;"),
    ("rust", "    match fetch(x) {\n    while fetch(x) {"),
    ("javascript", "fetch(url, function () {\n});\nfetch(url, () => {\n});"),
    ("javascript", "fetch(url)\n\nclass A {"),
    ("javascript", "    const result = await fetch(url)"),
    ("javascript", "export default fetch;\nexport { fetch };\nmodule.exports = fetch;\nexports.fetch = fetch;"),
    ("javascript", "const { fetch } = client"),
    ("javascript", "class A extends fetch {"),
    ("javascript", "} else if (fetch(x)) {\nreturn fetch(x) {"),
    ("typescript", "  private client: fetch;\n  run(client: fetch) {"),
    ("typescript", "import type fetch from 'x'"),
    ("java", "    Runnable r = new fetch(x) {"),
    ("java", "public class A extends fetch {"),
    ("csharp", "    private fetch client;"),
    ("kotlin", "    fetch(url) {"),
    ("swift", "    fetch(url) {"),
    ("php", "class A extends B implements fetch\n{"),
    ("php", "    $this->fetch($url);\n    fetch($url);"),
    ("ruby", "  fetch(url) {\n  fetch :url do"),
    ("c", "    fetch(queue, &item) {"),
    ("c", "struct fetch* next;\nstruct fetch one;\nstruct fetch;"),
    ("c", "int n = fetch(url);\nreturn fetch(url);"),
    ("cpp", "template <class fetch, class B = int>"),
    ("elixir", "defmodule fetch.Other do"),
    ("bash", "  fetch a b | fetch"),
    ("sql", "SELECT * FROM fetch;"),
    ("markdown", "    def fetch(url):"),
]


@pytest.mark.parametrize(("language", "text"), DEFINITIONS)
def test_a_definition_is_told_by_its_line(language: str, text: str) -> None:
    check(language, text, True)


@pytest.mark.parametrize(("language", "text"), USES)
def test_a_use_is_no_definition(language: str, text: str) -> None:
    check(language, text, False)


def test_macros_with_a_block_are_uses_and_constructors_are_not() -> None:
    check("c", "    QUEUE_FOREACH(q, &queue) {", False, "QUEUE_FOREACH")
    check("cpp", "    Client(int a) : a_(a) {", True, "Client")


def test_a_constant_is_defined_at_the_margin() -> None:
    check("python", "MAX_TERMS: Final = 3", True, "MAX_TERMS")
    check("python", "if MAX_TERMS == 3:", False, "MAX_TERMS")
    check("python", "    MAX_TERMS = 3", False, "MAX_TERMS")


def test_the_own_case_comes_first_and_another_counts_too() -> None:
    text = "def fetch(): ...\n\nclass Fetch: ..."
    assert definition(chunk(text, "python"), "Fetch") == (13, "Fetch")
    assert definition(chunk(text, "python"), "FETCH") == (11, "fetch")
    check("php", "    private Logger $logger;", False, "Logger")


def test_lines_are_counted_as_editors_count_them() -> None:
    assert definition(chunk("a = 1\rb = 2\r\n\rdef fetch():", "python"), "fetch") == (14, "fetch")


def test_of_its_own_symbol_a_chunk_has_a_line_in_any_form() -> None:
    assert definition_line(chunk("x\nfetch: 1", "yaml", "fetch"), "Fetch") == 12
    assert definition_line(chunk("x\nfetch: 1", "yaml", "other"), "fetch") is None
    assert definition_line(chunk("second part", "yaml", "fetch"), "fetch") is None
    assert definition_line(chunk("def other():", "python"), "") is None


@pytest.mark.parametrize("text", ["fetch(", "fetch(()", "fetch fetch::", "a fetch<", "fetch(a, (b(", "template <"])
def test_endless_lines_come_to_an_end(text: str) -> None:
    for language in ("cpp", "javascript", "python", "go"):
        assert definition(chunk(text * 20_000, language), "fetch") is None


# Small definitions, which are joined into one chunk, and files that use the last of them.
SMALL = {
    "errors.py": "class StreamConsumed(Exception):\n    pass\n\n\nclass RetryFailed(Exception):\n    pass\n",
    "errors.go": "package errors\n\ntype StreamGone struct{}\n\ntype RetryGone struct{}\n",
    "errors.js": "class StreamLost extends Error {}\n\nclass RetryLost extends Error {}\n",
    "errors.c": "#define STREAM_OVER 1\n#define RETRY_OVER 2\n",
    "errors.php": "<?php\nclass StreamEnd extends Error {}\n\nclass RetryEnd extends Error {}\n",
    **{
        f"use_{n}.py": f"def run_{n}(job):\n    RetryFailed = RetryGone = RetryLost = RETRY_OVER = RetryEnd = job\n"
        f"    return RetryFailed, RetryGone, RetryLost, RETRY_OVER, RetryEnd, {n}\n"
        for n in range(12)
    },
}
Opened = Callable[[dict[str, str]], Workspace]


class Instant(OverlapEncoder):
    low_latency = True


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    workspaces = []

    def open_(files: dict[str, str]) -> Workspace:
        root = tmp_path / "project"
        root.mkdir()
        for path, text in files.items():
            (root / path).write_text(text)
        workspaces.append(Workspace.open(root, encoder=Instant(), cache_dir=tmp_path / "cache"))
        workspaces[-1].refresh()
        return workspaces[-1]

    yield open_
    for workspace in workspaces:
        workspace.close()


def places(hit: Hit) -> tuple[str, int, int]:
    """Where the command line and where an editor goes."""
    return (hit.chunk.path, anchor_line(hit), navigation_target(hit).line)


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        ("RetryFailed", "errors.py", 5),
        ("RetryGone", "errors.go", 5),
        ("RetryLost", "errors.js", 3),
        ("RETRY_OVER", "errors.c", 2),
        ("RetryEnd", "errors.php", 4),
        ("errors.RetryFailed", "errors.py", 5),
        ("errors::RetryLost()", "errors.js", 3),
        ("retryfailed", "errors.py", 5),
    ],
)
def test_a_name_finds_its_definition_and_the_line_of_it(opened: Opened, name: str, path: str, line: int) -> None:
    workspace = opened(SMALL)
    answer = workspace.search(name)
    assert places(answer.hits[0]) == (path, line, line)
    closer = workspace.search(SearchRequest(name, highlight=True))
    assert places(closer.hits[0]) == (path, line, line)
    for hit in (answer.hits[0], closer.hits[0]):
        assert hit.salient_lines[0] == line and list(hit.salient_lines) == sorted(set(hit.salient_lines))


def test_all_definitions_of_a_name_count(opened: Opened) -> None:
    again = {"more.py": "class Alpha:\n    pass\n\n\nclass RetryFailed:\n    pass\n"}
    hits = opened(SMALL | again).search(SearchRequest("RetryFailed", limit=2)).hits
    assert {hit.chunk.path for hit in hits} == {"errors.py", "more.py"}
    assert all(queried_definition_line(hit) == 5 for hit in hits)


def test_what_only_uses_a_name_is_shown_as_before(opened: Opened) -> None:
    used = [hit for hit in opened(SMALL).search("RetryFailed").hits if hit.chunk.path.startswith("use_")]
    assert used and all(queried_definition_line(hit) is None and anchor_line(hit) == 1 for hit in used)


def test_a_question_with_a_name_in_it_goes_by_symbols_alone(opened: Opened) -> None:
    hits = opened(SMALL).search("where is RetryFailed raised").hits
    assert all(queried_definition_line(hit) is None for hit in hits)
    assert not any(s.name == "definition" for hit in hits if hit.chunk.symbol != "RetryFailed" for s in hit.signals)


def test_filters_hold_for_definitions_found_in_texts(opened: Opened) -> None:
    hits = opened(SMALL).search(SearchRequest("RetryFailed", Filters(paths=("use_*.py",)))).hits
    assert hits and all(hit.chunk.path.startswith("use_") for hit in hits)


def test_a_line_that_has_the_chunks_name_too_is_entered_at_its_beginning() -> None:
    text = "class Gone(Exception):\n    pass\nclass Lost(Gone):\n    pass"
    hit = Hit(chunk(text, "python", "Gone"), 11, 14, text, 1.0, (Signal("definition", 1.0, 1.5),), (13,))
    at = navigation_target(hit)
    assert (at.line, at.before, at.name) == (13, "", "class Lost(Gone):")


def test_a_name_that_is_nowhere_finds_what_is_near(opened: Opened) -> None:
    assert all(queried_definition_line(hit) is None for hit in opened(SMALL).search("NowhereAtAll").hits)
