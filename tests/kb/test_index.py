"""The nearest rows, and what stands in their place where there are too few."""

import numpy as np
import pytest

from kb.index import Index

ROWS = np.array([[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0], [0, 0, 1]], np.float32)
QUERIES = np.array([[1, 0, 0], [0, 0.2, 1]], np.float32)


def test_the_nearest_rows_come_best_first() -> None:
    found = Index(ROWS).nearest(QUERIES, 2)
    assert found.rows.tolist() == [[0, 2], [3, 1]]
    np.testing.assert_allclose(found.scores, [[1, 0.9], [1, 0.2]], rtol=1e-6)


def test_only_allowed_rows_are_found() -> None:
    found = Index(ROWS).nearest(QUERIES, 1, np.array([False, True, True, False]))
    assert found.rows.tolist() == [[2], [1]]
    assert Index(ROWS).nearest(QUERIES, 1, np.ones(4, np.bool_)).rows.tolist() == [[0], [3]]


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, {0, 1, 2, 3}),
        (np.array([True, False, False, True]), {0, 3}),
        (np.zeros(4, np.bool_), set()),
    ],
)
def test_where_rows_are_too_few_minus_one_fills_up(allowed: np.ndarray | None, expected: set[int]) -> None:
    found = Index(ROWS).nearest(QUERIES, 6, allowed)
    assert found.rows.shape == found.scores.shape == (2, 6)
    for row in found.rows.tolist():
        assert set(row[: len(expected)]) == expected
        assert set(row[len(expected) :]) == {-1}


def test_an_index_without_rows_finds_nothing() -> None:
    assert Index(ROWS[:0]).nearest(QUERIES, 2).rows.tolist() == [[-1, -1], [-1, -1]]


def test_an_index_keeps_its_own_copy() -> None:
    rows = ROWS.copy()
    index = Index(rows)
    rows[:] = 0
    assert index.nearest(QUERIES, 1).rows.tolist() == [[0], [3]]
