"""`c2llm web` in a real Chromium: search while typing, heat, map, near-duplicates; nothing of the workspace becomes markup."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import Program, lay_out
from tests.patience import PATIENCE
from tests.web.chromium import Chromium, browser

pytest.importorskip("uvicorn")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix" or browser() is None, reason="there is no Chromium"),
]

HOSTILE = '<img src=x onerror="window.bad=1"> <script>window.bad=1</script>'
COPY = """def read_table(path, separator):
    rows = []
    with open(path) as source:
        for number, line in enumerate(source):
            if not line.strip() or line.startswith("#"):
                continue
            cells = [cell.strip() for cell in line.split(separator)]
            rows.append((number, cells))
    return rows
"""
PLACES = "[...document.querySelectorAll('#results .place')].map((e) => e.textContent)"
HOT = "document.querySelectorAll('#file-lines .h1, #file-lines .h2, #file-lines .h3, #file-lines .h4')"
FILES = """fetch('api/map', { method: 'POST', headers: { Authorization: 'Bearer ' + sessionStorage.getItem('c2llm-token') } })
  .then((answer) => answer.json()).then((map) => map.files)"""
CANVAS = "(({ left, top, width, height }) => [left, top, width, height])(document.getElementById('canvas').getBoundingClientRect())"
MARGIN = 40  # around the map, as in map.js


@pytest.fixture
def project(tmp_path: Path) -> Path:
    more = {
        "app/markup.py": f"def show_markup():\n    '''{HOSTILE} evilmarkup'''\n    return 1\n",
        "app/table.py": COPY,
        "lib/table.py": COPY.replace("rows", "records"),
    }
    return lay_out(tmp_path / "project", PROJECT | more)


@pytest.fixture
def address(project: Path, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "home").mkdir()
    program = Program(tmp_path / "home", "embedded")
    command, environment = program.command("web", str(project)), program.environment()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Chromium]:
    program = browser()
    assert program
    with Chromium(program, tmp_path / "profile") as page:
        page.open(address)
        page.until("document.getElementById('status').textContent === '8 files'")
        yield page


def put(page: Chromium, field: str, value: str) -> None:
    """A value into a field, as if it had been chosen."""
    page.js(f"document.getElementById('{field}').value = '{value}'")
    page.js(f"document.getElementById('{field}').dispatchEvent(new Event('input', {{ bubbles: true }}))")


def show(page: Chromium, view: str) -> None:
    page.js(f"document.getElementById('tab-{view}').click()")


def test_a_person_searches_and_sees_where_the_model_looks(page: Chromium, address: str) -> None:
    assert "#token=" in address
    assert page.js("location.hash") == "", "the token is not left in the address"
    page.type("ignore rule excludes the path")
    page.until(f"({PLACES})[0] === 'app/ignore.py:4'")
    assert page.js("document.querySelector('#results mark').textContent") in ("ignore", "rule", "excludes", "path")
    assert "def apply_ignore_rules" in page.js("document.querySelector('#preview .code').textContent")
    page.press("ArrowDown")
    page.until("document.querySelectorAll('#results li')[1].getAttribute('aria-selected') === 'true'")
    page.press("ArrowUp")
    page.press("Enter")
    page.until("!document.getElementById('file').hidden && document.querySelectorAll('#file-lines .row').length > 5")
    page.js("document.getElementById('heat').click()")
    page.until(f"{HOT}.length > 2")
    page.press("Escape")
    page.until("!document.getElementById('search').hidden")
    assert page.complaints() == []


def test_the_map_opens_files_and_near_duplicates_are_listed(page: Chromium, address: str) -> None:
    show(page, "map")
    files = page.until(f"({FILES}).then((files) => files.length === 8 && files)")
    show(page, "map")
    page.until("document.getElementById('canvas').getAttribute('aria-label').includes('8 files')")
    assert page.js("document.querySelectorAll('#clusters li').length") > 1
    left, top, width, height = page.js(CANVAS)
    size, first = min(width, height) - 2 * MARGIN, files[0]
    page.click(left + width / 2 + (first["x"] - 0.5) * size, top + height / 2 + (first["y"] - 0.5) * size)
    page.until(f"document.getElementById('file-path').textContent === '{first['path']}'")
    show(page, "duplicates")
    shown = page.until("document.querySelector('#pairs li')?.textContent")
    assert "app/table.py" in shown and "lib/table.py" in shown
    assert page.complaints() == []
    origin = address.partition("/#")[0]
    assert [url for url in page.requests() if not url.startswith((origin, "about:"))] == []
    if folder := os.environ.get("C2LLM_PICTURES"):
        pictures(page, Path(folder))


def pictures(page: Chromium, folder: Path) -> None:
    """Of the views, light and dark and narrow, to be looked at."""
    show(page, "search")
    page.type("ignore rule excludes the path")
    page.until(f"({PLACES})[0] === 'app/ignore.py:4'")
    for scheme in ("light", "dark"):
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for view in ("search", "map", "duplicates"):
            show(page, view)
            page.until("document.getElementById('duplicate-notes').textContent !== 'Comparing…'")
            page.picture(folder / f"{view}-{scheme}.png")
    page.ask("Emulation.setDeviceMetricsOverride", width=480, height=800, deviceScaleFactor=1, mobile=False)
    show(page, "search")
    page.picture(folder / "search-narrow.png")


def test_code_is_text_and_never_markup(page: Chromium) -> None:
    page.type("evilmarkup")
    page.until(f"({PLACES})[0]?.startsWith('app/markup.py')")
    assert "<img src=x" in page.js("document.getElementById('preview').textContent")
    assert page.js("document.querySelectorAll('#preview img, #preview script, #results img').length") == 0
    page.press("Enter")
    page.until("document.getElementById('file-lines').textContent.includes('<script>')")
    assert page.js("window.bad === undefined") is True
    page.js("(() => { try { document.body.innerHTML = '<b>x</b>' } catch { window.stopped = true } })()")
    assert page.js("window.stopped") is True, "the policy lets no markup through"


def test_gibberish_is_dimmed_and_a_wrong_filter_is_explained(page: Chromium) -> None:
    page.type("xyzzyplugh frobnicated qwrtz")
    page.until("document.getElementById('notes').textContent.startsWith('Nothing certain was found')")
    assert page.js("document.querySelectorAll('#results li:not(.weak)').length") == 0
    put(page, "query", "retry lang:klingon")
    page.until("document.getElementById('notes').textContent.includes(\"There is no language 'klingon'\")")
    put(page, "query", "retry")
    put(page, "language", "typescript")
    page.until(f"({PLACES}).length === 1 && ({PLACES})[0].startsWith('web/retry.ts')")


def test_without_the_token_there_is_no_answer(address: str, tmp_path: Path) -> None:
    program = browser()
    assert program
    with Chromium(program, tmp_path / "profile") as page:
        page.open(address.partition("#")[0])
        page.until("document.getElementById('status').textContent.startsWith('Open the address')")
        assert page.js("document.querySelectorAll('#results li').length") == 0
