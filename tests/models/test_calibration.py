"""Confidence that means what it says, and thresholds that hold what they promise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.calibration import (
    NEVER,
    abstention_thresholds,
    chances,
    expected_calibration_error,
    fit_multi_label_sharpness,
    fit_offsets,
    fit_sharpness,
    multi_label_thresholds,
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


def _of_two(
    confidence: NDArray[np.float32], correct: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Shares and truth of rows that are all given the first of two labels, with these confidences."""
    return np.stack([confidence, 0.4 * confidence], axis=1), np.where(correct, 0, 1)


@pytest.mark.parametrize("precision", [0.5, 0.8, 0.9, 0.99])
def test_at_or_above_the_threshold_predictions_are_right_as_often_as_promised(precision: float) -> None:
    for seed in range(20):
        draw = np.random.default_rng(seed)
        confidence = draw.uniform(size=300).astype(np.float32)
        # Emoji and copied texts are scored alike, so that many confidences are equal.
        confidence[:150] = draw.choice(confidence[150:170], 150)
        correct = draw.uniform(size=300) < confidence
        threshold = abstention_thresholds(*_of_two(confidence, correct), precision)[0]
        served = np.round(confidence.astype(np.float64), 4)
        sure = served >= threshold
        assert not sure.any() or correct[sure].mean() >= precision
        lower = np.unique(served[~sure])
        assert all(correct[served >= value].mean() < precision for value in lower)


def test_where_no_threshold_keeps_the_promise_the_label_is_never_given() -> None:
    confidence = np.array([0.99, 0.9, 0.9, 0.3], np.float32)
    assert abstention_thresholds(*_of_two(confidence, np.array([False, True, False, False])), 0.9)[0] == NEVER
    assert abstention_thresholds(*_of_two(confidence[1:3], np.array([True, False])), 0.9)[0] == NEVER
    assert NEVER > 1


def test_a_label_that_is_often_wrong_gets_a_higher_threshold_than_one_that_is_not() -> None:
    draw = np.random.default_rng(13)
    confidence = draw.uniform(0.5, 1, size=4000)
    label = np.arange(4000) % 2
    shares = np.where(label[:, None] == [0, 1], confidence[:, None], 1 - confidence[:, None]).astype(np.float32)
    right = draw.uniform(size=4000) < np.where(label == 0, 0.97, confidence - 0.1)
    easy, hard = abstention_thresholds(shares, np.where(right, label, 1 - label), 0.9)
    assert easy < 0.6 < 0.9 < hard


def test_a_rare_label_is_not_judged_by_luck() -> None:
    draw = np.random.default_rng(13)
    label = np.where(np.arange(2000) < 3, 2, np.arange(2000) % 2)
    confidence = np.where(label == 2, 0.5, draw.uniform(0.4, 1, 2000))
    shares = np.full((2000, 3), 0.1, np.float32)
    shares[np.arange(2000), label] = confidence
    right = (label == 2) | (draw.uniform(size=2000) < confidence)
    thresholds = abstention_thresholds(shares, np.where(right, label, (label + 1) % 2), 0.9)
    # Its three rows were right, but others of this confidence are right every second time.
    assert thresholds[2] == NEVER


def test_offsets_find_a_label_that_is_scored_too_high() -> None:
    scores, truth = _drawn(2.0)
    crooked = scores + np.array([0, 0, 0.7, 0, 0, 0], np.float32)
    offsets = fit_offsets(crooked, truth, fit_sharpness(crooked, truth))
    assert int(offsets.argmin()) == 2
    assert offsets[2] - np.delete(offsets, 2).mean() == pytest.approx(-0.7, abs=0.15)


def test_each_of_several_labels_has_a_probability_and_a_threshold_of_its_own() -> None:
    draw = np.random.default_rng(13)
    scores = draw.normal(size=(5000, 3)).astype(np.float32)
    truth = draw.uniform(size=scores.shape) < chances(scores, 3.0)
    assert fit_multi_label_sharpness(scores, truth) == pytest.approx(3.0, rel=0.1)
    truth[:, 2] = False
    thresholds = multi_label_thresholds(chances(scores, 3.0), truth, 0.9)
    given = chances(scores, 3.0).astype(np.float64).round(4) >= thresholds
    assert all(truth[given[:, at], at].mean() >= 0.9 for at in (0, 1))
    assert thresholds[2] == NEVER


def test_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    sure = np.full(100, 0.8, np.float32)
    assert expected_calibration_error(sure, np.arange(100) < 80) == pytest.approx(0, abs=1e-6)
    assert expected_calibration_error(sure, np.arange(100) < 50) == pytest.approx(0.3, abs=1e-6)
    mixed = np.array([1.0, 1.0, 0.2, 0.2], np.float32)
    assert expected_calibration_error(mixed, np.array([True, False, False, False])) == pytest.approx(0.35, abs=1e-6)
    assert expected_calibration_error(np.zeros(0, np.float32), np.zeros(0, np.bool_)) == 0
