"""Labelled tickets as commands take them: files and folders, and columns that are tasks of a bundle."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from serving.cli.output import warn
from serving.errors import BadSettings
from training.data import Tickets, parse_columns, read_tickets
from training.errors import BadTrainingData
from training.readers import read_rows

_PATTERNS = ("*.jsonl", "*.jsonl.gz", "*.csv", "*.csv.gz", "*.parquet")
_NOT_A_TASK = {"id", "text", "subject", "body", "language", "channel", "group"}
"""Columns with a meaning of their own: `channel` is where a message came from, not where it is best resolved."""


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


def read_for_tasks(
    data: Sequence[Path], tasks: Sequence[str], known: Mapping[str, bool], *, text: str | None
) -> tuple[Tickets, list[str]]:
    """Labelled tickets for tasks of a bundle, and which tasks these are; what is wrong with rows is listed for people.

    Args:
        tasks: NAME or NAME=COLUMN; without any, every task that has a column of its name.
        known: the tasks of the bundle, and whether a text can have several labels of each.

    Raises:
        BadTrainingData: when the bundle lacks a task, or no row has a column that is needed.
    """
    files = ticket_files(data)
    columns = parse_columns(tasks) or {task: task for task in _columns(files, known)}
    if foreign := [task for task in columns if task not in known]:
        raise BadTrainingData(f"There is no task {', '.join(foreign)} in the bundle; it has {', '.join(known)}.")
    tickets = read_tickets(files, columns, text=text, multi_label=[task for task in columns if known[task]])
    if tickets.problems:
        warn(f"{len(tickets.problems)} rows are left out or mended:")
        for problem in tickets.problems:
            warn(f"  {problem}")
    return tickets, [task for task in columns if tasks or any(task in ticket.labels for ticket in tickets.rows)]


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
