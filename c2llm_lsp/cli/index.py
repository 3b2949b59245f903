"""`c2llm index`: bring the index up to date and say what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, guarded, locate, open_workspace, remark, tell
from retrieval.errors import StorageFullError
from retrieval.types import IndexReport, Skip

app = typer.Typer(add_completion=False)


@app.command()
@guarded
def index(
    path: options.WorkspacePath = None,
    skipped: Annotated[bool, typer.Option("--skipped", help="List the files that were left out, and why.")] = False,
    as_json: options.AsJson = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Bring the index of a workspace up to date.

    Only what changed is read, and only new pieces of code are embedded. Ctrl-C keeps what is done.
    """
    from c2llm_lsp.cli.progress import refresh, verify

    target = locate(path, quiet=quiet, encoder=encoder)
    with open_workspace(target) as workspace:
        report = refresh(workspace, quiet=quiet, wait=True)
        if workspace.store.read_only:
            raise StorageFullError(" ".join(report.notes))
        verify(workspace)
        report = replace(report, skipped=skipped_files(report, workspace.store.files.skipped()))
        ignored = workspace.status().skipped.get("ignored", 0) if skipped and not quiet else 0
    if as_json:
        import json

        typer.echo(json.dumps(report_dict(report, str(target.root)), indent=2))
    elif not quiet:
        tell(summary(report))
        for note in report.notes:
            remark(note)
        if report.cancelled:
            remark("What is done is kept; the next time it goes on from there.")
    if skipped and not as_json:
        for skip in report.skipped:
            tell(f"{target.show(skip.path)}: {skip.reason}")
        for folder in sorted(report.ignored_folders):
            tell(f"{target.show(folder)}/: ignored by .gitignore or the like")
        ignored -= len(report.ignored_folders)
        if ignored > 0:
            verb = "is" if ignored == 1 else "are"
            remark(
                f"{ignored:,} more {verb} ignored by .gitignore and the like; what is in an ignored folder is not counted."
            )
    return INTERRUPTED if report.cancelled else FOUND


def skipped_files(report: IndexReport, stored_reasons: Mapping[str, str]) -> tuple[Skip, ...]:
    """What the scan left out by name, and what this run or an earlier one left out for its content, by path."""
    reasons = {**stored_reasons, **{skip.path: skip.reason for skip in report.skipped}}
    return tuple(Skip(path, reason) for path, reason in sorted(reasons.items()))


def summary(report: IndexReport) -> str:
    """One line: what was seen, what was done, how long it took."""
    done = [f"{report.files_seen:,} files"]
    if report.files_changed or report.files_removed:
        done.append(f"{report.files_changed:,} read, {report.files_removed:,} gone")
        done.append(f"{report.chunks_added:,} chunks added, {report.chunks_removed:,} removed")
    else:
        done.append("nothing changed")
    if report.chunks_embedded or report.chunks_reused:
        done.append(f"{report.chunks_embedded:,} embedded, {report.chunks_reused:,} known already")
    if report.chunks_fetched:
        done.append(f"{report.chunks_fetched:,} fetched from the team")
    if report.skipped:
        done.append(f"{len(report.skipped):,} left out ({_reasons(report.skipped)})")
    end = "stopped after" if report.cancelled else "in"
    return "; ".join(done) + f"; {end} {report.seconds:.2f} s"


def _reasons(skipped: tuple[Skip, ...]) -> str:
    counts = Counter(skip.reason.split(":")[0] for skip in skipped)
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())


def report_dict(report: IndexReport, root: str) -> dict[str, object]:
    from dataclasses import asdict

    return {"schema_version": 1, "root": root, **asdict(report)}
