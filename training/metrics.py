"""How good predictions are, over all rows and by language; shares between 0 and 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from models.calibration import expected_calibration_error


def summary(
    truth: NDArray[np.intp], shares: NDArray[np.float32], threshold: float, languages: Sequence[str | None]
) -> dict[str, Any]:
    """Accuracy and macro-F1 without abstention; coverage and precision with it.

    Args:
        truth: label numbers, shape (rows,).
        shares: calibrated probabilities, shape (rows, labels).
    """
    guess, confidence = shares.argmax(axis=1), shares.max(axis=1)
    right, sure = guess == truth, confidence >= threshold
    by_language = {
        name: _rounded(right[rows].mean())
        for name in sorted({language for language in languages if language})
        if (rows := np.array([language == name for language in languages])).any()
    }
    return {
        "rows": len(truth),
        "accuracy": _rounded(right.mean()),
        "macro_f1": _rounded(f1_score(truth, guess, average="macro", zero_division=0)),
        "ece": _rounded(expected_calibration_error(confidence, right)),
        "coverage": _rounded(sure.mean()),
        "precision_when_sure": _rounded(right[sure].mean() if sure.any() else 1.0),
        "languages": {name: {"accuracy": value} for name, value in by_language.items()},
    }


def _rounded(value: float) -> float:
    return round(float(value), 4)
