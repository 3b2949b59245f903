"""`c2llm team`: vectors in PostgreSQL, which whoever opens the workspace fetches instead of embedding.

The database is the setting `shared_vectors`, or --database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, guarded, locate, open_workspace, remark, tell
from c2llm_lsp.settings import load
from retrieval.errors import SettingsError, TeamVectorsError

if TYPE_CHECKING:
    from retrieval.engine import Workspace
    from retrieval.team import Address, TeamStatus

app = typer.Typer(add_completion=False, no_args_is_help=True)

BATCH = 2000  # vectors of one transaction: a megabyte at 256 dimensions

Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="The database, if not that of the setting.", show_default=False),
]


@app.callback()
def team() -> None:
    """Share vectors with a team through PostgreSQL."""


@app.command()
@guarded
def init(database: Database = None) -> int:
    """Make the tables in the database, or migrate them. Needs the right to create a schema, and runs as its owner."""
    from retrieval.team import PATIENT, Connection, initialize

    connection = Connection(address(database), PATIENT, any_schema=True)
    try:
        before, after = connection.ask(initialize)
    finally:
        connection.close()
    if before == after:
        tell(f"The tables are of version {after} already.")
    else:
        tell(f"{'Made the tables' if not before else 'Migrated the tables'}: version {after}.")
        remark("Next: c2llm team roles | psql …, then c2llm team publish")
    return FOUND


@app.command()
@guarded
def publish(
    path: options.WorkspacePath = None,
    database: Database = None,
    encoder: options.Encoder = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Bring the index up to date, and send the vectors that the team does not have."""
    from c2llm_lsp.cli.progress import refresh

    target = locate(path, quiet=quiet, encoder=encoder, shared_vectors=database)
    server = address(target.settings.shared_vectors)
    with open_workspace(target) as workspace:
        report = refresh(workspace, quiet=quiet, wait=True)
        if report.cancelled:
            return INTERRUPTED
        for note in () if quiet else report.notes:
            remark(note)
        if not workspace.complete:
            raise TeamVectorsError(
                "Some code has no vector yet, so nothing was published: c2llm status says what is missing."
            )
        total, sent = send(workspace, server)
    if as_json:
        import json

        counts = {"vectors": total, "sent": sent, "embedded": report.chunks_embedded, "fetched": report.chunks_fetched}
        typer.echo(json.dumps({"schema_version": 1, "root": str(target.root), **counts}, indent=2))
    elif not quiet:
        tell(f"{sent:,} of {total:,} vectors sent; the team had the others.")
    return FOUND


def send(workspace: Workspace, server: Address) -> tuple[int, int]:
    """How many vectors the workspace has, and how many of them were sent. Raises TeamVectorsError."""
    import numpy as np

    from retrieval.team import Publisher

    vectors, encoder = workspace.store.vectors, workspace.encoder
    passages, sent = vectors.passages(encoder.fingerprint), 0
    with Publisher(server, encoder.fingerprint, encoder.dimension) as publisher:
        for start in range(0, len(passages), BATCH):
            rows = vectors.of_passages(encoder.fingerprint, publisher.missing(passages[start : start + BATCH]))
            if rows:
                sent += publisher.publish(list(rows), np.stack(list(rows.values())))
    return len(passages), sent


@app.command()
@guarded
def status(
    database: Database = None,
    as_json: options.AsJson = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="Print metrics in Prometheus's text format.")] = False,
) -> int:
    """Show what the database holds and what you may do there."""
    from retrieval.team import PATIENT, Connection
    from retrieval.team import status as read_status

    connection = Connection(address(database), PATIENT)
    try:
        found = read_status(connection)
    finally:
        connection.close()
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({**asdict(found), "vectors": found.vectors}, indent=2))
        return FOUND
    for line in metric_lines(found) if metrics else plain_lines(found):
        tell(line)
    return FOUND


def plain_lines(found: TeamStatus) -> list[str]:
    rights = "you may fetch and publish" if found.may_publish else "you may fetch"
    wire = "encrypted" if found.encrypted else "not encrypted"
    size = f"{found.bytes_on_disk / 1_000_000:,.1f} MB"
    lines = [
        f"database  {found.server} ({wire}), tables of version {found.schema_version}; {rights}",
        f"vectors   {found.vectors:,}, {size} with the index",
    ]
    for row in found.encoders:
        used = f", used {row.oldest_use} to {row.newest_use}" if row.oldest_use else ""
        lines.append(f"encoder   {row.fingerprint}: {row.vectors:,} of {row.dimension} dimensions{used}")
    return lines


def metric_lines(found: TeamStatus) -> list[str]:
    """For the text file collector of Prometheus's node exporter."""
    return [
        "# HELP c2llm_team_vectors Vectors in the team's database.",
        "# TYPE c2llm_team_vectors gauge",
        *(f'c2llm_team_vectors{{encoder="{_label(row.fingerprint)}"}} {row.vectors}' for row in found.encoders),
        "# HELP c2llm_team_bytes Bytes on disk of the table of vectors, indexes included.",
        "# TYPE c2llm_team_bytes gauge",
        f"c2llm_team_bytes {found.bytes_on_disk}",
        "# HELP c2llm_team_schema_version Version of the tables.",
        "# TYPE c2llm_team_schema_version gauge",
        f"c2llm_team_schema_version {found.schema_version}",
    ]


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@app.command()
@guarded
def gc(
    database: Database = None,
    unused_for: Annotated[int, typer.Option("--unused-for", metavar="DAYS", min=8, max=36_500)] = 90,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="Only the vectors of this encoder.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
) -> int:
    """Delete vectors that nobody has fetched or published for so many days. Runs as the owner of the tables."""
    from retrieval.team import PATIENT, Connection, collect

    connection = Connection(address(database), PATIENT)
    try:
        count = collect(connection, unused_for, fingerprint=fingerprint, dry_run=dry_run)
    finally:
        connection.close()
    tell(f"{count:,} vectors {'would be deleted' if dry_run else 'deleted'}: unused for {unused_for} days.")
    return FOUND


@app.command()
@guarded
def roles(
    reader: Annotated[str, typer.Option("--reader", help="Name of the role that fetches.")] = "c2llm_reader",
    publisher: Annotated[str, typer.Option("--publisher", help="Name of the role that publishes.")] = "c2llm_publisher",
) -> int:
    """Print the SQL that makes the two roles, for an administrator to read and run."""
    from retrieval.team import roles_sql

    typer.echo(roles_sql(reader, publisher), nl=False)
    return FOUND


def address(given: str | None) -> Address:
    """The database to use. Raises SettingsError."""
    from retrieval.team import parse

    text = given or load(None).settings.shared_vectors
    if not text:
        raise SettingsError(
            "No database is set: give --database postgresql://…, or set shared_vectors in your config file."
        )
    return parse(text)
