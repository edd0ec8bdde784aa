"""Linear machines into heads; a label without rows scores as if it were far away.

Support vector machines, each label against the others, or with few rows softmax regression, all against each other.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from models.features import FeatureScale
from models.heads import Head
from models.types import Vectors
from training.features import Numbers, TrainingTexts
from training.targets import Target

ABSENT = -1.5
"""The score of a label that no training row has; machines give about -1 to labels that do not fit."""
FEW = 1_500
"""Rows up to which softmax regression is learned in their place: it is right 0.5 to 2.5 points more often with 5 to 200
rows a label and takes up to seven times as long (`benchmarks/few_rows.py`)."""
_TOLERANCE = 0.01
_STEPS = 50
_APART = 0.1
_LOOSER = 20.0
"""How much larger C is for softmax regression."""
_OTHERS = -1
_PART = 20
"""Labels that one process learns at a time."""
_WORTH_SHARING = 100_000
"""Rows times labels from which other processes are worth starting."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How strictly a machine is regularised.

    Attributes:
        regularisation: C; smaller is stronger.
        balanced: whether rows of rare labels count more.
        softmax: whether labels are learned against each other; several labels a text never are.
    """

    regularisation: float
    balanced: bool = False
    softmax: bool = False


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
            machine = _machine(strength.regularisation, seed, "balanced" if strength.balanced else None)
            machine.fit(matrix, truth[:, label])
            weights[label], bias[label] = machine.coef_[0], machine.intercept_[0]
        bias[truth.all(axis=0)] = -ABSENT
    elif strength.softmax:
        _fit_together(matrix, truth.argmax(axis=1), weights, bias, strength)
    else:
        _fit_one_of_many(matrix, truth.argmax(axis=1), weights, bias, strength, seed)
    head = Head.from_weights(target.labels, weights, bias, vectors.shape[1])
    return replace(head, multi_label=target.multi_label)


def _fit_together(
    matrix: Any, numbers: Numbers, weights: NDArray[np.float64], bias: NDArray[np.float64], strength: Strength
) -> None:
    """Fill in weights and bias of the labels that rows have, on the scale of the other machines.

    There the own label of a learned row scores 1 and the others -1 in the mean: what stands behind heads, `ABSENT`
    above all, counts on it.
    """
    present = np.unique(numbers)
    if len(present) < 2:
        bias[present] = -ABSENT
        return
    columns = np.unique(matrix.indices)
    machine = LogisticRegression(
        C=_LOOSER * strength.regularisation, class_weight="balanced" if strength.balanced else None, max_iter=_STEPS
    )
    with warnings.catch_warnings():
        # Labels that can hardly be told apart would take hundreds of steps.
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(matrix[:, columns], numbers)
    scores = machine.decision_function(matrix[:, columns])
    if len(present) == 2:
        scores = np.stack([-scores, scores], axis=1)
        found, offsets = np.vstack([-machine.coef_, machine.coef_]), np.append(-machine.intercept_, machine.intercept_)
    else:
        found, offsets = machine.coef_, machine.intercept_
    own = np.zeros(scores.shape, bool)
    own[np.arange(len(numbers)), np.searchsorted(present, numbers)] = True
    low, high = scores[~own].mean(), scores[own].mean()
    # Where nothing tells the labels apart the two are the same.
    factor = 2 / max(high - low, _APART)
    weights[np.ix_(present, columns)] = factor * found
    bias[present] = factor * (offsets - low) - 1


def _fit_one_of_many(
    matrix: Any,
    numbers: Numbers,
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    strength: Strength,
    seed: int,
) -> None:
    """Fill in weights and bias of the labels that rows have; the labels are learned in parts, side by side."""
    present, counts = np.unique(numbers, return_counts=True)
    if len(present) < 2:
        bias[present] = -ABSENT
        return
    share = len(numbers) / (len(present) * counts) if strength.balanced else np.ones(len(present))
    weight = dict(zip(present.tolist(), share.tolist(), strict=True))
    parts = [present]
    if len(numbers) * len(present) > _WORTH_SHARING:
        # Parts of fixed size: what is learned must not depend on the number of processors.
        parts = [present[at : at + _PART] for at in range(0, len(present), _PART)]
    jobs = (delayed(_fit_part)(matrix, numbers, part, weight, strength.regularisation, seed) for part in parts)
    for part, (found, offsets) in zip(parts, Parallel(n_jobs=-1 if len(parts) > 1 else 1)(jobs), strict=True):
        weights[part], bias[part] = found, offsets


def _fit_part(
    matrix: Any, numbers: Numbers, part: Numbers, weight: Mapping[int, float], regularisation: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each label of `part` against the rows of all others."""
    wanted = np.isin(numbers, part)
    target = np.where(wanted, numbers, _OTHERS)
    own = {**{int(label): weight[int(label)] for label in part}, **({} if wanted.all() else {_OTHERS: 1.0})}
    machine = _machine(regularisation, seed, own).fit(matrix, target)
    if len(machine.classes_) == 2:
        both = np.vstack([-machine.coef_, machine.coef_]), np.concatenate([-machine.intercept_, machine.intercept_])
    else:
        both = machine.coef_, machine.intercept_
    rows = np.searchsorted(machine.classes_, part)
    return both[0][rows], both[1][rows]


def _machine(regularisation: float, seed: int, weight: Any) -> Any:
    return LinearSVC(C=regularisation, class_weight=weight, tol=_TOLERANCE, max_iter=200, random_state=seed)
