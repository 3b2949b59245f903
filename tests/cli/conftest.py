"""A `c2llm` of its own for each test, and a small project in three languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program, lay_out

PROJECT = {
    "app/ignore.py": '''"""Which files are left out."""


def apply_ignore_rules(path, rules):
    """Whether an ignore rule excludes the path."""
    for rule in rules:
        if rule.matches(path):
            return True
    return False
''',
    "app/invoices.py": '''"""Money."""


class Invoice:
    def total_price(self, items):
        """Sum of the prices of all items with tax."""
        return sum(item.price for item in items) * 1.2
''',
    "web/retry.ts": """export async function fetchWithRetry(url: string, attempts: number) {
  // wait longer after each failed request
  for (let attempt = 0; attempt < attempts; attempt++) {
    const response = await fetch(url);
    if (response.ok) return response;
  }
  throw new Error("gave up");
}
""",
    "core/queue.go": """package core

// Push adds a job to the queue and wakes a worker.
func (q *Queue) Push(job Job) {
	q.jobs = append(q.jobs, job)
	q.wake()
}
""",
    "README.md": "# Shop\n\n## Billing\n\nInvoices are sent monthly.\n",
}


@pytest.fixture
def c2llm(tmp_path: Path) -> Program:
    home = tmp_path / "home"
    home.mkdir()
    return Program(home)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "project", PROJECT)
