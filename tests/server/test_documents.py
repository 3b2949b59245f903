"""Open documents: what is typed is found, what is not saved leaves no trace, and a burst costs one embedding."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.client import Client
from tests.server.editing import Faults, Opened, Serve

BAKE = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n\n\n"
QUERY = "bake a chocolate cake in the oven"


def embedded(client: Client) -> int:
    count: int = client.status()["embeddedEdits"]
    return count


def test_what_is_typed_is_found_without_being_saved(opened: Opened) -> None:
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    hit = opened.top(QUERY)
    assert (hit["path"], hit["symbol"], hit["range"]["start"]["line"]) == ("app/invoices.py", "bake_chocolate_cake", 0)
    assert "bake" not in (opened.root / "app/invoices.py").read_text()


def test_an_edit_becomes_searchable_by_itself(opened: Opened) -> None:
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    opened.client.eventually(lambda: opened.client.finds("bake_chocolate_cake", "app/invoices.py", folder=opened.uri))


@pytest.fixture
def unhurried(serve: Serve, project: Path) -> Opened:
    """The project in a server that shows an edit when it is asked to, however slow the machine is."""
    client = serve()
    client.initialize(project, options={"debounce_ms": 60_000})
    client.ready()
    return Opened(client, project)


def test_an_answer_says_that_an_edit_is_not_in_yet(unhurried: Opened) -> None:
    unhurried.open("app/invoices.py")
    unhurried.search("anything")
    unhurried.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    assert unhurried.client.search("anything", folder=unhurried.uri)["freshness"]["pendingFiles"] == 1
    assert unhurried.search("anything")["freshness"]["pendingFiles"] == 0


def test_several_changes_in_one_message_apply_one_after_another(opened: Opened) -> None:
    opened.open("app/invoices.py", "def one():\n    return 1\n")
    opened.change(
        "app/invoices.py", (0, 4, 0, 7, "juggle_tangerines"), (0, 21, 0, 21, "_slowly"), (1, 11, 1, 12, "'grapefruit'")
    )
    hit = opened.top("juggle_tangerines_slowly")
    assert hit["text"].rstrip() == "def juggle_tangerines_slowly():\n    return 'grapefruit'"


def test_a_change_whose_range_is_null_is_one_of_the_whole_text(opened: Opened) -> None:
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", {"range": None, "text": BAKE}, (0, 4, 0, 8, "frost"))
    assert opened.top("frost_chocolate_cake")["text"].startswith("def frost_chocolate_cake(oven):")
    assert "total_price" not in [hit["symbol"] for hit in opened.search("total_price")["hits"]]


def test_a_burst_of_keystrokes_costs_one_embedding(unhurried: Opened) -> None:
    unhurried.open("app/ignore.py")
    unhurried.search("anything")
    before = embedded(unhurried.client)
    for number, char in enumerate("x" * 200):
        unhurried.change("app/ignore.py", (5, 4 + number, 5, 4 + number, char))
    assert "x" * 200 in unhurried.top("apply_ignore_rules")["text"]
    unhurried.settled()
    assert embedded(unhurried.client) - before == 1


def test_only_changed_chunks_are_embedded(opened: Opened) -> None:
    bodies = [[f"    value = value.{name}_{n}(value, {n})" for n in range(40)] for name in ("ant", "bee", "cow", "dog")]
    functions = ["\n".join([f"def handle_{n}(value):", *body, "", "", ""]) for n, body in enumerate(bodies)]
    opened.open("app/many.py", "".join(functions))
    opened.settled()
    before = embedded(opened.client)
    opened.change("app/many.py", (43, 4, 43, 4, "really_"))
    assert opened.top("really_handle_1")["symbol"] == "really_handle_1"
    assert embedded(opened.client) - before == 1


def test_an_opened_file_that_is_not_edited_is_not_embedded(opened: Opened) -> None:
    before = embedded(opened.client)
    opened.open("app/ignore.py")
    opened.settled()
    assert embedded(opened.client) == before


def test_an_undo_to_the_saved_text_embeds_nothing(opened: Opened) -> None:
    opened.open("app/ignore.py")
    original = opened.search("apply_ignore_rules")["hits"]
    opened.change("app/ignore.py", (3, 4, 3, 9, "remove"))
    assert opened.top("remove_ignore_rules")["symbol"] == "remove_ignore_rules"
    before = embedded(opened.client)
    opened.change("app/ignore.py", (3, 4, 3, 10, "apply"))
    assert not [hit for hit in opened.search("remove_ignore_rules")["hits"] if "remove" in hit["text"]]
    assert embedded(opened.client) == before
    opened.settled()
    assert opened.search("apply_ignore_rules")["hits"] == original


def test_a_save_commits(opened: Opened) -> None:
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    opened.search(QUERY)
    before = embedded(opened.client)
    opened.save("app/invoices.py", BAKE + (opened.root / "app/invoices.py").read_text())
    opened.close("app/invoices.py")
    opened.client.eventually(lambda: opened.top(QUERY)["symbol"] == "bake_chocolate_cake")
    assert embedded(opened.client) == before


def test_what_is_saved_at_once_is_found_at_once(opened: Opened) -> None:
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    opened.save("app/invoices.py", BAKE + (opened.root / "app/invoices.py").read_text())
    for _ in range(50):  # while it goes from the buffer to the index
        assert opened.top(QUERY)["symbol"] == "bake_chocolate_cake"
    opened.client.eventually(lambda: opened.top(QUERY)["uri"] and not opened.state()["pendingEdits"])


def test_closing_without_saving_forgets(opened: Opened) -> None:
    before = opened.search(QUERY)["hits"]
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    assert opened.top(QUERY)["symbol"] == "bake_chocolate_cake"
    opened.close("app/invoices.py")
    assert opened.search(QUERY)["hits"] == before


def test_closing_and_opening_again_at_once_shows_the_second_text(opened: Opened) -> None:
    for number in range(30):
        opened.open("app/new.py", f"def first_{number}():\n    return 1\n")
        opened.close("app/new.py")
        opened.open("app/new.py", f"def second_{number}():\n    return 2\n")
        opened.client.eventually(lambda n=number: f"second_{n}" in opened.top(f"second_{n}")["text"])
        opened.close("app/new.py")


def test_a_file_that_does_not_exist_yet_is_found(opened: Opened) -> None:
    opened.open("app/brand_new.py", BAKE)
    assert opened.top(QUERY)["path"] == "app/brand_new.py"
    opened.close("app/brand_new.py")
    assert "app/brand_new.py" not in opened.paths(QUERY)


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "untitled:cake.py", "untitled:/tmp/some where/Cake.py"])
def test_an_untitled_buffer_is_found_by_its_own_name(opened: Opened, uri: str) -> None:
    opened.open(uri, BAKE)
    hit = opened.top(QUERY)
    assert (hit["uri"], hit["language"], hit["symbol"]) == (uri, "python", "bake_chocolate_cake")
    opened.close(uri)
    assert uri not in [hit["uri"] for hit in opened.search(QUERY)["hits"]]


def test_two_untitled_buffers_of_one_name_are_two(opened: Opened) -> None:
    opened.open("untitled:/one/buffer.py", BAKE)
    opened.open("untitled:/two/buffer.py", "def peel_potatoes(knife):\n    return knife.peel()\n")
    assert opened.top(QUERY)["uri"] == "untitled:/one/buffer.py"
    assert opened.top("peel_potatoes")["uri"] == "untitled:/two/buffer.py"
    for uri in ("untitled:/one/buffer.py", "untitled:/two/buffer.py"):
        opened.close(uri)


def test_documents_of_other_schemes_are_no_part_of_the_workspace(opened: Opened) -> None:
    uri = f"git:{opened.root}/app/invoices.py?ref"
    opened.open(uri, BAKE)
    opened.change(uri, (0, 0, 0, 0, "# x\n"))
    assert all(hit["symbol"] != "bake_chocolate_cake" for hit in opened.search(QUERY)["hits"])
    opened.close(uri)


def test_a_file_renamed_while_it_is_edited_stays_found_once(opened: Opened) -> None:
    opened.open("app/invoices.py")
    opened.change("app/invoices.py", (0, 0, 0, 0, BAKE))
    assert opened.top(QUERY)["path"] == "app/invoices.py"
    text = BAKE + (opened.root / "app/invoices.py").read_text()
    (opened.root / "app/invoices.py").rename(opened.root / "app/bills.py")
    opened.close("app/invoices.py")
    opened.open("app/bills.py", text)
    opened.client.eventually(lambda: [h["path"] for h in opened.search("total_price")["hits"][:1]] == ["app/bills.py"])
    opened.client.eventually(lambda: "app/invoices.py" not in opened.paths("total_price"))
    assert [p for p in opened.paths(QUERY) if p.startswith("app/bills")][:1] == ["app/bills.py"]


def test_a_secret_that_is_open_in_the_editor_is_not_searched(opened: Opened) -> None:
    for path in (".env", "deploy/id_rsa", "server.pem"):
        opened.open(path, "PASSWORD_OF_THE_BAKERY = 'bakehouse chocolate'\n")
    assert not {".env", "deploy/id_rsa", "server.pem"} & set(opened.paths("PASSWORD_OF_THE_BAKERY bakehouse"))
    for path in (".env", "deploy/id_rsa", "server.pem"):
        opened.close(path)


def test_an_ignored_file_that_is_open_in_the_editor_is_not_searched(opened: Opened) -> None:
    (opened.root / ".gitignore").write_text("build/\n")
    opened.open("build/made.py", BAKE)
    opened.open("node_modules/cake.py", BAKE)
    opened.client.eventually(lambda: not {"build/made.py", "node_modules/cake.py"} & set(opened.paths(QUERY)))
    for path in ("build/made.py", "node_modules/cake.py"):
        opened.close(path)


def test_an_open_document_that_became_too_large_leaves_the_index_as_its_file_would(opened: Opened) -> None:
    opened.open("app/large.py", BAKE)
    assert opened.top(QUERY)["path"] == "app/large.py"
    opened.change("app/large.py", BAKE + "# padding of a line\n" * 100_000)
    assert "app/large.py" not in opened.paths(QUERY)
    opened.change("app/large.py", BAKE)
    assert opened.top(QUERY)["path"] == "app/large.py"
    opened.close("app/large.py")


def test_a_document_opened_before_the_index_is_open_is_found(serve: Serve, project: Path) -> None:
    client = serve()
    client.initialize(project)
    folder = Opened(client, project)
    folder.open("app/invoices.py", BAKE)
    assert client.search(QUERY, limit=1, waitForEdits=True)["hits"][0]["symbol"] == "bake_chocolate_cake"


@pytest.mark.slow
def test_a_burst_that_never_pauses_is_shown_now_and_then(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    client = serve_faulty()
    client.initialize(project, options={"debounce_ms": 50})
    folder = Opened(client, project)
    folder.open("app/typed.py", "")
    client.ready()
    text, found = "", 0

    def typed() -> bool:
        nonlocal text
        text += f"def typed_{len(text)}():\n    return 1\n"
        folder.change("app/typed.py", text)
        return client.finds("typed_0", "app/typed.py")

    while not typed():  # each answer takes about a millisecond, so no keystroke is 50 ms after the last
        found += 1
        assert found < 20_000
    assert len(faults.batches) < 20


def hung(serve: Serve, faults: Faults, project: Path, name: str, text: str) -> tuple[Client, Opened]:
    """A server with an open document whose encoder hangs from now on."""
    client = serve()
    client.initialize(project, options={"debounce_ms": 0})
    client.ready()
    folder = Opened(client, project)
    folder.open(name, text)
    folder.settled()
    faults.set("hold-passages")
    return client, folder


def test_of_what_was_typed_while_the_encoder_hung_only_the_latest_is_embedded(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    client, folder = hung(serve_faulty, faults, project, "app/new.py", "")
    before = len(faults.batches)
    for number in range(40):
        folder.change("app/new.py", f"def step_{number}(oven):\n    return oven.heat({number})\n")
        assert client.refused("no/such")  # the change has been read, and its moment of quiet is over
    faults.clear("hold-passages")
    assert folder.top("step_39")["text"].startswith("def step_39")
    assert 1 <= len(faults.batches) - before <= 3


def test_a_buffer_closed_and_opened_as_another_language_while_the_encoder_hangs(
    serve_faulty: Serve, faults: Faults, project: Path
) -> None:
    _, folder = hung(serve_faulty, faults, project, "untitled:Untitled-1", "def walrus(): pass\n")
    folder.change("untitled:Untitled-1", "def walrus(): return 1\n")
    folder.close("untitled:Untitled-1")
    folder.open("untitled:Untitled-1", "func walrus() { return 2 }\n", language="go")
    faults.clear("hold-passages")
    found = [hit["path"] for hit in folder.search("walrus")["hits"] if "walrus" in hit["text"]]
    assert found == ["untitled:Untitled-1.go"]
