"""More kinds of pairs than doc comment -> body, as tasks for `c2llm train`.

| kind | source | query -> positive |
|---|---|---|
| names | DATA/train.jsonl | the name taken apart, with its scope -> the body |
| halves | DATA/train.jsonl | path and first half of a body -> its second half |
| tests | a source tree, a wheel, a tarball | a test -> the function that its name says it tests |
| commits | a git repository | the commit's message -> its diff |

Names and halves come from what was mined, so that licences and held-out packages are settled already; tests and commits are of
the user's own choice. Tests are matched by name alone (`test_open_file`, `TestOpenFile`, `testOpenFile` -> `open_file`), in every
language that pairs are mined from, and only where one function of the package bears the name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from retrieval.processes.git import start_log
from retrieval.training.archives import ARCHIVE_ENDINGS, MAX_FILE_BYTES, source_files
from retrieval.training.decontamination import path_is_excluded
from retrieval.training.extraction import Function, functions, language_of
from retrieval.training.mining import project_path, read_pairs
from retrieval.training.public_datasets import halves
from retrieval.training.tasks import DataError, Example

MAX_COMMITS = 20_000
MAX_DIFF_CHARS = 6_000  # longer ones are merges, renames and generated files
MIN_MESSAGE_WORDS = 3
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_TEST_WORDS = frozenset({"test", "tests", "should", "spec"})
_ROUTINE = re.compile(r"^(?:merge|revert|bump|release|version|update changelog|wip|fixup!|squash!)\b", re.IGNORECASE)
_COMMIT = "\x1e"  # before each commit in git's output
_TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?)/|(?:^|/)test_[^/]*$|[._-](?:test|tests|spec)\.[^/.]+$|Tests?\.[^/.]+$"
)


def derive(kind: str, source: Path) -> Iterator[Example]:
    """The examples of a kind. Raises DataError for a kind or source that is none."""
    if kind not in KINDS:
        raise DataError(f"There is no kind '{kind}' of pairs: known are {', '.join(KINDS)}.")
    if not source.exists():
        raise DataError(f"There is no {source}.")
    return KINDS[kind](source)


def _names(source: Path) -> Iterator[Example]:
    for pair in read_pairs(source):
        query = " ".join(words_of(pair.qualified))
        if " " in query:
            yield Example(query, f"{pair.path}\n{pair.body}")


def _halves(source: Path) -> Iterator[Example]:
    for pair in read_pairs(source):
        found = halves(pair.body)
        if found is not None:
            yield Example(f"{pair.path}\n{found.query}", f"{pair.path}\n{found.positive}")


def words_of(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _tests(source: Path) -> Iterator[Example]:
    """Tests whose words, without those that say that it is one, are those of a function, or begin with them."""
    tests: list[Function] = []
    others: dict[tuple[str, ...], list[Function]] = defaultdict(list)
    for path, content in _files(source):
        if not language_of(path) or path_is_excluded(path):
            continue
        for function in functions(project_path(path), content):
            if _TEST_PATH.search(path):
                tests.append(function)
            else:
                others[tuple(words_of(function.name))].append(function)
    for test in tests:
        tested = _function_under_test(words_of(test.name), others)
        if tested is not None:
            yield Example(test.code, f"{tested.path}\n{tested.qualified}\n{tested.code}")


def _function_under_test(words: list[str], others: Mapping[tuple[str, ...], list[Function]]) -> Function | None:
    rest = tuple(word for word in words if word not in _TEST_WORDS)
    if len(rest) == len(words):
        return None
    for end in range(len(rest), 0, -1):
        found = others.get(rest[:end], [])
        if found:
            # one word of several is no name: test_open_when_closed says little about open
            return found[0] if len(found) == 1 and (end > 1 or len(rest) == 1) else None
    return None


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_file():
        if not source.name.endswith(ARCHIVE_ENDINGS):
            raise DataError(f"{source} is no archive that can be read: give a folder, a wheel or a tarball.")
        yield from source_files(source, lambda path: bool(language_of(path)))
        return
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_FILE_BYTES:
            yield path.relative_to(source).as_posix(), path.read_bytes()


def _commits(source: Path) -> Iterator[Example]:
    shape = ("--no-merges", f"--max-count={MAX_COMMITS}", "--patch", "--unified=2")
    try:
        with start_log(source, *shape, f"--format={_COMMIT}%s%n%b%x00") as git:
            assert git.stdout is not None and git.stderr is not None
            for commit in _split_commits(git.stdout):
                found = _commit(commit)
                if found is not None:
                    yield found
            failure = git.stderr.read().strip()
    except OSError as error:
        raise DataError(f"git cannot be started ({error}): it is needed to read commits.") from error
    if git.returncode:
        raise DataError(f"{source} has no commits to read: {failure.splitlines()[-1] if failure else 'git failed'}.")


def _split_commits(lines: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    for line in lines:
        if line.startswith(_COMMIT):
            yield "".join(held)
            held = []
        if len(held) < MAX_DIFF_CHARS:  # lines: far more than is kept
            held.append(line)
    yield "".join(held)


def is_test_path(path: str) -> bool:
    return bool(_TEST_PATH.search(path))


def is_routine(subject: str) -> bool:
    """Whether a commit's subject says nothing of what was changed."""
    return bool(_ROUTINE.match(subject))


def _commit(text: str) -> Example | None:
    message, _, patch = text.removeprefix(_COMMIT).partition("\0")
    subject = message.split("\n\n")[0].replace("\n", " ").strip()
    patch = "\n".join(line for line in patch.strip("\n").split("\n") if not line.startswith(("index ", "diff --git ")))
    if is_routine(subject) or len(words_of(subject)) < MIN_MESSAGE_WORDS or not 0 < len(patch) <= MAX_DIFF_CHARS:
        return None
    return Example(subject, patch)


KINDS: Mapping[str, Callable[[Path], Iterator[Example]]] = {
    "names": _names,
    "halves": _halves,
    "tests": _tests,
    "commits": _commits,
}
