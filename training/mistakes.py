"""The rows behind the figures: which are wrong, how sure the bundle was, and which labels it takes for each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluate import UNDETERMINED, TaskEvaluation
from training.metrics import confusion

_RANKED = 3


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """
    Attributes:
        count: rows of `truth` that were given `given`.
        share: of all rows of `truth`.
        examples: some of them, the surest first, as `row_of` shows them.
    """

    truth: str
    given: str
    count: int
    share: float
    examples: tuple[dict[str, Any], ...]


def row_of(task: TaskEvaluation, at: int) -> dict[str, Any]:
    """What was true of one row and what is said of it, for people to look at."""
    ticket, labels, shares = task.tickets[at], task.scored.labels, task.scored.shares[at]
    order = np.argsort(-shares, kind="stable").tolist()
    given = [labels[column] for column in order if task.given[at, column]]
    truth = ticket.labels[task.task]
    return {
        "place": ticket.place,
        "task": task.task,
        "text": ticket.text,
        "language": ticket.language or UNDETERMINED,
        "truth": list(truth) if task.scored.multi_label else truth[0],
        "predicted": given if task.scored.multi_label else given[0],
        "confidence": _rounded(shares[order[0]]),
        "abstained": not task.scored.chosen[at].any(),
        "out_of_scope": _rounded(task.scored.out_of_scope[at]),
        "ranking": [{"label": labels[column], "score": _rounded(shares[column])} for column in order[:_RANKED]],
    }


def wrong_rows(task: TaskEvaluation) -> Iterator[dict[str, Any]]:
    """The rows in scope with another label than given, and those out of scope with any; the surest first."""
    answered = np.flatnonzero(task.outside & task.scored.chosen.any(axis=1))
    rows = np.concatenate([task.in_scope[~task.outcomes.correct], answered])
    for at in rows[np.argsort(-task.scored.shares[rows].max(axis=1), kind="stable")].tolist():
        yield row_of(task, at)


def confused_pairs(task: TaskEvaluation, *, most: int, examples: int = 3) -> list[ConfusedPair]:
    """The commonest pairs of a true label and another one that was given."""
    counts = confusion(task.outcomes)
    np.fill_diagonal(counts, 0)
    support = np.asarray(task.outcomes.truth.sum(axis=0))
    surest = np.argsort(-task.scored.shares.max(axis=1), kind="stable")
    surest = surest[np.isin(surest, task.in_scope)]
    pairs = []
    for place in np.argsort(-counts, axis=None, kind="stable")[: min(most, int((counts > 0).sum()))].tolist():
        true, given = divmod(place, len(counts))
        lacks = task.truth[surest, true] & ~task.given[surest, true]
        rows = surest[lacks & task.given[surest, given] & ~task.truth[surest, given]]
        pairs.append(
            ConfusedPair(
                task.scored.labels[true],
                task.scored.labels[given],
                int(counts[true, given]),
                round(float(counts[true, given] / support[true]), 4),
                tuple(row_of(task, at) for at in rows[:examples].tolist()),
            )
        )
    return pairs


def _rounded(value: Any) -> float:
    return round(float(value), 4)
