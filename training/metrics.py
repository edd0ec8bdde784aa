"""Figures on predictions, each a function of row weights: weights of one give the figure, resampled ones its interval.

Shares lie between 0 and 1. What has nothing to be computed from, like the recall of a label without a row, is NaN here
and null in JSON. `docs/evaluation.md` says what each figure means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.types import Scored

BINS = 15
FALSE_ALARMS = 0.02
"""The share of messages in scope that may be taken for out of scope where recall of the others is stated."""

LIKELY = 0.5
"""The probability from which a label counts as given where a row can have several and thresholds do not apply."""

Weights = NDArray[np.float32]
"""Shape (samples, rows): how often each row counts in each sample."""
Figures = dict[str, NDArray[np.floating]]
"""Of each sample, shape (samples,), or of each label too, shape (samples, labels)."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What was true of each row, what was said of it, and what of that reached its threshold.

    Attributes:
        truth, given, sure: bool, shape (rows, labels), sparse: a row has one label or a few among hundreds. `given` is
            the best label of each row, or every label likelier than not where a row can have several.
        claimed, right: shape (rows, BINS): the summed confidence of what is said with a confidence in that bin, and
            how much of it is right; of the best label, or of every label where a row can have several.
    """

    truth: sp.csr_array
    given: sp.csr_array
    sure: sp.csr_array
    claimed: NDArray[np.float32]
    right: NDArray[np.float32]
    multi_label: bool

    @classmethod
    def of(cls, truth: NDArray[np.bool_], scored: Scored) -> "Outcomes":
        """`truth` has shape (rows, labels), in the order of `scored.labels`."""
        confidence, right = claims(truth, scored)
        bin_of = bins(confidence) + np.arange(len(truth))[:, None] * BINS
        claimed, correct = (
            np.bincount(bin_of.ravel(), value.ravel(), len(truth) * BINS).reshape(-1, BINS).astype(np.float32)
            for value in (confidence, right)
        )
        sparse = [sp.csr_array(matrix.astype(np.float32)) for matrix in (truth, given_labels(scored), scored.chosen)]
        return cls(sparse[0], sparse[1], sparse[2], claimed, correct, scored.multi_label)

    def take(self, rows: NDArray[np.intp]) -> "Outcomes":
        """The outcomes of some rows."""
        return replace(
            self,
            truth=self.truth[rows],
            given=self.given[rows],
            sure=self.sure[rows],
            claimed=self.claimed[rows],
            right=self.right[rows],
        )

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Shape (rows,): whether exactly the true labels are given."""
        return np.asarray((self.truth != self.given).sum(axis=1) == 0)


def given_labels(scored: Scored) -> NDArray[np.bool_]:
    """What a head says when it may not abstain, shape (rows, labels)."""
    if scored.multi_label:
        return scored.shares >= LIKELY
    given = np.zeros(scored.shares.shape, bool)
    given[np.arange(len(given)), scored.shares.argmax(axis=1)] = True
    return given


def claims(truth: NDArray[np.bool_], scored: Scored) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Each confidence that is stated and whether it is about something true.

    Shape (rows, 1), of the best label; or (rows, labels), of every label, where a row can have several.
    """
    if scored.multi_label:
        return scored.shares, truth
    best = scored.shares.argmax(axis=1)[:, None]
    return np.take_along_axis(scored.shares, best, 1), np.take_along_axis(truth, best, 1)


def bins(confidence: NDArray[np.float32]) -> NDArray[np.intp]:
    """Which of `BINS` bins of equal width each confidence is in."""
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def confusion(outcomes: Outcomes) -> NDArray[np.intp]:
    """Rows by true label (down) and given label (across), shape (labels, labels).

    Where a row can have several labels, it counts for each pair of one that it lacks and one that it should not have.
    """
    hits = _both(outcomes.truth, outcomes.given)
    pairs = (outcomes.truth - hits).T @ (outcomes.given - hits)
    counts: NDArray[np.intp] = np.rint(pairs.toarray()).astype(np.intp)
    np.fill_diagonal(counts, np.asarray(hits.sum(axis=0)).astype(np.intp))
    return counts


def overall_figures(outcomes: Outcomes, weights: Weights) -> Figures:
    """Accuracy, macro averages and calibration without abstention; coverage and precision with it."""
    total = weights.sum(axis=1)
    support, given, hits = _counts(outcomes, weights)
    met = support + given > 0
    sure = weights @ (outcomes.sure.sum(axis=1) > 0)
    gaps = np.abs(weights @ outcomes.right - weights @ outcomes.claimed).sum(axis=1)
    pairs = total * (outcomes.truth.shape[1] if outcomes.multi_label else 1)
    figures: Figures = {
        "accuracy": _share(weights @ outcomes.correct, total),
        "macro_precision": _macro(_share(hits, given), met),
        "macro_recall": _macro(_share(hits, support), met),
        "macro_f1": _macro(_share(2 * hits, support + given), met),
        "ece": _share(gaps, pairs),
        "coverage": _share(sure, total),
        "precision_when_sure": _share(
            weights @ _both(outcomes.truth, outcomes.sure).sum(axis=1), weights @ outcomes.sure.sum(axis=1)
        ),
    }
    if outcomes.multi_label:
        figures["micro_f1"] = _share(2 * hits.sum(axis=1), (support + given).sum(axis=1))
    return figures


def label_figures(outcomes: Outcomes, weights: Weights) -> Figures:
    """Precision, recall and F1 without abstention; coverage, of the times a label is given, and precision with it."""
    support, given, hits = _counts(outcomes, weights)
    sure = weights @ outcomes.sure
    return {
        "precision": _share(hits, given),
        "recall": _share(hits, support),
        "f1": _share(2 * hits, support + given),
        "coverage": _share(sure, given),
        "precision_when_sure": _share(weights @ _both(outcomes.truth, outcomes.sure), sure),
    }


def detection_figures(scores: NDArray[np.float32], outside: NDArray[np.bool_], weights: Weights) -> Figures:
    """How well `scores` tell the rows `outside` from the others; equal scores count as half a success.

    `recall_at_2_percent` is the share of them that is found when at most 2 % of the others are false alarms.
    """
    order = np.argsort(-scores, kind="stable")
    # Equal scores are on one side of any threshold.
    starts = np.flatnonzero(np.append(True, np.diff(scores[order]) != 0)) if len(order) else np.zeros(0, np.intp)
    found, alarms = (
        np.add.reduceat(weights[:, order] * side[order], starts, axis=1, dtype=np.float64)
        for side in (outside, ~outside)
    )
    found_so_far, alarms_so_far = found.cumsum(axis=1), alarms.cumsum(axis=1)
    total, others = found_so_far[:, -1], alarms_so_far[:, -1]
    area = (found * (others[:, None] - alarms_so_far + alarms / 2)).sum(axis=1)
    allowed = alarms_so_far <= FALSE_ALARMS * others[:, None]
    recall = _share(np.where(allowed, found_so_far, 0).max(axis=1), total)
    return {"auroc": _share(area, total * others), "recall_at_2_percent": np.where(others > 0, recall, np.nan)}


def precision_by_coverage(
    confidence: NDArray[np.float32], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coverage and precision at every distinct confidence, from the highest down."""
    order = np.argsort(-confidence, kind="stable")
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    answered = np.arange(1, len(order) + 1)
    precision = np.cumsum(right[order]) / answered
    return answered[last_of_equals] / len(order), precision[last_of_equals]


def summary(truth: NDArray[np.bool_], scored: Scored, languages: Sequence[str | None]) -> dict[str, Any]:
    """Accuracy and macro-F1 without abstention; coverage and precision with it; accuracy by language.

    Args:
        truth: shape (rows, labels).
        languages: of each row.
    """
    outcomes = Outcomes.of(truth, scored)
    figures = overall_figures(outcomes, np.ones((1, len(truth)), np.float32))
    wanted = ("accuracy", "macro_f1", "ece", "coverage", "precision_when_sure")
    named = np.array([language or "" for language in languages])
    by_language = {str(name): outcomes.correct[named == name].mean() for name in np.unique(named) if name}
    return {
        "rows": len(truth),
        # A head that is never sure is never wrong when it is.
        **{name: _rounded(np.nan_to_num(figures[name][0], nan=1.0)) for name in wanted},
        "languages": {name: {"accuracy": _rounded(value)} for name, value in by_language.items()},
    }


def _counts(outcomes: Outcomes, weights: Weights) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Support, times given, and true positives of each label, shape (samples, labels)."""
    hits = _both(outcomes.truth, outcomes.given)
    return weights @ outcomes.truth, weights @ outcomes.given, weights @ hits


def _both(one: sp.csr_array, other: sp.csr_array) -> sp.csr_array:
    return one.multiply(other).tocsr()


def _share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    shares = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def _macro(figures: NDArray[np.float64], met: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean over labels that are true or given somewhere, undefined ones as 0: scikit-learn's macro average."""
    return _share(np.where(met, np.nan_to_num(figures), 0).sum(axis=1), met.sum(axis=1))


def _rounded(value: float) -> float:
    return round(float(value), 4)
