"""One linear head per task over dense and lexical features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.calibration import chances, probabilities
from models.scope import Scope, traits_of
from models.types import Prediction, Score, Scored, Vectors


@dataclass(frozen=True, slots=True)
class Head:
    """A trained task.

    Attributes:
        labels: the label of each column.
        dense: float32, shape (dimension, labels).
        lexical: float32, shape (buckets, labels), on the grid of 255 steps a column that `pack` stores.
        bias: float32, shape (labels,).
        sharpness: the calibrated factor on scores before they become probabilities.
        thresholds: float64, shape (labels,): the confidence below which each label is not given.
        scope: what tells texts about none of the labels; None for a task too small to learn it.
        multi_label: any number of labels a text, each with a probability of its own.
    """

    labels: tuple[str, ...]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    bias: NDArray[np.float32]
    sharpness: float
    thresholds: NDArray[np.float64]
    scope: Scope | None = None
    multi_label: bool = False

    @classmethod
    def from_weights(
        cls, labels: Sequence[str], weights: NDArray[np.float64], bias: NDArray[np.float64], dimension: int
    ) -> "Head":
        """Pack `weights` of shape (labels, dimension + buckets) as they will be stored; not yet calibrated."""
        dense = weights[:, :dimension].T.astype(np.float16).astype(np.float32)
        lexical = unpack(*pack(weights[:, dimension:].T))
        return cls(tuple(labels), dense, lexical, bias.astype(np.float32), 1.0, np.zeros(len(labels)))

    def scores(self, dense: Vectors, lexical: sp.csr_matrix) -> NDArray[np.float32]:
        """Uncalibrated scores, shape (texts, labels)."""
        total: NDArray[np.float32] = dense @ self.dense + lexical @ self.lexical + self.bias
        return total

    def score(self, dense: Vectors, lexical: sp.csr_matrix) -> Scored:
        scores = self.scores(dense, lexical)
        if self.scope is None:
            return self.scored(scores, np.zeros(len(scores), np.float32))
        return self.scored(scores, self.scope.score(traits_of(dense, scores, self.scope.means)))

    def scored(self, scores: NDArray[np.float32], out_of_scope: NDArray[np.float32]) -> Scored:
        """Probabilities of scores, and what reaches its threshold."""
        shares = (chances if self.multi_label else probabilities)(scores, self.sharpness)
        # Compared as predictions state it: a threshold is one of the confidences that were seen.
        chosen = shares.astype(np.float64).round(4) >= self.thresholds
        if not self.multi_label:
            best = np.zeros_like(chosen)
            best[np.arange(len(shares)), shares.argmax(axis=1)] = True
            chosen &= best
        if self.scope is not None:
            chosen &= ~self.scope.exceeded(out_of_scope)[:, None]
        return Scored(self.labels, shares, out_of_scope, chosen, self.multi_label)

    def predict(self, dense: Vectors, lexical: sp.csr_matrix) -> list[Prediction]:
        scored = self.score(dense, lexical)
        # Ranked before they are rounded: the first is then the same label that an evaluation counts.
        order = np.argsort(-scored.shares, axis=1, kind="stable")
        shares = scored.shares.astype(np.float64).round(4)
        ranked = np.take_along_axis(shares, order, axis=1).tolist()
        given = np.take_along_axis(scored.chosen, order, axis=1).tolist()
        foreign = scored.out_of_scope.astype(np.float64).round(4).tolist()
        return [self._prediction(*row) for row in zip(ranked, order.tolist(), given, foreign, strict=True)]

    def _prediction(self, shares: list[float], ranks: list[int], given: list[bool], foreign: float) -> Prediction:
        names = [self.labels[at] for at in ranks]
        labels = tuple(name for name, yes in zip(names, given, strict=True) if yes) if self.multi_label else ()
        return Prediction(names[0], shares[0], not any(given), tuple(map(Score, names, shares)), labels, foreign)


def pack(lexical: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Eight bits a weight and a float32 scale a column: 180 labels stay under 6 MB and no measured decision changes."""
    # In float64 one scale in 130 would come out a bit off when what `unpack` gave is packed again.
    narrow = lexical.astype(np.float32)
    scale = np.maximum(np.abs(narrow).max(axis=0), np.float32(1e-9)) / np.float32(127)
    return np.rint(narrow / scale).astype(np.int8), scale


def unpack(packed: NDArray[np.int8], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    return packed.astype(np.float32) * scale
