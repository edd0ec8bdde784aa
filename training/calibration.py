"""How a head's scores become probabilities and decisions, fitted on rows that it did not see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.calibration import (
    abstention_thresholds,
    chances,
    fit_multi_label_sharpness,
    fit_offsets,
    fit_sharpness,
    multi_label_thresholds,
    probabilities,
)

_ROWS_FOR_OFFSETS = 10
"""Held-out rows for each label from which an offset for each is tried."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """
    Attributes:
        offsets: what is added to each label's score before `sharpness`, shape (labels,).
        thresholds: shape (labels,).
    """

    sharpness: float
    offsets: NDArray[np.float32]
    thresholds: NDArray[np.float64]


def calibrate(
    scores: NDArray[np.float32], truth: NDArray[np.bool_], *, multi_label: bool, precision: float
) -> Calibration:
    """Temperature scaling, with an offset for each label where that makes held-out rows likelier.

    Args:
        scores: of held-out rows, shape (rows, labels).
        truth: of the same shape.
        precision: what the thresholds hold.
    """
    none = np.zeros(scores.shape[1], np.float32)
    if multi_label:
        sharpness = fit_multi_label_sharpness(scores, truth)
        return Calibration(sharpness, none, multi_label_thresholds(chances(scores, sharpness), truth, precision))
    numbers = truth.argmax(axis=1)
    offsets = none
    if len(scores) >= _ROWS_FOR_OFFSETS * scores.shape[1] and _loss(scores, numbers, True) < _loss(
        scores, numbers, False
    ):
        offsets = fit_offsets(scores, numbers, fit_sharpness(scores, numbers))
    sharpness = fit_sharpness(scores + offsets, numbers)
    shares = probabilities(scores + offsets, sharpness)
    return Calibration(sharpness, offsets, abstention_thresholds(shares, numbers, precision))


def _loss(scores: NDArray[np.float32], numbers: NDArray[np.intp], with_offsets: bool) -> float:
    """The mean log loss of either half of the rows under what was fitted on the other."""
    total = 0.0
    for half in (0, 1):
        fitted, scored = np.arange(half, len(scores), 2), np.arange(1 - half, len(scores), 2)
        sharpness = fit_sharpness(scores[fitted], numbers[fitted])
        offsets = fit_offsets(scores[fitted], numbers[fitted], sharpness) if with_offsets else np.float32(0)
        shares = probabilities(scores[scored] + offsets, sharpness)
        total -= float(np.log(np.maximum(shares[np.arange(len(scored)), numbers[scored]], 1e-9)).sum())
    return total / len(scores)
