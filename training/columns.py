"""Which column of a file holds what, and what a row that cannot be used has wrong."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from models.languages import UNDETERMINED, canonical_language
from training.errors import BadTrainingData

GROUP = "group"
"""The column whose equal values mark rows about one matter, where no other is named."""

MAX_TEXT = 100_000
"""Characters of a text; a longer one is a log or a whole mailbox more often than a message."""

MAX_LABELS = 2_000
"""Labels of one task; more are ids or free text more often than labels."""

# NUL, and the halves of characters that a program leaves which cuts texts at a number of UTF-16 units.
_BROKEN = re.compile("[\x00\ud800-\udfff]")
_SHOWN_COLUMNS = 20


class Fault(StrEnum):
    """What is wrong with a row."""

    UNREADABLE = "unreadable"
    NO_TEXT = "no_text"
    LONG_TEXT = "long_text"
    BROKEN_TEXT = "broken_text"
    NO_LABEL = "no_label"
    BAD_LABEL = "bad_label"
    REPEATED = "repeated"
    BAD_LANGUAGE = "bad_language"


class BadRow(Exception):
    """A row that cannot be used; the message reads on from its place."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Columns:
    """
    Attributes:
        tasks: the column of each task.
        text: the column with the text; None for `text`, or else `subject` and `body` joined.
        group: the column with the group.
        seen: every column that a row has had; `require` wants to know.
    """

    tasks: Mapping[str, str]
    text: str | None = None
    group: str = GROUP
    seen: dict[str, None] = field(default_factory=dict)

    @property
    def wanted(self) -> set[str]:
        texts = {self.text} if self.text else {"text", "subject", "body"}
        return {*self.tasks.values(), *texts, self.group, "language"}

    def text_in(self, cells: Mapping[str, Any]) -> str:
        """
        Raises:
            BadRow: when there is none, it is too long, or something of it was lost before.
        """
        column = self.text or "text"
        if self.text or "text" in cells:
            text = cells.get(column)
        else:
            text = "\n".join(str(part) for key in ("subject", "body") if not is_missing(part := cells.get(key)))
        if is_missing(text):
            raise BadRow(Fault.NO_TEXT, f"has no {column}")
        if not isinstance(text, str):
            raise BadRow(Fault.NO_TEXT, f"has {text!r:.40} for {column}, which is not text")
        if len(text) > MAX_TEXT:
            raise BadRow(Fault.LONG_TEXT, f"has a text of {len(text):,} characters; at most {MAX_TEXT:,} are read")
        if broken := _BROKEN.search(text):
            what = "the character NUL" if broken[0] == "\0" else f"half a character (U+{ord(broken[0]):X})"
            raise BadRow(Fault.BROKEN_TEXT, f"has {what} at {broken.start()} in its text; export it again")
        return text

    def labels_in(self, cells: Mapping[str, Any], separated: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
        """The labels of the tasks that the row is labelled for, in order and each once.

        Args:
            separated: tasks whose labels stand in one cell, with `;` between them.

        Raises:
            BadRow: when it is labelled for none, or by something else than a label or a list of labels.
        """
        labels = {}
        for task, column in self.tasks.items():
            value = cells.get(column)
            if task in separated and isinstance(value, str) and not is_missing(value):
                value = [part.strip() for part in value.split(";") if part.strip()]
            if not is_missing(value):
                labels[task] = _labels(value, column)
        if not labels:
            raise BadRow(Fault.NO_LABEL, f"has no label in {', '.join(self.tasks.values())}")
        return labels

    def require(self, paths: Sequence[Path]) -> None:
        """
        Raises:
            BadTrainingData: for a column that was asked for and that no row has; `paths` are named in it.
        """
        needed = {column: (f"task {task!r} is", f"--task {task}=COLUMN") for task, column in self.tasks.items()}
        if self.text or not self.seen.keys() & {"text", "subject", "body"}:
            needed[self.text or "text"] = ("texts are", "--text COLUMN")
        if self.group != GROUP:
            needed[self.group] = ("groups are", "--group COLUMN")
        for column, (what, remedy) in needed.items():
            if self.seen and column not in self.seen:
                folded = {name.casefold(): name for name in self.seen}
                close = difflib.get_close_matches(column.casefold(), folded, 1, 0.7)
                question = f" Did you mean {folded[close[0]]!r}?" if close else ""
                others = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
                raise BadTrainingData(
                    f"No row of {paths[0]}{others} has the column {column!r} that {what} read from.{question} "
                    f"Name it by {remedy}; there are {self._names()}."
                )

    def require_labels(self, labels: Iterable[Mapping[str, tuple[str, ...]]]) -> None:
        """
        Raises:
            BadTrainingData: for a task without labels, or with more than `MAX_LABELS`.
        """
        different: dict[str, dict[str, None]] = {task: {} for task in self.tasks}
        for row in labels:
            for task, names in row.items():
                different[task].update(dict.fromkeys(names))
        for task, labelled in different.items():
            if not labelled:
                raise BadTrainingData(
                    f"No row has a label of task {task!r}: its column {self.tasks[task]!r} is empty. "
                    f"Name another by --task {task}=COLUMN; there are {self._names()}."
                )
            if len(labelled) > MAX_LABELS:
                examples = ", ".join(f"{name!r:.40}" for name in islice(labelled, 3))
                raise BadTrainingData(
                    f"Task {task!r} has {len(labelled):,} labels in the column {self.tasks[task]!r}, such as "
                    f"{examples}; at most {MAX_LABELS:,} can be trained. A column of ids or of free text looks like "
                    f"this. Name the column of labels by --task {task}=COLUMN; there are {self._names()}."
                )

    def _names(self) -> str:
        shown = [repr(name) for name in self.seen if name][:_SHOWN_COLUMNS]
        return ", ".join(shown) + (" and more" if len(self.seen) > len(shown) else "")


@lru_cache(1024)
def known_language(code: str) -> str | None:
    """`code` as `models.languages` writes it; None for what is no code, and for one that names no language."""
    try:
        language = canonical_language(code)
    except ValueError:
        return None
    return None if language == UNDETERMINED else language


def is_missing(value: Any) -> bool:
    """Of empty cells: spreadsheets leave blanks, and data frames NaN, which alone differs from itself."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _labels(value: Any, column: str) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, list | tuple | dict | bytes) or is_missing(part) for part in parts):
        raise BadRow(Fault.BAD_LABEL, f"has {value!r:.40} in {column}, which is neither a label nor a list of labels")
    names = {str(part) for part in parts}
    if any(_BROKEN.search(name) for name in names):
        raise BadRow(Fault.BAD_LABEL, f"has {value!r:.40} in {column}, with NUL or half a character in it")
    return tuple(sorted(names))
