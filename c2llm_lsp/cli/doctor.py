"""`c2llm doctor`: what is there, what is wrong or slow, what to type next. Exit code 1 where something is broken."""

from __future__ import annotations

from dataclasses import asdict

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.check_result import Finding, State
from c2llm_lsp.cli.common import FOUND, NOTHING, guarded, locate, stdout_colors
from c2llm_lsp.cli.doctor_checks import (
    Check,
    cache,
    examine,
    grammars,
    hnswlib,
    index,
    model,
    program,
    settings,
    sqlite,
    watching,
)
from c2llm_lsp.cli.finetuned import adaptation
from c2llm_lsp.cli.runtime_checks import onnxruntime, torch
from c2llm_lsp.render.escape import escape_line

app = typer.Typer(add_completion=False)

BROKEN = NOTHING  # as with grep, 1 is the answer "no"
CHECKS: tuple[Check, ...] = (
    program,
    sqlite,
    onnxruntime,
    torch,
    hnswlib,
    grammars,
    model,
    adaptation,
    settings,
    cache,
    watching,
    index,
)
SIGNS: dict[State, tuple[str, str]] = {"ok": ("✓", "32"), "note": ("!", "33"), "broken": ("✗", "31")}


@app.command()
@guarded
def doctor(path: options.WorkspacePath = None, as_json: options.AsJson = False, encoder: options.Encoder = None) -> int:
    """Check the installation, the model and the index; say what is slow and why, and what to type next."""
    target = locate(path, quiet=True, encoder=encoder)
    findings = []
    for finding in examine(target, CHECKS):
        findings.append(finding)
        if not as_json:
            typer.echo(line(finding, colors=stdout_colors()), color=True)
    if as_json:
        import json

        report = {"schema_version": 1, "root": str(target.root), "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(report, indent=2))
    return BROKEN if any(finding.state == "broken" for finding in findings) else FOUND


def line(finding: Finding, *, colors: bool) -> str:
    """A sign, what was looked at, how it is; below it what to type."""
    sign, colour = SIGNS[finding.state]
    sign = f"\x1b[{colour}m{sign}\x1b[0m" if colors else sign
    text = f"{sign} {finding.name:<12} {escape_line(finding.text)}"
    return f"{text}\n{'':14} → {escape_line(finding.todo)}" if finding.todo else text
