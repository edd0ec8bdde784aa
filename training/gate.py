"""Whether a candidate may take the live bundle's place: not where a label or a language got worse beyond chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from training.compare import Difference, TaskComparison, aligned, check_same_rows, compare_tasks
from training.evaluate import Evaluation, TaskEvaluation

ERROR_RATE = 0.025
"""How often a candidate of equal quality is refused, all labels and languages together: one side of a 95 % interval."""
MIN_SUPPORT = 10
SWAPS = 10_000
_CHUNK = 1_000
_NAMED = 5
_WATCHED = {
    "ece": -1,
    "coverage": 1,
    "precision_when_sure": 1,
    "out_of_scope_auroc": 1,
    "out_of_scope_recall_at_2_percent": 1,
}
"""Figures whose change is noted, and which way is up; a desk may want less coverage for more precision."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Attributes:
        reasons: why the candidate is refused, each naming a label or a language with its figures.
        notes: what does not decide but should be known.
    """

    reasons: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        return {"accepted": self.accepted, "reasons": list(self.reasons), "notes": list(self.notes)}


def judge(live: Evaluation, candidate: Evaluation, *, min_support: int = MIN_SUPPORT, seed: int = 0) -> Verdict:
    """Compare two evaluations on the same rows; the bundles may stand on different encoders.

    The F1 of each label and the accuracy of each language, and overall, are tested together: if both bundles were
    equally good, what they say could be swapped on any row. The observed loss is held against the largest one that
    10,000 such random swaps bring anywhere, each in units of its own spread. So one candidate in forty of equal
    quality is refused, however many labels there are.

    Rows whose label the live bundle does not know are left out: a new label is no excuse for the old ones.

    Args:
        min_support: labels and languages with fewer rows are noted, not judged.

    Raises:
        BadTrainingData: when they were not evaluated on the same rows.

    Source: Westfall and Young 1993, "Resampling-Based Multiple Testing" (single-step maxT), with the swaps of
    Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses".
    """
    check_same_rows(live, candidate)
    reasons = [f"task {task} is gone" for task in live.tasks if task not in candidate.tasks]
    notes = [
        f"{evaluation.bundle} was trained on these very rows, and its figures on them are worth nothing"
        for evaluation in (live, candidate)
        if evaluation.seen_in_training
    ]
    contests = [
        _Contest.of(evaluation, candidate.tasks[task], min_support)
        for task, evaluation in live.tasks.items()
        if task in candidate.tasks
    ]
    chances = iter(_chances(contests, seed))
    for contest in contests:
        worse = [part for part in contest.parts if next(chances) <= ERROR_RATE]
        reasons += [f"{contest.task}: {reason}" for reason in _reasons(worse, contest.about)]
        notes += [f"{contest.task}: {note}" for note in _notes(contest.too_small, contest.about)]
    return Verdict(tuple(reasons), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of a label or of a language, or all rows."""

    kind: str
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class _Contest:
    """One task of both bundles, on the rows whose labels the live one knows, and what of it is judged."""

    task: str
    live: TaskEvaluation
    candidate: TaskEvaluation
    about: TaskComparison
    parts: tuple[_Part, ...]
    too_small: tuple[_Part, ...]

    @classmethod
    def of(cls, live: TaskEvaluation, candidate: TaskEvaluation, min_support: int) -> "_Contest":
        rows = np.union1d(live.in_scope, np.flatnonzero(live.outside))
        live, candidate = live.take(rows), candidate.take(rows)
        about = compare_tasks(live, candidate)
        support = np.asarray(live.outcomes.truth.sum(axis=0)).astype(int).tolist()
        every = [_Part("label", label, count) for label, count in zip(live.scored.labels, support, strict=True)]
        if len(live.languages) > 1:
            every += [_Part("language", name, len(rows)) for name, rows in live.languages.items()]
        every.append(_Part("all", "rows", len(live.in_scope)))
        enough = tuple(part for part in every if part.rows >= max(min_support, 1))
        too_small = tuple(part for part in every if part not in enough)
        return cls(live.task, *aligned(live, candidate), about, enough, too_small)

    def ratios(self, task: TaskEvaluation) -> tuple[sp.csr_array, sp.csr_array]:
        """Numerator and denominator of each part's figure, row by row: shape (rows, parts).

        F1 is a ratio of sums over rows just as accuracy is: twice the hits, over times true plus times given.
        """
        outcomes, labels = task.outcomes, {label: at for at, label in enumerate(task.scored.labels)}
        hits, met = 2 * outcomes.truth.multiply(outcomes.given), outcomes.truth + outcomes.given
        right, every = outcomes.correct.astype(np.float32), np.arange(len(outcomes.correct))
        above, below = [], []
        for part in self.parts:
            if part.kind == "label":
                above.append(hits[:, [labels[part.name]]])
                below.append(met[:, [labels[part.name]]])
            else:
                inside = np.zeros((len(every), 1), np.float32)
                inside[task.languages[part.name] if part.kind == "language" else every] = 1
                above.append(sp.csr_array(inside * right[:, None]))
                below.append(sp.csr_array(inside))
        return sp.hstack(above, format="csr"), sp.hstack(below, format="csr")


def _chances(contests: Sequence[_Contest], seed: int) -> NDArray[np.float64]:
    """How often random swaps bring a loss as large as each part's, anywhere; in the order of the contests' parts."""
    contests = [contest for contest in contests if contest.parts]
    if not contests:
        return np.zeros(0)
    pairs = [(contest.ratios(contest.live), contest.ratios(contest.candidate)) for contest in contests]
    (above, below), (above_after, below_after) = (
        tuple(sp.block_diag([pair[which][end] for pair in pairs], format="csr") for end in (0, 1)) for which in (0, 1)
    )
    # All that is said about one matter is swapped at once, in all tasks: rows of a group are not independent.
    named = [contest.live.tickets[row].group for contest in contests for row in contest.live.in_scope.tolist()]
    group_of = np.unique(named, return_inverse=True)[1]
    gather = sp.csr_array((np.ones(len(group_of), np.float32), (group_of, np.arange(len(group_of)))))
    gained, grown = gather @ (above_after - above), gather @ (below_after - below)
    moving = np.flatnonzero(abs(gained).sum(axis=1) + abs(grown).sum(axis=1))
    gained, grown = gained[moving], grown[moving]
    sums = [np.asarray(matrix.sum(axis=0), np.float64) for matrix in (above, below, above_after, below_after)]

    def losses(swaps: NDArray[np.float32]) -> NDArray[np.float64]:
        shifted, resized = swaps @ gained, swaps @ grown
        lost: NDArray[np.float64] = (sums[0] + shifted) / (sums[1] + resized) - (sums[2] - shifted) / (
            sums[3] - resized
        )
        return lost

    generator = np.random.default_rng(seed)
    chance = np.concatenate(
        [losses(generator.integers(0, 2, (_CHUNK, len(moving))).astype(np.float32)) for _ in range(SWAPS // _CHUNK)]
    )
    spread = np.maximum(chance.std(axis=0), 1e-9)
    largest = np.sort((chance / spread).max(axis=1))
    observed = losses(np.zeros((1, len(moving)), np.float32))[0] / spread
    as_large = SWAPS - np.searchsorted(largest, observed - 1e-6)
    shares: NDArray[np.float64] = (1 + as_large) / (1 + SWAPS)
    return shares


def _reasons(worse: Sequence[_Part], about: TaskComparison) -> Iterator[str]:
    for label in about.only_a:
        yield f"label {label} is gone"
    for part in worse:
        if not (part.kind == "label" and part.name in about.only_a):
            yield _described(part, about)


def _described(part: _Part, about: TaskComparison) -> str:
    if part.kind == "label":
        figures = about.labels[part.name]
        others = ", ".join(f"{name} {_arrow(figures[name])}" for name in ("recall", "precision"))
        return f"label {part.name}: F1 {_change(figures['f1'], f' on {part.rows} rows ({others})')}"
    figures = about.figures if part.kind == "all" else about.languages[part.name]
    named = "all rows" if part.kind == "all" else f"language {part.name}"
    return f"{named}: accuracy {_change(figures['accuracy'], f' on {part.rows} rows')}"


def _change(difference: Difference, where: str = "") -> str:
    low, high = difference.interval or (np.nan, np.nan)
    return f"{_arrow(difference)}{where}, difference {difference.value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _arrow(difference: Difference) -> str:
    before, after = ("none" if end is None else f"{end:.3f}" for end in (difference.a, difference.b))
    return f"{before} -> {after}"


def _notes(too_small: Sequence[_Part], about: TaskComparison) -> Iterator[str]:
    for name, better in _WATCHED.items():
        difference = about.figures.get(name)
        if difference and difference.direction == -better:
            yield f"{name} got worse, {_change(difference)}"
    for kind in ("label", "language"):
        names = [part.name for part in too_small if part.kind == kind]
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield f"too few rows to judge {kind} {', '.join(names[:_NAMED])}{more}"
    if about.only_b:
        yield f"new labels: {', '.join(about.only_b)}"
