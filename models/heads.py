"""One linear head per task over dense and lexical features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.calibration import probabilities
from models.types import Prediction, Score, Scored, Vectors


@dataclass(frozen=True, slots=True)
class Head:
    """A trained task.

    Attributes:
        labels: the label of each column.
        dense: float32, shape (dimension, labels).
        lexical: float32, shape (buckets, labels), on the grid of 255 steps a column that `pack` stores.
        bias: float32, shape (labels,).
        sharpness: the calibrated factor on scores before softmax.
        threshold: the confidence below which the head abstains.
    """

    labels: tuple[str, ...]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    bias: NDArray[np.float32]
    sharpness: float
    threshold: float

    @classmethod
    def from_weights(
        cls, labels: Sequence[str], weights: NDArray[np.float64], bias: NDArray[np.float64], dimension: int
    ) -> "Head":
        """Pack `weights` of shape (labels, dimension + buckets) as they will be stored; not yet calibrated."""
        dense = weights[:, :dimension].T.astype(np.float16).astype(np.float32)
        lexical = unpack(*pack(weights[:, dimension:].T))
        return cls(tuple(labels), dense, lexical, bias.astype(np.float32), 1.0, 0.0)

    def scores(self, dense: Vectors, lexical: sp.csr_matrix) -> NDArray[np.float32]:
        """Uncalibrated scores, shape (texts, labels)."""
        total: NDArray[np.float32] = dense @ self.dense + lexical @ self.lexical + self.bias
        return total

    def score(self, dense: Vectors, lexical: sp.csr_matrix) -> Scored:
        shares = probabilities(self.scores(dense, lexical), self.sharpness)
        best = shares.argmax(axis=1)
        chosen = np.zeros(shares.shape, bool)
        rows = np.arange(len(shares))
        chosen[rows, best] = shares[rows, best].astype(np.float64).round(4) >= self.threshold
        return Scored(self.labels, shares, np.zeros(len(shares), np.float32), chosen)

    def predict(self, dense: Vectors, lexical: sp.csr_matrix) -> list[Prediction]:
        shares = probabilities(self.scores(dense, lexical), self.sharpness).astype(np.float64).round(4)
        order = np.argsort(-shares, axis=1, kind="stable")
        ranked = np.take_along_axis(shares, order, axis=1).tolist()
        return [self._prediction(row, ranks) for row, ranks in zip(ranked, order.tolist(), strict=True)]

    def _prediction(self, shares: list[float], ranks: list[int]) -> Prediction:
        ranking = tuple(map(Score, [self.labels[at] for at in ranks], shares))
        return Prediction(ranking[0].label, shares[0], shares[0] < self.threshold, ranking)


def pack(lexical: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Eight bits a weight and a float32 scale a column: 180 labels stay under 6 MB and no measured decision changes."""
    # In float64 one scale in 130 would come out a bit off when what `unpack` gave is packed again.
    narrow = lexical.astype(np.float32)
    scale = np.maximum(np.abs(narrow).max(axis=0), np.float32(1e-9)) / np.float32(127)
    return np.rint(narrow / scale).astype(np.int8), scale


def unpack(packed: NDArray[np.int8], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    return packed.astype(np.float32) * scale
