"""frontdesk triage: one message, or a file of them."""

import gc
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.messages import InputLine, checked_message, read_messages
from serving.cli.output import line, progress, warn, writing
from serving.desk import open_desk
from serving.errors import BadSettings
from serving.keeper import Snapshot
from serving.results import triage_result
from serving.services.reading import read
from serving.services.triage import check_channel
from serving.settings import read_settings
from serving.storage.records import new_id
from triage.pipeline import Message

CHUNK = 1024
"""Messages read, sorted by length and encoded together: enough for even batches, and a few seconds at most."""


def triage(
    text: Annotated[str | None, typer.Argument(help="The message.")] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", help="A .jsonl, .csv or .txt file, also .gz: one message a line.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write; standard output by default.")] = None,
    bundle: Annotated[str | None, typer.Option(help="Another bundle than the desk's: a name or a folder.")] = None,
    channel: Annotated[str | None, typer.Option(help="The channel that the messages came from.")] = None,
) -> None:
    """Tag messages: language, intent, urgency, channel, entities and the decision, one JSON object a line.

    Nothing is recorded: decision records come from the HTTP API.
    """
    if (text is None) == (input_ is None):
        raise BadSettings("Give either a TEXT or --input FILE.")
    settings = read_settings()
    desk = open_desk(settings.model_copy(update={"bundle": bundle}) if bundle else settings)
    gc.freeze()  # what is loaded now stays; without this the collector walks through it again and again
    now = desk.current()
    check_channel(channel, now.pipeline.policy.ids)
    if text is not None:
        message = checked_message(text, channel=channel, language=None, channels=now.pipeline.policy.ids)
        one = InputLine(1, new_id(), message, None)
        with writing(output) as file:
            file.write(f"{results(now, [one])[0]}\n")
        return
    assert input_ is not None
    bad = _triage_file(now, input_, output, channel)
    if bad:
        warn(f"{len(bad)} bad lines in {input_} were left out; the others are done:")
        for found in bad:
            warn(f"  line {found.number}: {found.problem}")
        raise typer.Exit(1)


def _triage_file(now: Snapshot, source: Path, output: Path | None, channel: str | None) -> list[InputLine]:
    lines = read_messages(source, channel=channel, channels=now.pipeline.policy.ids)
    bad: list[InputLine] = []
    with progress() as bar, writing(output) as file:
        job = bar.add_task("messages", total=None)
        for chunk in _chunks(lines):
            good = [one for one in chunk if one.message is not None]
            bad.extend(one for one in chunk if one.message is None)
            file.writelines(f"{result}\n" for result in results(now, good))
            bar.advance(job, len(chunk))
    return bad


def results(now: Snapshot, lines: Sequence[InputLine]) -> list[str]:
    """The JSON line of each message; every line of `lines` has one."""
    messages: list[Message] = [one.message for one in lines if one.message is not None]
    readings = read(now.pipeline, now.knowledge, messages)
    return [line(triage_result(one.id, reading, now)) for one, reading in zip(lines, readings, strict=True)]


def _chunks(lines: Iterator[InputLine]) -> Iterator[list[InputLine]]:
    while chunk := list(islice(lines, CHUNK)):
        yield chunk
