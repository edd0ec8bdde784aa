"""frontdesk export: what people said about messages, as files to train on."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.moments import parse_moment
from serving.cli.output import line, warn, writing
from serving.cli.suggest_labels import annotations
from serving.desk import open_desk_database
from serving.services.export import exported_feedback, replies_without_message
from serving.settings import read_settings

app = typer.Typer(help="What people said about messages, as files to train on.", no_args_is_help=True)
app.command()(annotations)


@app.command()
def feedback(
    output: Annotated[Path | None, typer.Option(help="A .jsonl file; standard output by default.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only decisions with feedback since then, as 2026-03-01.")
    ] = None,
) -> None:
    """Write corrected labels and sent replies as labelled tickets, one JSON object a decision.

    Only what people confirmed becomes a label. What cannot be exported is named on standard error.
    """
    moment = parse_moment(since)
    database = open_desk_database(read_settings())
    written = left_out = 0
    with writing(output) as file:
        for found in exported_feedback(database, since=moment):
            for remark in found.remarks:
                warn(f"{found.decision_id}: {remark}")
            if found.row is None:
                left_out += 1
            else:
                file.write(f"{line(found.row)}\n")
                written += 1
    warn(f"{written:,} rows written, {left_out:,} decisions left out")
    if unknown := replies_without_message(database, since=moment):
        warn(
            f"{unknown:,} sent replies left out: their suggestions were asked for without a triage_id, "
            "so that nobody knows what they reply to"
        )
