"""Figures agree with their definitions, with scikit-learn, and with what resampling promises."""

import time
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from models.calibration import expected_calibration_error
from models.types import Scored
from tests.training.evaluations import several
from training.bootstrap import interval, resampled
from training.metrics import (
    Outcomes,
    confusion,
    detection_figures,
    label_figures,
    overall_figures,
    precision_by_coverage,
)


def _once(rows: int) -> Any:
    return np.ones((1, rows), np.float32)


def _guesses(rows: int, labels: int, seed: int = 0) -> tuple[np.ndarray, Scored]:
    """Label numbers, and a head that is right about two times in three; one label is never true, one never said."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(1, labels, rows)
    shares = generator.random((rows, labels)).astype(np.float32)
    shares[np.arange(rows), truth] += generator.random(rows).astype(np.float32)
    shares[:, labels - 1] = 0
    shares /= shares.sum(axis=1, keepdims=True)
    chosen = (shares == shares.max(axis=1, keepdims=True)) & (shares > np.median(shares.max(axis=1)))
    names = tuple(f"nhãn {at}" for at in range(labels))
    return truth, Scored(names, shares, generator.random(rows).astype(np.float32), chosen)


def _true(truth: np.ndarray, labels: int) -> Any:
    return np.eye(labels, dtype=bool)[truth]


def test_figures_are_those_of_scikit_learn() -> None:
    truth, scored = _guesses(700, 20)
    given = scored.shares.argmax(axis=1)
    outcomes = Outcomes.of(_true(truth, 20), scored)
    figures = {name: values[0] for name, values in overall_figures(outcomes, _once(700)).items()}
    macro = precision_recall_fscore_support(truth, given, average="macro", zero_division=0)
    assert figures["accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert [figures[f"macro_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(macro[:3], abs=1e-6)
    confidence, right = scored.shares.max(axis=1), given == truth
    assert figures["ece"] == pytest.approx(expected_calibration_error(confidence, right), abs=1e-6)
    sure = scored.chosen.any(axis=1)
    assert figures["coverage"] == pytest.approx(sure.mean())
    assert figures["precision_when_sure"] == pytest.approx(right[sure].mean())
    by_label = label_figures(outcomes, _once(700))
    known = precision_recall_fscore_support(truth, given, labels=range(20), zero_division=np.nan)
    for name, expected in zip(("precision", "recall", "f1"), known, strict=False):
        assert by_label[name][0] == pytest.approx(expected, abs=1e-6, nan_ok=True), name


def test_several_labels_a_row_are_counted_like_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    truth, shares = generator.random((300, 8)) < 0.3, generator.random((300, 8))
    scored = several([f"тема {at}" for at in range(8)], shares, threshold=0.8)
    figures = {n: v[0] for n, v in overall_figures(Outcomes.of(truth, scored), _once(300)).items()}
    assert figures["accuracy"] == pytest.approx(accuracy_score(truth, shares >= 0.5))
    for average in ("micro", "macro"):
        assert figures[f"{average}_f1"] == pytest.approx(f1_score(truth, shares >= 0.5, average=average), abs=1e-6)
    assert figures["coverage"] == pytest.approx((shares >= 0.8).any(axis=1).mean())
    assert figures["precision_when_sure"] == pytest.approx(truth[shares >= 0.8].mean())
    assert figures["ece"] == pytest.approx(expected_calibration_error(scored.shares.ravel(), truth.ravel()), abs=1e-6)


def test_a_weight_of_two_is_a_row_twice() -> None:
    truth, scored = _guesses(120, 6)
    outcomes = Outcomes.of(_true(truth, 6), scored)
    times = np.random.default_rng(2).integers(0, 3, 120)
    copied = outcomes.take(np.repeat(np.arange(120), times))
    for figures in (overall_figures, label_figures):
        weighted = figures(outcomes, times[None].astype(np.float32))
        repeated = figures(copied, _once(int(times.sum())))
        for name, values in weighted.items():
            assert values == pytest.approx(repeated[name], abs=1e-5, nan_ok=True), name


def test_confusion_has_truth_down_and_what_was_said_across() -> None:
    scored = Scored(
        ("a", "b", "c"), np.eye(3, dtype=np.float32)[[0, 1, 1, 2]], np.zeros(4, np.float32), np.eye(3)[[0] * 4] > 0
    )
    counts = confusion(Outcomes.of(_true(np.array([0, 0, 0, 2]), 3), scored))
    assert counts.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_a_row_of_several_labels_confuses_what_it_lacks_with_what_it_should_not_have() -> None:
    truth = np.array([[1, 1, 0, 0], [0, 0, 1, 0]], bool)
    scored = several(["đổi trả", "คืนเงิน", "发票", "доставка"], [[0.9, 0.1, 0.8, 0.7], [0, 0, 0.2, 0]])
    assert confusion(Outcomes.of(truth, scored)).tolist() == [[1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_detection_is_the_area_and_the_recall_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    outside = np.arange(1500) >= 1000
    scores = np.round(generator.normal(outside * 1.7, 1), 1).astype(np.float32)  # rounded: with many ties
    figures = detection_figures(scores, outside, _once(1500))
    false_alarms, found, _ = roc_curve(outside, scores, drop_intermediate=False)
    assert figures["auroc"][0] == pytest.approx(roc_auc_score(outside, scores))
    assert figures["recall_at_2_percent"][0] == pytest.approx(found[false_alarms <= 0.02].max())
    constant = detection_figures(np.zeros(1500, np.float32), outside, _once(1500))
    assert (constant["auroc"][0], constant["recall_at_2_percent"][0]) == (0.5, 0)


def test_precision_falls_as_coverage_rises() -> None:
    coverage, precision = precision_by_coverage(
        np.array([0.9, 0.8, 0.8, 0.3], np.float32), np.array([True, False, True, False])
    )
    assert coverage.tolist() == [0.25, 0.75, 1]
    assert precision == pytest.approx([1, 2 / 3, 0.5])


def test_intervals_hold_the_true_figure_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(4)
    held = 0
    for _ in range(200):
        right = (generator.random(150) < 0.8).astype(np.float32)
        low, high = interval(_share_right(right, np.arange(150), 300))
        held += bool(low <= 0.8 <= high)
    assert 180 <= held <= 199


def test_rows_of_a_group_are_drawn_together() -> None:
    # Ten matters of thirty copies each are ten observations, not three hundred.
    right = np.repeat(np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1], np.float32), 30)
    widths = []
    for groups in (np.arange(300), np.arange(300) // 30):
        low, high = interval(_share_right(right, groups))
        widths.append(float(high - low))
    assert widths[1] > 4 * widths[0]


def _share_right(right: np.ndarray, groups: np.ndarray, resamples: int = 1000) -> np.ndarray:
    figures = resampled(lambda w: {"right": w @ right / w.sum(axis=1)}, groups, resamples=resamples)
    return figures["right"]


def test_resampling_is_repeatable_and_no_matter_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    right, groups = np.arange(40, dtype=np.float32) % 2, np.arange(40)
    whole = _share_right(right, groups)
    assert np.array_equal(whole, _share_right(right, groups))
    monkeypatch.setattr("training.bootstrap._CELLS", 40 * 7)
    assert len(_share_right(right, groups)) == len(whole) == 1000
    assert np.abs(_share_right(right, groups).mean() - whole.mean()) < 0.02


def test_samples_without_the_figure_do_not_count() -> None:
    samples = np.array([[0.2, np.nan], [0.4, np.nan], [np.nan, np.nan]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = interval(samples, 0.5)
    assert (low[0], high[0]) == (pytest.approx(0.25), pytest.approx(0.35))
    assert np.isnan([low[1], high[1]]).all()


def test_intervals_of_many_labels_take_seconds() -> None:
    truth, scored = _guesses(4500, 150)
    outcomes = Outcomes.of(_true(truth, 150), scored)
    began = time.perf_counter()
    samples = resampled(lambda w: overall_figures(outcomes, w) | label_figures(outcomes, w), np.arange(4500))
    low, high = interval(samples["f1"])
    assert samples["f1"].shape == (1000, 150)
    assert ((low <= high) | np.isnan(low)).all()
    assert time.perf_counter() - began < 5
