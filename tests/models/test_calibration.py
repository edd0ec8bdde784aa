"""Confidence that means what it says, and thresholds that hold what they promise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.calibration import (
    NEVER,
    abstention_threshold,
    expected_calibration_error,
    fit_sharpness,
    probabilities,
)


def _drawn(sharpness: float, *, texts: int = 4000, labels: int = 6) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Scores, and labels that really follow the probabilities which this sharpness makes of them."""
    draw = np.random.default_rng(13)
    scores = draw.normal(size=(texts, labels)).astype(np.float32)
    shares = probabilities(scores, sharpness)
    truth = (shares.cumsum(axis=1) < draw.uniform(size=(texts, 1))).sum(axis=1)
    return scores, np.minimum(truth, labels - 1)


def test_probabilities_sum_to_one_and_keep_the_order() -> None:
    scores = np.array([[2.0, -1.0, 0.5], [0, 0, 0], [-400, 900, 900]], np.float32)
    shares = probabilities(scores, 3.0)
    assert shares.sum(axis=1) == pytest.approx([1, 1, 1])
    assert shares[0].argsort().tolist() == scores[0].argsort().tolist()
    assert shares[1].tolist() == pytest.approx([1 / 3] * 3)
    assert shares[2].tolist() == pytest.approx([0, 0.5, 0.5])


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 5.0])
def test_sharpness_is_found_again_and_calibrates(sharpness: float) -> None:
    scores, truth = _drawn(sharpness)
    found = fit_sharpness(scores, truth)
    assert found == pytest.approx(sharpness, rel=0.1)

    def error(factor: float) -> float:
        shares = probabilities(scores, factor)
        return expected_calibration_error(shares.max(axis=1), shares.argmax(axis=1) == truth)

    assert error(found) < 0.03
    assert error(found) < min(error(sharpness * 3), error(sharpness / 3)) / 2


@pytest.mark.parametrize("precision", [0.5, 0.8, 0.9, 0.99, 1.0])
def test_at_or_above_the_threshold_predictions_are_right_as_often_as_promised(precision: float) -> None:
    for seed in range(20):
        draw = np.random.default_rng(seed)
        confidence = draw.uniform(size=300).astype(np.float32)
        # Emoji and copied texts are scored alike, so that many confidences are equal.
        confidence[:150] = draw.choice(confidence[150:170], 150)
        correct = draw.uniform(size=300) < confidence
        threshold = abstention_threshold(confidence, correct, precision)
        served = np.round(confidence.astype(np.float64), 4)
        sure = served >= threshold
        assert not sure.any() or correct[sure].mean() >= precision
        lower = np.unique(served[~sure])
        assert all(correct[served >= value].mean() < precision for value in lower)


def test_where_no_threshold_keeps_the_promise_the_head_always_abstains() -> None:
    confidence = np.array([0.99, 0.9, 0.9, 0.3], np.float32)
    assert abstention_threshold(confidence, np.array([False, True, False, False]), 0.9) == NEVER
    assert abstention_threshold(confidence[1:3], np.array([True, False]), 0.9) == NEVER
    assert NEVER > 1


def test_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    sure = np.full(100, 0.8, np.float32)
    assert expected_calibration_error(sure, np.arange(100) < 80) == pytest.approx(0, abs=1e-6)
    assert expected_calibration_error(sure, np.arange(100) < 50) == pytest.approx(0.3, abs=1e-6)
    mixed = np.array([1.0, 1.0, 0.2, 0.2], np.float32)
    assert expected_calibration_error(mixed, np.array([True, False, False, False])) == pytest.approx(0.35, abs=1e-6)
    assert expected_calibration_error(np.zeros(0, np.float32), np.zeros(0, np.bool_)) == 0
