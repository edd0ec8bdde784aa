"""What a task's rows should be told: labels as columns of truth."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.data import Ticket, Tickets
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


def targets_of(tickets: Tickets, tasks: Iterable[str], oos_label: str | None = None) -> dict[str, Target]:
    """
    Raises:
        BadTrainingData: see `Target.of`.
    """
    return {
        task: Target.of(task, tickets.rows, multi_label=task in tickets.multi_label, oos_label=oos_label)
        for task in tasks
    }


def with_names(tickets: Tickets, targets: Iterable[Target]) -> Tickets:
    """The tickets, and behind them the name of each label as a message with that label; none that has no letter."""
    named = [(target.task, label, _in_words(label)) for target in targets for label in target.labels]
    rows = tuple(
        Ticket(name, {task: (label,)}, None, f"name of {task} {label}")
        for task, label, name in named
        if any(map(str.isalpha, name))
    )
    return replace(tickets, rows=(*tickets.rows, *rows), names=len(rows))


def _in_words(label: str) -> str:
    parted = _HUMP.sub(" ", label)
    # Marks too: Thai vowels are some.
    kept = (letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in parted)
    return " ".join("".join(kept).split())
