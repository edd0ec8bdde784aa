"""How far a text is from everything that a task was trained on: a score of its own beside the probabilities.

A softmax must share out its whole, so that a text about nothing known can still get a confident label. This score
reads what softmax throws away: how strong the best score is at all, and how near the closest label's mean vector is.
On CLINC150 the two together found more than either alone or any of the usual distances (`benchmarks/LOG.md`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.types import Vectors

TRAITS = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """
    Attributes:
        means: float32, shape (dimension, labels): the mean dense feature of each label, of length 1.
        weights: float32, shape (TRAITS,).
        bias: what the weighted traits are added to.
        threshold: the score from which a text counts as out of scope; a chosen share of known texts lies above it.
    """

    means: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: float
    threshold: float

    def score(self, traits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shape (texts,), between 0 for what is known and 1 for what is not; of `traits`, shape (texts, TRAITS)."""
        evidence = traits @ self.weights + np.float32(self.bias)
        shares: NDArray[np.float32] = 1 / (1 + np.exp(-np.clip(evidence, -30, 30)))
        return shares

    def exceeded(self, out_of_scope: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Where a text counts as out of scope; compared as predictions state it, in four digits."""
        above: NDArray[np.bool_] = out_of_scope.astype(np.float64).round(4) >= self.threshold
        return above


def label_means(dense: Vectors, numbers: NDArray[np.intp], labels: int) -> NDArray[np.float32]:
    """The mean of each label's rows, of length 1, shape (dimension, labels); zeros for a label without rows.

    Rounded as a bundle stores it, so that a scope is fitted on exactly what it will be served.
    """
    sums = np.zeros((labels, dense.shape[1]))
    np.add.at(sums, numbers, dense)
    means: Any = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    rounded: NDArray[np.float32] = means.T.astype(np.float16).astype(np.float32)
    return rounded


def traits_of(dense: Vectors, scores: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a scope weighs: the best score and the nearest mean, shape (texts, TRAITS).

    Args:
        dense: dense features, shape (texts, dimension).
        scores: a head's uncalibrated scores, shape (texts, labels).
    """
    return np.stack([scores.max(axis=1), (dense @ means).max(axis=1)], axis=1).astype(np.float32)
