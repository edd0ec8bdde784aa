"""Folds: every row scored once, groups whole, labels spread, the same for the same seed."""

from collections import Counter

import numpy as np
import pytest

from training.splits import grouped_folds

LABELS = [label for label in ("đổi hàng", "คืนเงิน", "退款", "退貨", "возврат", "refund") for _ in range(20)]
GROUPS = [f"g{at // 2}" for at in range(len(LABELS))]


def _scored(labels: list[str], groups: list[str], *, folds: int = 5, seed: int = 13) -> list[list[int]]:
    return [outside.tolist() for _, outside in grouped_folds(labels, groups, folds=folds, seed=seed)]


def test_each_row_is_scored_once_by_a_head_that_saw_neither_it_nor_its_group() -> None:
    assert sorted(row for fold in _scored(LABELS, GROUPS) for row in fold) == list(range(len(LABELS)))
    for inside, outside in grouped_folds(LABELS, GROUPS, folds=5, seed=13):
        assert len(inside) + len(outside) == len(LABELS)
        assert not {GROUPS[row] for row in inside} & {GROUPS[row] for row in outside}


def test_names_are_learned_from_in_every_fold_and_scored_in_none() -> None:
    folds = grouped_folds([*LABELS, "退款", "refund"], [*GROUPS, "n1", "n2"], folds=5, seed=13, names=2)
    for (inside, outside), without in zip(folds, grouped_folds(LABELS, GROUPS, folds=5, seed=13), strict=True):
        assert inside.tolist() == [*without[0], len(LABELS), len(LABELS) + 1]
        assert outside.tolist() == without[1].tolist()


def test_labels_are_spread_over_the_folds() -> None:
    for fold in _scored(LABELS, GROUPS):
        assert set(Counter(LABELS[row] for row in fold).values()) == {4}


def test_the_seed_decides() -> None:
    assert _scored(LABELS, GROUPS) == _scored(LABELS, GROUPS)
    assert _scored(LABELS, GROUPS) != _scored(LABELS, GROUPS, seed=14)


@pytest.mark.parametrize(
    ("labels", "groups", "folds"),
    [
        (["a", "b"] * 3, ["x", "y"] * 3, 2),
        (["a", "b", "c"] * 3, [str(at) for at in range(9)], 3),
        (["a", "b", "c", "a"], ["1", "2", "3", "4"], 2),
    ],
)
def test_a_few_rows_make_fewer_folds(labels: list[str], groups: list[str], folds: int) -> None:
    scored = _scored(labels, groups)
    assert len(scored) == folds
    assert np.unique(np.concatenate(scored)).tolist() == list(range(len(labels)))
