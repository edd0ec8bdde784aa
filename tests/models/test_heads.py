"""A linear head: ranking, abstention, and weights that are served as they are stored."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from models.heads import Head, pack, unpack

LABELS = ("delivery.not_received", "order.cancel", "refund.status")


def _head(threshold: float = 0.0) -> Head:
    """Two dense features and three lexical ones, each speaking for one label or two."""
    weights = np.array([[4.0, 0, 0, 0, 1], [0, 4, 0, 0, 1], [0, 0, 3, 0, -2]])
    return replace(Head.from_weights(LABELS, weights, np.array([0, 0, 0.5]), 2), thresholds=np.full(3, threshold))


def _features(*rows: list[float]) -> tuple[np.ndarray, sp.csr_matrix]:
    table = np.array(rows, np.float32)
    return table[:, :2], sp.csr_matrix(table[:, 2:])


def test_scores_add_both_halves_and_the_bias() -> None:
    scores = _head().scores(*_features([1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]))
    assert scores == pytest.approx(np.array([[4, 0, 0.5], [1, 1, 1.5], [0, 0, 0.5]]), abs=0.02)


def test_the_ranking_holds_every_label_from_likely_to_unlikely() -> None:
    (prediction,) = _head().predict(*_features([0.2, 0.9, 0, 0, 0]))
    assert [score.label for score in prediction.ranking] == ["order.cancel", "delivery.not_received", "refund.status"]
    shares = [score.score for score in prediction.ranking]
    assert sum(shares) == pytest.approx(1, abs=0.001)
    assert shares == sorted(shares, reverse=True)
    assert (prediction.label, prediction.confidence) == (prediction.ranking[0].label, shares[0])


def test_below_its_threshold_a_head_abstains_and_still_names_its_best_label() -> None:
    features = _features([1, 0, 0, 0, 0], [0.3, 0.2, 0, 0, 0])
    sure, unsure = _head(threshold=0.6).predict(*features)
    assert (sure.label, sure.abstained) == ("delivery.not_received", False)
    assert (unsure.label, unsure.abstained) == ("delivery.not_received", True)
    exactly = _head(threshold=sure.confidence).predict(*features)[0]
    assert not exactly.abstained


def test_equal_scores_keep_the_order_of_the_labels() -> None:
    (prediction,) = _head().predict(*_features([1, 1, 0, 0, 0]))
    assert [score.label for score in prediction.ranking[:2]] == ["delivery.not_received", "order.cancel"]


def test_rows_do_not_touch_each_other() -> None:
    rows = np.random.default_rng(13).normal(size=(20, 5)).tolist()
    together = _head().predict(*_features(*rows))
    assert together == [_head().predict(*_features(row))[0] for row in rows]


def test_stored_weights_are_read_as_they_are_served() -> None:
    draw = np.random.default_rng(13)
    weights = draw.normal(size=(500, 60)) * np.exp(draw.normal(size=60) * 3)
    weights[:, 0] = 0
    served = unpack(*pack(weights))
    stored, scale = pack(served)
    assert np.array_equal(unpack(stored, scale), served)
    assert stored.dtype == np.int8
    assert np.abs(served - weights).max(axis=0) == pytest.approx(np.zeros(60), abs=np.abs(weights).max() / 250)
    assert (np.abs(served - weights).max(axis=0) <= np.abs(weights).max(axis=0) / 253).all()
