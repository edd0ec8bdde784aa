"""Labelled tickets as commands take them: files and folders, and columns that are tasks of a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.output import warn
from serving.errors import BadSettings
from training.data import Tickets, parse_columns, read_tickets
from training.errors import BadTrainingData
from training.readers import read_rows

_PATTERNS = ("*.jsonl", "*.jsonl.gz", "*.csv", "*.csv.gz", "*.parquet")
_NOT_A_TASK = {"id", "text", "subject", "body", "language", "channel", "group"}
"""Columns with a meaning of their own: `channel` is where a message came from, not where it is best resolved."""


Group = Annotated[str, typer.Option(help="The column that marks rows about one matter.")]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Tickets to measure on, and how to read them.

    Attributes:
        tasks: NAME or NAME=COLUMN; without any, every task that has a column of its name.
        text: the column with the text; None as in `read_tickets`.
        group: the column whose equal values mark rows about one matter.
        oos_label: marks rows that are about none of the labels.
    """

    files: Sequence[Path]
    tasks: Sequence[str]
    text: str | None
    group: str
    oos_label: str


def ticket_files(data: Sequence[Path]) -> list[Path]:
    """The files that are named, and those in the folders that are.

    Raises:
        BadSettings: when one of them does not exist.
    """
    files: list[Path] = []
    for path in data:
        if not path.exists():
            raise BadSettings(f"{path} does not exist. Name a .jsonl, .csv or .parquet file, or a folder of them.")
        files += sorted(p for pattern in _PATTERNS for p in path.rglob(pattern)) if path.is_dir() else [path]
    return files


def read_for_tasks(data: Labelled, known: Mapping[str, bool]) -> tuple[Tickets, list[str]]:
    """Labelled tickets for tasks of a bundle, and which tasks these are; what is wrong with rows is listed for people.

    Args:
        known: the tasks of the bundle, and whether a text can have several labels of each.

    Raises:
        BadTrainingData: when the bundle lacks a task, or no row has a column that is needed.
    """
    files = ticket_files(data.files)
    columns = parse_columns(data.tasks) or {task: task for task in _columns(files, known)}
    if foreign := [task for task in columns if task not in known]:
        raise BadTrainingData(f"There is no task {', '.join(foreign)} in the bundle; it has {', '.join(known)}.")
    separated = [task for task in columns if known[task]]
    tickets = read_tickets(files, columns, text=data.text, group=data.group, multi_label=separated)
    if tickets.problems:
        warn(f"{len(tickets.problems)} rows are left out or mended:")
        for problem in tickets.problems:
            warn(f"  {problem}")
    return tickets, [task for task in columns if data.tasks or any(task in ticket.labels for ticket in tickets.rows)]


def _columns(files: Sequence[Path], known: Mapping[str, bool]) -> list[str]:
    wanted = [task for task in known if task not in _NOT_A_TASK]
    seen = {name for file in files for row in read_rows(file, wanted) for name in row.cells}
    found = [task for task in wanted if task in seen]
    if not found:
        raise BadTrainingData(
            f"No row has a column {' or '.join(wanted or known)}. Name the column of a task by --task NAME=COLUMN; "
            f"the bundle has {', '.join(known)}."
        )
    return found
