"""Two benchmarks of one small repository on disk: one asks for files, one for functions."""

from __future__ import annotations

import json
from pathlib import Path

FILES = {
    "shop/invoice.py": '''"""Money."""


def total_price(items):
    """Sum of the prices of all items."""
    return sum(item.price for item in items)


def send_invoice(customer, mail):
    """Mail the invoice to a customer."""
    mail.send(customer.address)
''',
    "shop/queue.py": '''"""Jobs."""


def push_job(queue, job):
    """Add a job to the queue and wake a worker."""
    queue.append(job)
    queue.wake()
''',
}


def lay_out_benchmarks(folder: Path) -> tuple[Path, Path, Path]:
    """(trees, benchmark of files, benchmark of functions)."""
    trees, files, functions = folder / "trees", folder / "of-files", folder / "of-functions"
    for path, text in FILES.items():
        (trees / "shop" / path).parent.mkdir(parents=True, exist_ok=True)
        (trees / "shop" / path).write_text(text)
    write(files / "repos.json", [{"name": "shop", "language": "python", "root": ""}])
    write(functions / "repos.json", [{"name": "shop", "language": "python"}])
    write(
        files / "annotations" / "shop.json",
        [
            {"query": "total price of items", "category": "semantic", "relevant": ["invoice.py"], "secondary": []},
            {"query": "job queue worker", "category": "architecture", "relevant": [], "secondary": ["shop/queue.py"]},
        ],
    )
    target = {"path": "shop/invoice.py", "start_line": 9, "end_line": 11, "touched": [[11, 11]]}
    write(functions / "shop.json", [{"query": "mail invoices to customers", "category": "fix", "targets": [target]}])
    return trees, files, functions


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
