"""What hits say of themselves: which words of their lines match, and whether they are far below the best."""

from __future__ import annotations

from tests.server.editing import Opened


def test_what_is_far_below_the_best_is_weak_and_so_is_what_is_not_certain(opened: Opened) -> None:
    hits = opened.client.search("apply_ignore_rules", limit=20)["hits"]
    assert not hits[0]["weak"]
    assert all(hit["weak"] == (hit["score"] < hits[0]["score"] / 3) for hit in hits)
    unsure = opened.client.search("xyzzy plugh frobnicate")["hits"]
    assert unsure and all(hit["weak"] for hit in unsure)


def test_what_matches_is_marked_in_the_clients_columns(opened: Opened) -> None:
    uri, text = f"{opened.uri}/smile.py", "def ship(parcel):\n    return '🙂', parcel\n"
    opened.client.notify(
        "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}}
    )
    (hit,) = opened.client.search("parcel", paths=["smile.py"], waitForEdits=True)["hits"]
    ends = [(mark["start"]["line"], mark["start"]["character"], mark["end"]["character"]) for mark in hit["marks"]]
    assert ends == [(0, 9, 15), (1, 19, 25)], "the smile has four units in UTF-8, which this client chose"
    opened.client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
