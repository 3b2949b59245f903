"""Pictures of a real Neovim in a real terminal, for docs/ and the README: pictures.py PROJECT PLUGINS CHROMIUM."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from latency import places, started
from terminal import Terminal

DOCS = Path(__file__).resolve().parents[1] / "docs"
QUESTION, ANSWER = "split camel case words", "words.py:"
WIDTH, HEIGHT = 1216, 784


def main(project: str, plugins: str, chromium: str) -> int:
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, started(Path(name), project, "snacks", plugins) as terminal:
        work = Path(name)
        terminal.until(lambda text: "READY" in text, 120)
        terminal.type(":set number | C2llm search\r")
        terminal.until(lambda text: "Search by Meaning" in text)
        terminal.rest(0.5)
        terminal.type(QUESTION)
        terminal.until(lambda text: ANSWER in places(text))
        terminal.rest(2)
        picture(terminal, work, chromium, "search")
        terminal.type("\r")
        terminal.until(lambda text: "Search by Meaning" not in text)
        terminal.rest(0.5)
        terminal.type(":C2llm explain\r")
        terminal.rest(3)
        picture(terminal, work, chromium, "explain")
        terminal.type(":C2llm! similar\r")
        terminal.until(lambda text: "Similar code" in text)
        terminal.rest(1)
        picture(terminal, work, chromium, "quickfix")
    return 0


def picture(terminal: Terminal, work: Path, chromium: str, name: str) -> None:
    page = work / "page.html"
    page.write_text(terminal.html(), encoding="utf-8")
    size = f"--window-size={WIDTH},{HEIGHT}"
    shot = f"--screenshot={DOCS / name}.png"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, shot]
    subprocess.run([chromium, *flags, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
