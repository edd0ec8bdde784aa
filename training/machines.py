"""Linear support vector machines into heads; a label without rows scores as if it were far away."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from models.features import FeatureScale
from models.heads import Head
from models.types import Vectors
from training.features import Numbers, TrainingTexts
from training.targets import Target

ABSENT = -1.5
"""The score of a label that no training row has; machines give about -1 to labels that do not fit."""
_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Strength:
    """How strictly a machine is regularised.

    Attributes:
        regularisation: C; smaller is stronger.
        balanced: whether rows of rare labels count more.
    """

    regularisation: float
    balanced: bool = False


def fit_head(
    target: Target,
    inside: Numbers,
    texts: TrainingTexts,
    vectors: Vectors,
    scale: FeatureScale,
    strength: Strength,
    *,
    seed: int,
) -> Head:
    """A head for the rows `inside`, positions among the target's; not yet calibrated."""
    rows = target.rows[inside]
    lines = texts.with_copies(rows)
    matrix = scale.joined(vectors[lines], texts.counts[lines])
    position = np.zeros(texts.rows, np.intp)
    position[rows] = inside
    truth = target.truth[position[texts.row_of(lines)]]
    weights = np.zeros((len(target.labels), matrix.shape[1]))
    bias = np.full(len(target.labels), ABSENT)
    if target.multi_label:
        for label in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0)):
            machine = _machine(strength, seed).fit(matrix, truth[:, label])
            weights[label], bias[label] = machine.coef_[0], machine.intercept_[0]
        bias[truth.all(axis=0)] = -ABSENT
    else:
        _fit_one_of_many(matrix, truth.argmax(axis=1), weights, bias, _machine(strength, seed))
    head = Head.from_weights(target.labels, weights, bias, vectors.shape[1])
    return replace(head, multi_label=target.multi_label)


def _fit_one_of_many(
    matrix: Any, numbers: Numbers, weights: NDArray[np.float64], bias: NDArray[np.float64], machine: Any
) -> None:
    present = np.unique(numbers)
    if len(present) < 2:
        bias[present] = -ABSENT
        return
    machine.fit(matrix, numbers)
    if len(present) == 2:
        weights[present] = np.vstack([-machine.coef_, machine.coef_])
        bias[present] = np.concatenate([-machine.intercept_, machine.intercept_])
    else:
        weights[present], bias[present] = machine.coef_, machine.intercept_


def _machine(strength: Strength, seed: int) -> Any:
    weight = "balanced" if strength.balanced else None
    return LinearSVC(C=strength.regularisation, class_weight=weight, tol=_TOLERANCE, max_iter=200, random_state=seed)
