"""Equal and nearly equal texts are one hit that lists its other places."""

from __future__ import annotations

from pathlib import Path

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.rag import context
from retrieval.types import Answer, Location, SearchRequest, SimilarRequest

KEYS = '''def rotate_keys(store, now):
    """Replaces keys that are too old."""
    for key in store.keys():
        if now - key.made > MAX_AGE:
            store.replace(key, new_key())
            log.info("rotated %s", key.id)
    return store
'''
SCHEDULE = '''def key_rotation_schedule(config):
    """When keys are rotated."""
    days = config.get("rotation_days", 30)
    return [day for day in range(0, 365, days)]
'''


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def answer(tmp_path: Path, files: dict[str, str], query: str, limit: int = 10) -> Answer:
    root = written(tmp_path / "shop", files)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        return workspace.search(SearchRequest(query, limit=limit))


def test_twenty_copies_are_one_hit_with_nineteen_other_places(tmp_path: Path) -> None:
    files = {f"svc{n:02}/keys.py": KEYS for n in range(20)} | {"ops/schedule.py": SCHEDULE}
    hits = answer(tmp_path, files, "rotate old keys").hits
    assert len(hits) == 2
    assert hits[0].text == KEYS.rstrip("\n")
    shown = {hits[0].chunk.path, *(copy.path for copy in hits[0].copies)}
    assert shown == {f"svc{n:02}/keys.py" for n in range(20)}
    assert hits[0].copies == tuple(sorted(hits[0].copies, key=lambda copy: copy.path))
    assert hits[1].copies == ()


def test_copies_of_another_layout_or_with_a_changed_word_are_copies_too(tmp_path: Path) -> None:
    changed = KEYS.replace("rotated %s", "renewed %s")
    hits = answer(tmp_path, {"a.py": KEYS, "b.py": KEYS.replace("    ", "\t"), "c.py": changed}, "rotate keys").hits
    assert len(hits) == 1
    assert len(hits[0].copies) == 2


def test_functions_that_differ_in_what_they_do_are_no_copies(tmp_path: Path) -> None:
    other = KEYS.replace("store.replace(key, new_key())", "archive(key)\n            continue")
    hits = answer(tmp_path, {"a.py": KEYS, "b.py": other}, "rotate keys").hits
    assert [hit.copies for hit in hits] == [(), ()]


def test_more_copies_than_candidates_do_not_hide_what_is_no_copy(tmp_path: Path) -> None:
    files = {f"svc{n:03}/keys.py": KEYS for n in range(150)} | {"ops/schedule.py": SCHEDULE}
    hits = answer(tmp_path, files, "rotate old keys").hits
    assert [len(hit.copies) for hit in hits] == [149, 0]


def test_the_hits_do_not_depend_on_how_many_are_asked_for(tmp_path: Path) -> None:
    files = {f"svc{n:02}/keys.py": KEYS.replace("log.info", f"log.info{n % 7}") for n in range(30)}
    few = answer(tmp_path, files, "rotate old keys", limit=3).hits
    assert few == answer(tmp_path, files, "rotate old keys", limit=20).hits[:3]


def test_similar_code_is_told_once(tmp_path: Path) -> None:
    root = written(tmp_path / "shop", {f"svc{n}/keys.py": KEYS for n in range(4)} | {"ops/schedule.py": SCHEDULE})
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        hits = workspace.similar(SimilarRequest(path="svc0/keys.py", first_line=1)).hits
        assert [hit.chunk.path for hit in hits] == ["svc1/keys.py", "ops/schedule.py"]
        assert hits[0].copies == (Location("svc2/keys.py", 1, 7), Location("svc3/keys.py", 1, 7))
        assert context(workspace, "how are old keys replaced").context.text.count("keys that are too old") == 1
