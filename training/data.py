"""Labelled tickets from JSONL and CSV, gzipped or not; bad rows are listed and left out."""

import csv
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from training.errors import BadTrainingData


@dataclass(frozen=True, slots=True)
class Ticket:
    """One labelled message; `labels` holds the tasks that this row is labelled for.

    A task has exactly one label on a row, or any number, none included, where it is multi-label. Rows with equal
    `group` are about one matter and stay on one side of every split. `place` is where it was read: FILE:LINE.
    """

    text: str
    labels: Mapping[str, tuple[str, ...]]
    language: str | None
    group: str
    place: str = field(default="", compare=False)

    def label(self, task: str) -> str:
        """The one label of a task that is not multi-label."""
        (label,) = self.labels[task]
        return label


@dataclass(frozen=True, slots=True)
class Tickets:
    """What could be read, a line for every row that could not, and a digest of the former.

    Attributes:
        multi_label: the tasks whose rows may have any number of labels.
    """

    rows: tuple[Ticket, ...]
    problems: tuple[str, ...]
    fingerprint: str
    multi_label: frozenset[str] = frozenset()


def read_tickets(paths: Iterable[Path], columns: Mapping[str, str], *, text: str | None = None) -> Tickets:
    """Read labelled tickets.

    Args:
        columns: the column of each task.
        text: the column with the text; by default `text`, or else `subject` and `body` joined.

    Raises:
        BadTrainingData: when a file cannot be read at all or no row is usable.
    """
    rows: list[Ticket] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], str] = {}
    digest = hashlib.sha256()
    for path in paths:
        for place, raw in _raw_rows(path):
            # A row without a group is one of its own, wherever its file lies.
            ticket = _ticket(raw, columns, text, place, f"row {len(rows)}")
            if isinstance(ticket, str):
                problems.append(f"{place}: {ticket}")
                continue
            key = (ticket.text, json.dumps(dict(ticket.labels), sort_keys=True))
            if key in seen:
                problems.append(f"{place}: the same text and labels as {seen[key]}")
                continue
            seen[key] = place
            rows.append(ticket)
            known = {task: names[0] if len(names) == 1 else list(names) for task, names in ticket.labels.items()}
            line = [ticket.text, known, ticket.language, raw.get("group")]
            digest.update(json.dumps(line, ensure_ascii=True, sort_keys=True).encode())
    if not rows:
        first = problems[0] if problems else "the files are empty"
        raise BadTrainingData(f"No usable row with {' or '.join(columns.values())}: {first}.")
    return Tickets(tuple(rows), tuple(problems), digest.hexdigest()[:16])


def _ticket(
    raw: dict[str, Any], columns: Mapping[str, str], text_column: str | None, place: str, group: str
) -> Ticket | str:
    if "_problem" in raw:
        return str(raw["_problem"])
    if text_column or "text" in raw:
        text = raw.get(text_column or "text")
    else:
        text = "\n".join(str(part) for key in ("subject", "body") if (part := raw.get(key)))
    if not isinstance(text, str) or not text.strip():
        return f"has no {text_column or 'text'}"
    given = {task: value for task, column in columns.items() if (value := raw.get(column)) not in (None, "")}
    for task, value in given.items():
        if isinstance(value, list | dict):
            return f"has {value!r:.40} in {columns[task]}, which is not one label"
    labels = {task: (str(value),) for task, value in given.items()}
    if not labels:
        return f"has no label in {', '.join(columns.values())}"
    language = raw.get("language")
    return Ticket(text, labels, str(language) if language else None, str(raw.get("group") or group), place)


def _raw_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = path.suffixes[-2] if path.suffix == ".gz" and len(path.suffixes) > 1 else path.suffix
    readers = {".jsonl": _jsonl, ".csv": _csv}
    if kind not in readers:
        raise BadTrainingData(f"{path} is neither .jsonl nor .csv (either may end in .gz).")
    # Spreadsheets put a byte order mark before the first column; line breaks inside quotes are csv's own matter.
    how: dict[str, Any] = {"mode": "rt", "encoding": "utf-8-sig", "newline": "" if kind == ".csv" else None}
    try:
        with gzip.open(path, **how) if path.suffix == ".gz" else path.open(**how) as file:
            for number, row in readers[kind](file):
                yield f"{path}:{number}", row
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise BadTrainingData(f"{path} cannot be read: {error}.") from error


def _jsonl(file: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            row = {"_problem": f"is not JSON ({error})"}
        yield number, row if isinstance(row, dict) else {"_problem": f"should be an object, and is {row!r:.40}"}


def _csv(file: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(file)
    for row in reader:
        yield reader.line_num, row


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
