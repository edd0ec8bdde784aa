"""Two bundles on the same rows: differences of every figure with paired intervals, and the rows that changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.types import Scored
from training.bootstrap import interval, resampled
from training.errors import BadTrainingData
from training.evaluate import Evaluation, TaskEvaluation
from training.metrics import Figures, Weights, detection_figures, label_figures, overall_figures
from training.mistakes import row_of


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two bundles on the same rows; None where it has nothing to be computed from.

    Attributes:
        interval: 95 %, of `b` - `a` by paired bootstrap: both are resampled together, so that what is hard for both
            does not widen it.
    """

    a: float | None
    b: float | None
    interval: tuple[float, float] | None

    @property
    def value(self) -> float | None:
        return None if self.a is None or self.b is None else round(self.b - self.a, 4)

    @property
    def direction(self) -> int:
        """1 or -1 where the interval lies wholly above or below zero, else 0."""
        low, high = self.interval or (0, 0)
        return int(low > 0) - int(high < 0)

    def as_json(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b, "difference": self.value, "interval": self.interval}


Differences = Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task of two bundles.

    Attributes:
        rows: in scope, with labels that at least one of the bundles knows; to the other one they are errors.
        figures: overall, with those on out-of-scope rows where there are any.
        only_a, only_b: the labels that one of them does not know.
        fixed, broken: the rows that only `b`, or only `a`, has right.
    """

    rows: int
    figures: Differences
    labels: Mapping[str, Differences]
    languages: Mapping[str, Differences]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    fixed: tuple[Mapping[str, Any], ...]
    broken: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "figures": _json(self.figures),
            "labels": {label: _json(differences) for label, differences in self.labels.items()},
            "languages": {language: _json(differences) for language, differences in self.languages.items()},
            "only_a": list(self.only_a),
            "only_b": list(self.only_b),
            "fixed": list(self.fixed),
            "broken": list(self.broken),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Bundle `b` against bundle `a`, on the tasks that both have."""

    a: str
    b: str
    tasks: Mapping[str, TaskComparison]

    def as_json(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b, "tasks": {name: task.as_json() for name, task in self.tasks.items()}}


def compare(a: Evaluation, b: Evaluation) -> Comparison:
    """What changes from `a` to `b`; they may stand on different encoders and know different labels.

    Raises:
        BadTrainingData: when they were not evaluated on the same rows, or have no task in common.
    """
    check_same_rows(a, b)
    common = [task for task in a.tasks if task in b.tasks]
    if not common:
        raise BadTrainingData(f"{a.bundle} ({', '.join(a.tasks)}) and {b.bundle} ({', '.join(b.tasks)}) share no task.")
    return Comparison(a.bundle, b.bundle, {task: compare_tasks(a.tasks[task], b.tasks[task]) for task in common})


def compare_tasks(a: TaskEvaluation, b: TaskEvaluation) -> TaskComparison:
    """The same for one task."""
    only_a, only_b = _missing(a, b), _missing(b, a)
    a, b = aligned(a, b)
    groups = a.groups[a.in_scope]

    def overall(rows: NDArray[np.intp]) -> Differences:
        one, other = a.outcomes.take(rows), b.outcomes.take(rows)
        paired = _paired(lambda w: overall_figures(one, w), lambda w: overall_figures(other, w), groups[rows])
        return paired[0]

    by_label = _paired(lambda w: label_figures(a.outcomes, w), lambda w: label_figures(b.outcomes, w), groups)
    changed = a.in_scope[a.outcomes.correct != b.outcomes.correct]
    fixed = set(a.in_scope[b.outcomes.correct].tolist())
    return TaskComparison(
        len(a.in_scope),
        {**overall(np.arange(len(a.in_scope))), **_detection(a, b)},
        dict(zip(a.scored.labels, by_label, strict=True)),
        {language: overall(rows) for language, rows in a.languages.items()},
        only_a,
        only_b,
        tuple(_change(a, b, row) for row in changed.tolist() if row in fixed),
        tuple(_change(a, b, row) for row in changed.tolist() if row not in fixed),
    )


def check_same_rows(a: Evaluation, b: Evaluation) -> None:
    """
    Raises:
        BadTrainingData: when the two were not evaluated on the same rows.
    """
    if a.fingerprint != b.fingerprint or a.rows != b.rows:
        raise BadTrainingData(
            f"{a.bundle} was evaluated on {a.rows} rows ({a.fingerprint}), {b.bundle} on {b.rows} ({b.fingerprint}). "
            "Evaluate both on the same files and columns."
        )


def aligned(a: TaskEvaluation, b: TaskEvaluation) -> tuple[TaskEvaluation, TaskEvaluation]:
    """Both with the labels of either, sorted; a label that a bundle does not know has no share of any row."""
    labels = tuple(sorted({*a.scored.labels, *b.scored.labels}))
    return _with_labels(a, labels), _with_labels(b, labels)


def _with_labels(task: TaskEvaluation, labels: tuple[str, ...]) -> TaskEvaluation:
    scored = task.scored
    columns = [labels.index(label) for label in scored.labels]
    shape = (len(task.tickets), len(labels))
    shares, chosen = np.zeros(shape, np.float32), np.zeros(shape, bool)
    shares[:, columns], chosen[:, columns] = scored.shares, scored.chosen
    return replace(task, scored=Scored(labels, shares, scored.out_of_scope, chosen, scored.multi_label))


def _missing(a: TaskEvaluation, b: TaskEvaluation) -> tuple[str, ...]:
    known = set(b.scored.labels)
    return tuple(label for label in a.scored.labels if label not in known)


def _detection(a: TaskEvaluation, b: TaskEvaluation) -> Differences:
    outside = np.flatnonzero(a.outside)
    if not len(outside):
        return {}
    rows = np.concatenate([a.in_scope, outside])
    (found,) = _paired(
        lambda w: detection_figures(a.scored.out_of_scope[rows], a.outside[rows], w),
        lambda w: detection_figures(b.scored.out_of_scope[rows], b.outside[rows], w),
        a.groups[rows],
    )
    return {f"out_of_scope_{name}": difference for name, difference in found.items()}


def _change(a: TaskEvaluation, b: TaskEvaluation, row: int) -> dict[str, Any]:
    before, after = row_of(a, row), row_of(b, row)
    about = {key: before[key] for key in ("place", "text", "language", "truth")}
    said = ("predicted", "confidence", "abstained")
    return {**about, "a": {key: before[key] for key in said}, "b": {key: after[key] for key in said}}


def _paired(
    a: Callable[[Weights], Figures], b: Callable[[Weights], Figures], groups: NDArray[np.intp]
) -> list[dict[str, Difference]]:
    """One dictionary for each label, or one in all."""
    once = np.ones((1, len(groups)), np.float32)
    before, after = a(once), b(once)

    def differences(weights: Weights) -> Figures:
        one, other = a(weights), b(weights)
        return {name: other[name] - one[name] for name in one}

    paired: list[dict[str, Difference]] = [{} for _ in np.atleast_1d(next(iter(before.values()))[0])]
    for name, samples in resampled(differences, groups).items():
        low, high = (np.atleast_1d(end) for end in interval(samples))
        ends = np.atleast_1d(before[name][0]), np.atleast_1d(after[name][0])
        for at, known in enumerate(paired):
            bounds = None if np.isnan(low[at]) else (_rounded(low[at]) or 0.0, _rounded(high[at]) or 0.0)
            known[name] = Difference(_rounded(ends[0][at]), _rounded(ends[1][at]), bounds)
    return paired


def _rounded(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _json(differences: Differences) -> dict[str, Any]:
    return {name: difference.as_json() for name, difference in differences.items()}
