"""Scores into probabilities that mean something, and the confidence below which a label is not given."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
"""Shape (texts, labels)."""

NEVER = 1.01
"""A threshold that no confidence reaches: the label is never given."""

_PSEUDO_ROWS = 10.0
"""Rows of the whole task that each label's precision is mixed with, so that a rare label is not judged by luck."""


def probabilities(scores: Scores, sharpness: float) -> Scores:
    """Rows that sum to 1."""
    powers = np.exp((scores - scores.max(axis=1, keepdims=True)) * np.float32(sharpness))
    shares: Scores = powers / powers.sum(axis=1, keepdims=True)
    return shares


def chances(scores: Scores, sharpness: float) -> Scores:
    """Each label's own probability, whatever the others have: for tasks with several labels a text."""
    shares: Scores = 1 / (1 + np.exp(-np.clip(scores * np.float32(sharpness), -30, 30)))
    return shares


def fit_sharpness(scores: Scores, truth: NDArray[np.intp]) -> float:
    """The factor on held-out scores under which `truth` (label indices) is most likely (temperature scaling).

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", with the inverse of their temperature.
    """
    # Only training comes here, and these take longer to import than a message to read.
    from scipy.special import log_softmax

    rows = np.arange(len(truth))
    return _likeliest(lambda factor: -log_softmax(scores * factor, axis=1)[rows, truth].mean())


def fit_multi_label_sharpness(scores: Scores, truth: NDArray[np.bool_]) -> float:
    """The same for labels that are each true or not; `truth` has the shape of `scores`."""
    signed = np.where(truth, scores, -scores)
    return _likeliest(lambda factor: np.logaddexp(0, -signed * factor).mean())


def _likeliest(loss: Callable[[float], float]) -> float:
    from scipy.optimize import minimize_scalar

    return round(float(minimize_scalar(lambda f: float(loss(f)), bounds=(0.05, 50), method="bounded").x), 4)


def fit_offsets(scores: Scores, truth: NDArray[np.intp], sharpness: float, *, pull: float = 1.0) -> Scores:
    """What to add to each label's score so that held-out `truth` is likelier still (vector scaling with one factor).

    `pull` draws the offsets of rare labels to 0. Source: Guo et al. 2017, section 4.2. Shape (labels,).
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    rows, sharp = np.arange(len(truth)), scores.astype(np.float64) * sharpness
    counts = np.bincount(truth, minlength=scores.shape[1])

    def loss(offsets: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logs = log_softmax(sharp + offsets, axis=1)
        slope = np.exp(logs).sum(axis=0) - counts + pull * offsets
        return float(-logs[rows, truth].sum() + pull * (offsets**2).sum() / 2), slope

    found = minimize(loss, np.zeros(scores.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 50})
    offsets: Scores = (found.x / sharpness).astype(np.float32)
    return offsets


def abstention_thresholds(shares: Scores, truth: NDArray[np.intp], precision: float) -> NDArray[np.float64]:
    """For each label, the lowest confidence from which held-out rows given it are right at least this often.

    A label's own rows are mixed with a few of the whole task, whose precision is that at the same confidence. Shape
    (labels,).
    """
    guess = shares.argmax(axis=1)
    served = shares.max(axis=1).astype(np.float64).round(4)  # as predictions state it, and compare it with these
    right = guess == truth
    order = np.argsort(-served, kind="stable")
    prior = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    prior_at = np.empty(len(order))
    prior_at[order] = prior
    everywhere = _lowest(served[order], prior, precision)
    thresholds = np.full(shares.shape[1], everywhere)
    for label in np.unique(guess):
        mine = order[guess[order] == label]
        count = np.arange(1, len(mine) + 1)
        smooth = (np.cumsum(right[mine]) + _PSEUDO_ROWS * prior_at[mine]) / (count + _PSEUDO_ROWS)
        thresholds[label] = _lowest(served[mine], smooth, precision)
    return thresholds


def multi_label_thresholds(shares: Scores, truth: NDArray[np.bool_], precision: float) -> NDArray[np.float64]:
    """The same for labels that are each true or not; `truth` has the shape of `shares`."""
    served = shares.astype(np.float64).round(4)
    thresholds = np.empty(shares.shape[1])
    for label in range(shares.shape[1]):
        order = np.argsort(-served[:, label], kind="stable")
        count = np.arange(1, len(order) + 1)
        # Half a wrong row beforehand: one lucky row at the top is no proof of precision.
        share_right = np.cumsum(truth[order, label]) / (count + 0.5 * (1 - precision))
        thresholds[label] = _lowest(served[order, label], share_right, precision)
    return thresholds


def _lowest(served: NDArray[np.float64], share_right: NDArray[np.float64], precision: float) -> float:
    """The least of descending confidences down to which enough were right; equal ones are on one side of it."""
    last_of_equals = np.append(np.diff(served) != 0, True)
    good = np.flatnonzero((share_right >= precision) & last_of_equals)
    return float(served[good[-1]]) if len(good) else NEVER


def expected_calibration_error(confidence: NDArray[np.float32], correct: NDArray[np.bool_], bins: int = 15) -> float:
    """The mean gap between confidence and share of right predictions, over bins of equal width."""
    if not len(confidence):
        return 0.0
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(correct[inside].mean() - confidence[inside].mean()) * inside.mean()
        for at in range(bins)
        if (inside := bin_of == at).any()
    ]
    return float(sum(gaps))
