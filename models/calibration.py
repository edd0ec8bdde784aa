"""Scores into probabilities that mean something, and the confidence below which a head abstains."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
"""Shape (texts, labels)."""

NEVER = 1.01
"""A threshold that no confidence reaches: the head always abstains."""


def probabilities(scores: Scores, sharpness: float) -> Scores:
    """Rows that sum to 1."""
    powers = np.exp((scores - scores.max(axis=1, keepdims=True)) * np.float32(sharpness))
    shares: Scores = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_sharpness(scores: Scores, truth: NDArray[np.intp]) -> float:
    """The factor on held-out scores under which `truth` (label indices) is most likely (temperature scaling).

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", with the inverse of their temperature.
    """
    # Only training comes here, and these take longer to import than a message to read.
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows = np.arange(len(truth))

    def loss(factor: float) -> float:
        return float(-log_softmax(scores * factor, axis=1)[rows, truth].mean())

    return round(float(minimize_scalar(loss, bounds=(0.05, 50), method="bounded").x), 4)


def abstention_threshold(confidence: NDArray[np.float32], correct: NDArray[np.bool_], precision: float) -> float:
    """The lowest confidence such that held-out predictions at or above it are right at least this often."""
    served = np.round(confidence.astype(np.float64), 4)  # as predictions state it, and compare it with the threshold
    order = np.argsort(-served, kind="stable")
    share_right = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # Equal confidences are on one side of any threshold.
    last_of_equals = np.append(np.diff(served[order]) != 0, True)
    good = np.flatnonzero((share_right >= precision) & last_of_equals)
    return float(served[order[good[-1]]]) if len(good) else NEVER


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
