"""Messages worth a person's time, as a file for Label Studio and Argilla, and what comes back from these."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from models.bundle import load_bundle
from serving import desk
from serving.cli.output import line, progress, warn, writing
from serving.cli.tickets import ticket_files
from serving.desk import open_registry
from serving.errors import BadSettings
from serving.services.export import label_column
from serving.settings import read_settings

MAX_COUNT = 5_000
"""More than people label in one go; the work grows with its square."""


def suggest_labels(
    unlabelled: Sequence[Path],
    count: int,
    bundle: str,
    output: Path,
    *,
    labelled: Sequence[Path] = (),
    text: str | None = None,
    seed: int = 13,
) -> None:
    """Write the `count` most useful messages to `output`, and what Label Studio and Argilla need to know beside it.

    Args:
        unlabelled: files and folders of messages, in the formats of labelled tickets.
        bundle: the reference of the bundle whose doubts count.
        labelled: files and folders of messages that are labelled already; nothing like them is suggested.

    Raises:
        BadSettings: for a count or an output that cannot be.
        BadTrainingData: when a file cannot be read.
    """
    # Here and not above: scikit-learn takes longer to import than any other command to start.
    from training.labelling import suggest
    from training.labelling_files import argilla_settings, label_studio_config, labelling_file, read_unlabelled

    if not 1 <= count <= MAX_COUNT:
        raise BadSettings(f"--suggest-labels is {count}; it can be 1 to {MAX_COUNT:,}.")
    if output.suffix != ".json":
        raise BadSettings(f"--output {output} should end in .json, by which Label Studio knows the format.")
    settings = read_settings()
    messages, problems = read_unlabelled(ticket_files(unlabelled), text=text)
    known, unread = read_unlabelled(ticket_files(labelled), text=text) if labelled else ([], [])
    left_out = (*problems, *unread)
    if left_out:
        warn(f"{len(left_out):,} rows are left out:")
        for problem in left_out:
            warn(f"  {problem}")
    encoder = desk.open_encoder(settings)
    loaded = load_bundle(open_registry(settings).find(bundle), encoder)
    with progress() as bar:
        job = bar.add_task("messages", total=len(messages))
        candidates = suggest(
            loaded,
            encoder,
            [message.text for message in messages],
            count=count,
            known=[message.text for message in known],
            languages=[message.about.get("language") for message in messages],
            seed=seed,
            advance=lambda done: bar.advance(job, done),
        )
    configuration, about = output.with_suffix(".label-studio.xml"), output.with_suffix(".argilla.json")
    for path, content in (
        (configuration, label_studio_config(loaded)),
        (about, _indented(argilla_settings(loaded))),
        (output, _indented(labelling_file(messages, candidates, loaded))),
    ):
        with writing(path) as file:
            file.write(content)
    typer.echo(f"{len(candidates):,} of {len(messages):,} messages in {output}, the least certain first")
    if len(candidates) < count:
        warn(f"only {len(candidates):,}: the others are like one of them, or like one that is labelled already")
    typer.echo(f"Label Studio: a project with the labelling interface {configuration.name}, then import {output.name}")
    typer.echo(f"Argilla: Settings.from_json({about.name!r}), then dataset.records.from_json({output.name!r})")


def annotations(
    path: Annotated[Path, typer.Argument(help="What Label Studio exported as JSON, or Argilla by records.to_json.")],
    output: Annotated[Path | None, typer.Option(help="A .jsonl file; standard output by default.")] = None,
) -> None:
    """Write what people labelled in Label Studio or Argilla as labelled tickets, one JSON object a message."""
    from training.annotations import read_annotations

    found = read_annotations(path)
    disputed = 0
    with writing(output) as file:
        for one in found:
            columns = {label_column(task): label for task, label in one.labels.items()}
            row: dict[str, Any] = {**one.about, "text": one.text, "source": "annotation", **columns}
            if one.disputed:
                disputed += 1
                row["disputed"] = list(one.disputed)
            file.write(f"{line(row)}\n")
    warn(f"{len(found):,} rows written")
    if disputed:
        warn(f"{disputed:,} of them were labelled differently by several people; the last one counts")


def _indented(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False, indent=1)}\n"
