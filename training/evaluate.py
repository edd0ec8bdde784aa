"""How good a bundle is on labelled tickets, scored once: reports, comparisons and the gate work from what is kept."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.types import Encoder, Scored
from training.bootstrap import interval, resampled
from training.data import Ticket, Tickets
from training.errors import BadTrainingData
from training.metrics import Figures, Outcomes, Weights, detection_figures, given_labels, label_figures, overall_figures
from triage.normalize import normalize

OOS_LABEL = "oos"
UNDETERMINED = "und"
"""The language of rows that name none (BCP 47)."""
_CHUNK = 1024
_NO_INTERVAL = {"ece"}
"""A sum of absolute gaps, which resampling can only widen: its percentile interval lies above the figure itself."""


# Without slots, for cached_property; figures of 150 labels with intervals take a second, and several readers want them.
@dataclass(frozen=True, eq=False)
class TaskEvaluation:
    """What a bundle says of one task on the tickets that are labelled for it.

    Attributes:
        tickets: the labelled ones.
        scored: the same rows.
        oos_label: marks the rows that are about none of the labels; they count for nothing but telling them apart.
    """

    task: str
    tickets: tuple[Ticket, ...]
    scored: Scored
    oos_label: str = OOS_LABEL

    @cached_property
    def truth(self) -> NDArray[np.bool_]:
        """Shape (rows, labels), in the order of `scored.labels`; labels that the bundle does not know are left out."""
        column = {label: at for at, label in enumerate(self.scored.labels)}
        truth = np.zeros(self.scored.shares.shape, bool)
        for row, ticket in enumerate(self.tickets):
            truth[row, [column[label] for label in ticket.labels[self.task] if label in column]] = True
        return truth

    @cached_property
    def outside(self) -> NDArray[np.bool_]:
        """Shape (rows,): which rows are out of scope."""
        return np.array([ticket.labels[self.task] == (self.oos_label,) for ticket in self.tickets], bool)

    @cached_property
    def in_scope(self) -> NDArray[np.intp]:
        """The rows that figures are computed on: in scope, and with no label that the bundle does not know."""
        known = set(self.scored.labels)
        fits = [known.issuperset(ticket.labels[self.task]) for ticket in self.tickets]
        return np.flatnonzero(np.array(fits, bool) & ~self.outside)

    @cached_property
    def unknown_labels(self) -> dict[str, int]:
        """The labels of rows in scope that the bundle does not know, with their number of rows."""
        known = {*self.scored.labels, self.oos_label}
        names = Counter(label for ticket in self.tickets for label in ticket.labels[self.task] if label not in known)
        return dict(names.most_common())

    @cached_property
    def outcomes(self) -> Outcomes:
        """Of the rows of `in_scope`."""
        return Outcomes.of(self.truth[self.in_scope], _rows(self.scored, self.in_scope))

    @cached_property
    def given(self) -> NDArray[np.bool_]:
        """Shape (rows, labels): what is said without abstaining."""
        return given_labels(self.scored)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """Shape (rows,): a number for each group of rows that are drawn together when rows are resampled."""
        return np.unique([ticket.group for ticket in self.tickets], return_inverse=True)[1]

    @cached_property
    def languages(self) -> dict[str, NDArray[np.intp]]:
        """Of each language, which of the `outcomes` are in it."""
        spoken = np.array([self.tickets[row].language or UNDETERMINED for row in self.in_scope], str)
        return {str(name): np.flatnonzero(spoken == name) for name in np.unique(spoken)}

    @cached_property
    def figures(self) -> dict[str, Any]:
        """Everything that is known of the task, for JSON; docs/evaluation.md says what each figure means."""
        groups = self.groups[self.in_scope]
        support, given = (
            np.asarray(matrix.sum(axis=0)).astype(int).tolist() for matrix in (self.outcomes.truth, self.outcomes.given)
        )
        by_label = _with_intervals(partial(label_figures, self.outcomes), groups)
        return {
            "rows": len(self.in_scope),
            "multi_label": self.scored.multi_label,
            **_with_intervals(partial(overall_figures, self.outcomes), groups)[0],
            "out_of_scope": self._detection(),
            "unknown_labels": self.unknown_labels,
            "labels": {
                label: {"support": rows, "given": times, **figures}
                for label, rows, times, figures in zip(self.scored.labels, support, given, by_label, strict=True)
            },
            "languages": {
                language: {
                    "support": len(rows),
                    **_with_intervals(partial(overall_figures, self.outcomes.take(rows)), groups[rows])[0],
                }
                for language, rows in self.languages.items()
            },
        }

    def _detection(self) -> dict[str, Any] | None:
        outside = np.flatnonzero(self.outside)
        if not len(outside):
            return None
        rows = np.concatenate([self.in_scope, outside])
        detection = partial(detection_figures, self.scored.out_of_scope[rows], self.outside[rows])
        return {
            "rows": len(outside),
            "abstained": round(float(1 - self.scored.chosen[outside].any(axis=1).mean()), 4),
            **_with_intervals(detection, self.groups[rows])[0],
        }

    def take(self, rows: NDArray[np.intp]) -> "TaskEvaluation":
        """The same on some of the rows."""
        return replace(self, tickets=tuple(self.tickets[row] for row in rows.tolist()), scored=_rows(self.scored, rows))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A bundle on labelled tickets.

    Attributes:
        bundle: its reference, NAME@VERSION.
        encoder, notes: as in the bundle.
        rows: how many tickets there were.
        fingerprint: of the tickets; equal ones were the same rows.
    """

    bundle: str
    encoder: Mapping[str, Any]
    notes: Mapping[str, Any]
    rows: int
    fingerprint: str
    tasks: Mapping[str, TaskEvaluation]

    @property
    def seen_in_training(self) -> bool:
        """Whether the bundle was trained on these very rows, which makes its figures worthless."""
        return bool(self.fingerprint == self.notes.get("data", {}).get("fingerprint"))

    def as_json(self) -> dict[str, Any]:
        return {
            "bundle": self.bundle,
            "data": {"rows": self.rows, "fingerprint": self.fingerprint, "seen_in_training": self.seen_in_training},
            "tasks": {name: task.figures for name, task in self.tasks.items()},
        }


def evaluate(
    bundle: Bundle,
    encoder: Encoder,
    tickets: Tickets,
    tasks: Sequence[str],
    *,
    oos_label: str = OOS_LABEL,
    advance: Callable[[int], object] = lambda _rows: None,
) -> Evaluation:
    """Score the tickets that are labelled for any of `tasks`.

    Args:
        advance: called with the number of rows after each piece of work, for a progress bar.

    Raises:
        BadTrainingData: when the bundle lacks a task, no ticket is labelled for it, or some have several labels where
            the bundle gives one.
    """
    if missing := [task for task in tasks if task not in bundle.heads]:
        raise BadTrainingData(
            f"Bundle {bundle.reference} has no task {', '.join(missing)}; it has {', '.join(bundle.heads)}."
        )
    rows = [ticket for ticket in tickets.rows if any(task in ticket.labels for task in tasks)]
    texts = [normalize(ticket.text) for ticket in rows]
    scored: dict[str, list[Scored]] = {task: [] for task in tasks}
    for start in range(0, len(rows), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        vectors = bundle.vectors(chunk, encoder, [ticket.language for ticket in rows[start : start + _CHUNK]])
        for task, part in bundle.score(chunk, vectors).items():
            if task in scored:
                scored[task].append(part)
        advance(len(chunk))
    evaluated = {task: _task_evaluation(task, rows, scored[task], oos_label) for task in tasks}
    return Evaluation(bundle.reference, bundle.encoder, bundle.notes, len(tickets.rows), tickets.fingerprint, evaluated)


def _task_evaluation(task: str, tickets: Sequence[Ticket], parts: Sequence[Scored], oos_label: str) -> TaskEvaluation:
    rows = [row for row, ticket in enumerate(tickets) if task in ticket.labels]
    if not rows:
        raise BadTrainingData(f"No row is labelled for task {task!r}. Name its column: --task {task}=COLUMN.")
    labelled = tuple(tickets[row] for row in rows)
    scored = Scored(
        parts[0].labels,
        np.concatenate([part.shares for part in parts])[rows],
        np.concatenate([part.out_of_scope for part in parts])[rows],
        np.concatenate([part.chosen for part in parts])[rows],
        parts[0].multi_label,
    )
    several = next((ticket for ticket in labelled if len(ticket.labels[task]) != 1), None)
    if several and not scored.multi_label:
        raise BadTrainingData(
            f"{several.place} has {len(several.labels[task])} labels of {task!r}, and the bundle always gives one. "
            "Leave such rows out, or train a bundle on rows with lists of labels."
        )
    return TaskEvaluation(task, labelled, scored, oos_label)


def _rows(scored: Scored, rows: NDArray[np.intp]) -> Scored:
    return Scored(
        scored.labels, scored.shares[rows], scored.out_of_scope[rows], scored.chosen[rows], scored.multi_label
    )


def _with_intervals(figures: Callable[[Weights], Figures], groups: NDArray[np.intp]) -> list[dict[str, Any]]:
    """Each figure with its 95 % interval under `intervals`; one dictionary for each label, or one in all."""
    stated = {name: np.atleast_1d(value[0]) for name, value in figures(np.ones((1, len(groups)), np.float32)).items()}
    bounds = {
        name: np.stack(np.atleast_1d(*interval(samples)), axis=1)
        for name, samples in resampled(figures, groups).items()
        if name not in _NO_INTERVAL
    }
    return [
        {
            **{name: _rounded(values[at]) for name, values in stated.items()},
            "intervals": {
                name: [_rounded(end) for end in ends[at]] for name, ends in bounds.items() if not np.isnan(ends[at, 0])
            },
        }
        for at in range(len(next(iter(stated.values()))))
    ]


def _rounded(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
