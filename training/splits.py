"""Folds that keep groups together and labels spread, the same for the same seed."""

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row numbers to train on, and to score."""


def grouped_folds(labels: Sequence[str], groups: Sequence[str], *, folds: int, seed: int) -> list[Fold]:
    """Folds over rows; fewer than asked for when there are fewer groups, or fewer rows of the commonest label."""
    commonest = max(Counter(labels).values())
    count = min(folds, len(set(groups)), commonest)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A label rarer than the folds cannot be spread over all of them; it is scored where it falls.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(np.zeros(len(labels)), np.array(labels), np.array(groups)))
