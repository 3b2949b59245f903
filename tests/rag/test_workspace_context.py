"""Context from a workspace: for a question, for a selection, for a buffer that is not saved."""

from __future__ import annotations

import os
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.rag import ContextRequest, context, estimate_tokens
from retrieval.types import Filters, Location

ORDERS = '''"""Orders."""


class Order:
    """What somebody bought."""

    def total(self, prices):
        """Sum of the prices."""
        return sum(prices)


    def cancel_order(self, reason):
        """Cancel the order and refund the payment."""
        self.refund_payment(reason)
        self.state = "cancelled"
'''
INVOICES = '''def cancel_invoice(invoice, reason):
    """Cancel the invoice and refund the payment."""
    invoice.refund_payment(reason)
    invoice.state = "cancelled"
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "orders.py").write_text(ORDERS)
    (root / "invoices.py").write_text(INVOICES)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


def test_a_question_gets_code_and_how_current_it_is(workspace: Workspace) -> None:
    packed = context(workspace, ContextRequest("cancel and refund", budget=1000))
    assert {piece.path for piece in packed.context.spans} == {"orders.py", "invoices.py"}
    assert packed.context.tokens == estimate_tokens(packed.context.text) <= 1000
    assert (packed.freshness.files, packed.freshness.stale, packed.encoder) == (2, False, "overlap")


def test_filters_hold_for_context(workspace: Workspace) -> None:
    packed = context(workspace, ContextRequest("cancel and refund", filters=Filters(paths=("inv*",))))
    assert {piece.path for piece in packed.context.spans} == {"invoices.py"}


def test_an_empty_question_is_refused(workspace: Workspace) -> None:
    with pytest.raises(QueryError, match="empty"):
        context(workspace, "  ")


def test_a_selection_comes_first_then_what_is_like_it(workspace: Workspace) -> None:
    first, second, *_ = context(workspace, ContextRequest(location=Location("invoices.py", 1, 2))).context.spans
    assert first.path == "invoices.py" and first.text.startswith("def cancel_invoice")
    assert second.path == "orders.py" and "def cancel_order" in second.text


def test_a_cursor_selects_what_it_stands_in(workspace: Workspace) -> None:
    (piece, *_) = context(workspace, ContextRequest(location=Location("invoices.py", 3, 3), limit=1)).context.spans
    assert (piece.start_line, piece.end_line, piece.text) == (1, 4, INVOICES.rstrip("\n"))


def test_a_selection_over_many_places_keeps_its_blank_lines(workspace: Workspace) -> None:
    packed = context(workspace, ContextRequest(location=Location("orders.py", 1, 1000), limit=1, budget=2000))
    piece = next(piece for piece in packed.context.spans if piece.path == "orders.py")
    assert piece.text == ORDERS.rstrip("\n")


def test_a_selection_too_long_for_the_budget_is_cut(workspace: Workspace) -> None:
    packed = context(workspace, ContextRequest(location=Location("orders.py", 1, 15), budget=90))
    (first, *_) = packed.context.spans
    assert packed.context.tokens <= 90
    assert (first.path, first.start_line, first.kind) == ("orders.py", 1, "outline")
    assert ORDERS.startswith(first.text) and first.end_line < 15


@pytest.mark.parametrize("budget", [0, -3])
def test_a_budget_without_room_for_anything_is_refused(workspace: Workspace, budget: int) -> None:
    with pytest.raises(QueryError, match=f"The budget is {budget} tokens; give a number from 1"):
        context(workspace, ContextRequest("cancel and refund", budget=budget))


def test_what_the_best_uses_and_what_encloses_it_follow_as_signatures(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    orders = ORDERS.replace("self.refund_payment", "send_back_money")
    (root / "orders.py").write_text(f"from bank import send_back_money\n\n\n{orders}")
    (root / "app.py").write_text(
        "from orders import Order\n\n\ndef run(orders):\n    x = 1\n    Order().cancel_order(x)\n" + "    x += 1\n" * 9
    )
    (root / "bank.py").write_text('def send_back_money(reason):\n    """Wire it."""\n' + "    step()\n" * 9)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        packed = context(opened, ContextRequest("cancel_order", limit=1)).context
    assert "class Order:" in packed.text
    called = next(span.text for span in packed.spans if span.path == "app.py")
    assert "def run(orders):" in called and "Order().cancel_order(x)" in called and "x += 1" not in called
    assert next(span.text for span in packed.spans if span.path == "bank.py") == "def send_back_money(reason):"


def test_an_unsaved_buffer_is_what_is_shown(workspace: Workspace) -> None:
    workspace.set_buffer("invoices.py", INVOICES.replace("state", "status"))
    for packed in (
        context(workspace, ContextRequest(location=Location("invoices.py", 1, 4))),
        context(workspace, "cancel invoice"),
    ):
        text = next(piece.text for piece in packed.context.spans if piece.path == "invoices.py")
        assert "invoice.status" in text and "invoice.state" not in text


def test_a_file_that_is_not_indexed_is_named(workspace: Workspace) -> None:
    with pytest.raises(QueryError, match=r"gone\.py is not indexed"):
        context(workspace, ContextRequest(location=Location("gone.py", 1, 2)))


PACK = """
import sys
from pathlib import Path
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.rag import ContextRequest, context
with Workspace.open(Path(sys.argv[1]), encoder=OverlapEncoder(), cache_dir=Path(sys.argv[2])) as workspace:
    workspace.refresh()
    print(context(workspace, ContextRequest("combine the parts", limit=1)).context.text)
"""


@pytest.mark.slow
def test_a_context_is_the_same_in_each_process(tmp_path: Path) -> None:
    """More names are used than definitions are shown, each as often: their order must not be that of a set."""
    root = tmp_path / "project"
    root.mkdir()
    names = [f"part_{letter * 3}" for letter in string.ascii_letters]
    calls = "".join(f"    {name}()\n" for name in names)
    (root / "use.py").write_text(f"def combine_parts():\n{calls}")
    for name in names:
        (root / f"{name}.py").write_text(f"def {name}():\n    return {name!r} * 2\n\n\ndef other():\n    return 1\n")
    texts = {
        subprocess.run(
            [sys.executable, "-c", PACK, root, tmp_path / "cache"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
