"""Labelled tickets from JSONL, CSV and Parquet; bad rows are listed and left out."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.languages import UNDETERMINED
from training.columns import GROUP, BadRow, Columns, Fault, is_missing, known_language
from training.errors import BadTrainingData
from training.readers import Format, format_of, read_rows

_ALONE = "row "


@dataclass(frozen=True, slots=True)
class Ticket:
    """One labelled message; `labels` holds the tasks that this row is labelled for.

    A task has exactly one label on a row, or any number, none included, where it is multi-label. Rows with equal
    `group` are about one matter and stay on one side of every split. `place` is where it was read: FILE:LINE, or
    FILE:ROW of a Parquet file.
    """

    text: str
    labels: Mapping[str, tuple[str, ...]]
    language: str | None
    group: str
    place: str = field(default="", compare=False)

    @property
    def grouped(self) -> bool:
        """Whether the file names the group; other rows are each a group of their own."""
        return not self.group.startswith(_ALONE)

    def label(self, task: str) -> str:
        """The one label of a task that is not multi-label."""
        (label,) = self.labels[task]
        return label


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row, which is left out for it unless only its language is unknown."""

    fault: Fault
    place: str
    message: str

    @property
    def left_out(self) -> bool:
        return self.fault is not Fault.BAD_LANGUAGE

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Tickets:
    """What could be read, a problem for every row that could not, and a digest of the former.

    Attributes:
        multi_label: the tasks whose rows may have any number of labels.
        names: how many of the rows are names of labels, which are learned from and never scored. They come last.
    """

    rows: tuple[Ticket, ...]
    problems: tuple[Problem, ...]
    fingerprint: str
    multi_label: frozenset[str] = frozenset()
    names: int = 0

    @property
    def given(self) -> int:
        """How many of the rows were read; their numbers come first."""
        return len(self.rows) - self.names


def read_tickets(
    paths: Sequence[Path],
    columns: Mapping[str, str],
    *,
    text: str | None = None,
    group: str = GROUP,
    multi_label: Collection[str] = (),
) -> Tickets:
    """Read labelled tickets.

    A task is multi-label where one row has a list of labels, of which `[]` says that none applies. Languages are
    written as `models.languages` does. Rows that repeat the text and the labels of another are left out.

    Args:
        columns: the column of each task.
        text: the column with the text; by default `text`, or else `subject` and `body` joined.
        group: the column whose equal values mark rows about one matter.
        multi_label: tasks that are so in any case; in CSV their labels are separated by `;`, and `;` alone is none.

    Raises:
        BadTrainingData: when a file cannot be read, no row has a column that is asked for, no row is usable, or a task
            has no label or more than `training.columns.MAX_LABELS`.
    """
    layout = Columns(columns, text, group)
    rows: list[Ticket] = []
    problems: list[Problem] = []
    first: dict[tuple[object, ...], str] = {}
    lists = set(multi_label)
    digest = hashlib.sha256()
    for path in paths:
        separated = multi_label if format_of(path) is Format.CSV else ()
        for number, cells, problem in read_rows(path, layout.wanted):
            place = f"{path}:{number}"
            layout.seen.update(dict.fromkeys(cells))
            try:
                if problem:
                    raise BadRow(Fault.UNREADABLE, problem)
                content, labels = layout.text_in(cells), layout.labels_in(cells, separated)
                earlier = first.setdefault((content, *labels.items()), place)
                # The same object, not an equal one: a file may be named twice.
                if earlier is not place:
                    raise BadRow(Fault.REPEATED, f"repeats the text and the labels of {earlier}")
            except BadRow as bad:
                problems.append(Problem(bad.fault, place, str(bad)))
                continue
            lists.update(task for task in labels if isinstance(cells[columns[task]], list))
            code, named = cells.get("language"), cells.get(group)
            language = None if is_missing(code) else known_language(str(code))
            if language is None and not is_missing(code) and code != UNDETERMINED:
                message = f"is kept without its language, for BCP 47 does not know {code!r:.40}; write th, say"
                problems.append(Problem(Fault.BAD_LANGUAGE, place, message))
            # A row without a group is one of its own, wherever its file lies.
            rows.append(Ticket(content, labels, language, str(named or f"{_ALONE}{len(rows)}"), place))
            known = {task: names[0] if len(names) == 1 else list(names) for task, names in labels.items()}
            line = [content, known, language, named]
            digest.update(json.dumps(line, ensure_ascii=True, sort_keys=True, default=str).encode())
    layout.require(paths)
    if not rows:
        why = str(problems[0]) if problems else "the files are empty"
        raise BadTrainingData(f"No usable row with {' or '.join(columns.values())}: {why}.")
    layout.require_labels(ticket.labels for ticket in rows)
    return Tickets(tuple(rows), tuple(problems), digest.hexdigest()[:16], frozenset(lists))


def parse_columns(tasks: Sequence[str]) -> dict[str, str]:
    """`["intent", "channel=best_channel"]` as task → column.

    Raises:
        BadTrainingData: for an empty name or one task given twice.
    """
    columns: dict[str, str] = {}
    for task in tasks:
        name, _, column = task.partition("=")
        if not name or name in columns:
            raise BadTrainingData(f"--task {task!r} should be NAME or NAME=COLUMN, each name once.")
        columns[name] = column or name
    return columns


def joined(tickets: Tickets, valid: Tickets) -> tuple[Tickets, NDArray[np.intp]]:
    """Both sets as one, and the numbers of the rows of `valid` in it."""
    rows = (*tickets.rows, *valid.rows)
    digest = hashlib.sha256(f"{tickets.fingerprint} {valid.fingerprint}".encode()).hexdigest()[:16]
    every = Tickets(rows, (*tickets.problems, *valid.problems), digest, tickets.multi_label | valid.multi_label)
    return every, np.arange(len(tickets.rows), len(rows))
