"""What a task's rows should be told: labels as columns of truth."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data import Ticket
from training.errors import BadTrainingData
from training.splits import Fold

_HUMP = re.compile("(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Target:
    """The rows that are labelled for one task.

    Attributes:
        rows: their numbers among all rows.
        foreign: the rows labelled as out of scope, which are none of `rows`.
        truth: bool, shape (rows, labels); one True a row unless multi-label.
        groups: of each row.
    """

    task: str
    labels: tuple[str, ...]
    rows: NDArray[np.intp]
    foreign: NDArray[np.intp]
    truth: NDArray[np.bool_]
    groups: tuple[str, ...]
    multi_label: bool

    @classmethod
    def of(cls, task: str, tickets: Sequence[Ticket], *, multi_label: bool, oos_label: str | None = None) -> "Target":
        """
        Raises:
            BadTrainingData: when there are fewer than two labels or groups, or every label is on one row only.
        """
        labelled = [at for at, ticket in enumerate(tickets) if task in ticket.labels]
        foreign = [at for at in labelled if tickets[at].labels[task] == (oos_label,)]
        rows = [at for at in labelled if tickets[at].labels[task] != (oos_label,)]
        labels = sorted({label for at in rows for label in tickets[at].labels[task]})
        column = {label: at for at, label in enumerate(labels)}
        truth = np.zeros((len(rows), len(labels)), bool)
        for row, at in enumerate(rows):
            truth[row, [column[label] for label in tickets[at].labels[task]]] = True
        groups = tuple(tickets[at].group for at in rows)
        if len(labels) < 2 or len(set(groups)) < 2 or truth.sum(axis=0).max() < 2:
            raise BadTrainingData(
                f"Task {task!r} has {len(labels)} label(s) on {len(rows)} row(s) in {len(set(groups))} group(s); at "
                "least two labels and two groups are needed, and a label on two rows."
            )
        return cls(task, tuple(labels), np.array(rows, np.intp), np.array(foreign, np.intp), truth, groups, multi_label)

    def fold(self, inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Fold:
        """Numbers of rows among all as positions among those of the target."""
        return np.flatnonzero(np.isin(self.rows, inside)), np.flatnonzero(np.isin(self.rows, outside))

    @property
    def strata(self) -> list[str]:
        """What splits spread evenly: the label of each row, or its labels together."""
        return ["\n".join(np.array(self.labels)[row]) for row in self.truth]

    @property
    def numbers(self) -> NDArray[np.intp]:
        """The label number of each row of a task that is not multi-label."""
        numbers: NDArray[np.intp] = self.truth.argmax(axis=1)
        return numbers

    @property
    def names(self) -> list[tuple[int, str]]:
        """The name of each label in words, beside the number of the first row that has it; none that has no letter."""
        first = self.rows[self.truth.argmax(axis=0)].tolist()
        named = zip(first, map(_in_words, self.labels), strict=True)
        return [(row, name) for row, name in named if any(map(str.isalpha, name))]


def _in_words(label: str) -> str:
    parted = _HUMP.sub(" ", label)
    # Marks too: Thai vowels are some.
    kept = (letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in parted)
    return " ".join("".join(kept).split())
