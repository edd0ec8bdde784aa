"""The nearest rows by every kind of index, what stands in their place where there are too few, and what is measured."""

import logging
from pathlib import Path

import numpy as np
import pytest

from kb.index import Index, IndexSettings, Kind, Rows, load_index

ROWS = np.array([[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0], [0, 0, 1]], np.float32)
QUERIES = np.array([[1, 0, 0], [0, 0.2, 1]], np.float32)


def clustered(size: int, seed: int = 1, dimension: int = 48) -> Rows:
    """Rows around centres, of lengths between about 0.5 and 1.5."""
    dice = np.random.default_rng(seed)
    centres = dice.standard_normal((size // 40 + 1, dimension))
    rows = centres[dice.integers(len(centres), size=size)] + 0.5 * dice.standard_normal((size, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * dice.uniform(0.5, 1.5, (size, 1)), np.float32)


def near_to(rows: Rows, count: int = 200, seed: int = 2) -> Rows:
    dice = np.random.default_rng(seed)
    queries = rows[dice.integers(len(rows), size=count)] + 0.1 * dice.standard_normal((count, rows.shape[1]))
    return np.asarray(queries / np.linalg.norm(queries, axis=1, keepdims=True), np.float32)


def recall(index: Index, rows: Rows, queries: Rows, k: int = 10, allowed: np.ndarray | None = None) -> float:
    """Against a plain product of all rows."""
    products = queries @ rows.T
    if allowed is not None:
        products[:, ~allowed] = -np.inf
    exact = np.argsort(-products, axis=1)[:, :k]
    found = index.nearest(queries, k, allowed).rows
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(exact.tolist(), found.tolist(), strict=True)]))


@pytest.fixture(scope="module")
def many() -> tuple[Rows, Index]:
    rows = clustered(6_000)
    return rows, Index(rows, IndexSettings(kind=Kind.CELLS))


def test_the_nearest_rows_come_best_first() -> None:
    found = Index(ROWS).nearest(QUERIES, 2)
    assert found.rows.tolist() == [[0, 2], [3, 1]]
    np.testing.assert_allclose(found.scores, [[1, 0.9], [1, 0.2]], rtol=1e-6)


def test_only_allowed_rows_are_found() -> None:
    found = Index(ROWS).nearest(QUERIES, 1, np.array([False, True, True, False]))
    assert found.rows.tolist() == [[2], [1]]
    assert Index(ROWS).nearest(QUERIES, 1, np.ones(4, np.bool_)).rows.tolist() == [[0], [3]]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, {0, 1, 2, 3}),
        (np.array([True, False, False, True]), {0, 3}),
        (np.zeros(4, np.bool_), set()),
    ],
)
def test_where_rows_are_too_few_minus_one_fills_up(kind: Kind, allowed: np.ndarray | None, expected: set[int]) -> None:
    found = Index(ROWS, IndexSettings(kind=kind)).nearest(QUERIES, 6, allowed)
    assert found.rows.shape == found.scores.shape == (2, 6)
    for row in found.rows.tolist():
        assert set(row[: len(expected)]) == expected
        assert set(row[len(expected) :]) <= {-1}


@pytest.mark.parametrize("kind", Kind)
def test_an_index_without_rows_finds_nothing(kind: Kind) -> None:
    index = Index(ROWS[:0], IndexSettings(kind=kind))
    assert index.nearest(QUERIES, 2).rows.tolist() == [[-1, -1], [-1, -1]]
    assert index.nearest(QUERIES[:0], 2).rows.shape == (0, 2)


@pytest.mark.parametrize("kind", Kind)
def test_an_index_keeps_its_own_copy(kind: Kind) -> None:
    rows = ROWS.copy()
    index = Index(rows, IndexSettings(kind=kind))
    rows[:] = 0
    assert index.nearest(QUERIES, 1).rows.tolist() == [[0], [3]]


def test_the_kind_follows_the_number_of_rows() -> None:
    rows = clustered(1_200)
    assert Index(rows).facts.kind is Kind.EXACT
    assert Index(rows, IndexSettings(exact_up_to=1_200)).facts.kind is Kind.EXACT
    assert Index(rows, IndexSettings(exact_up_to=1_199)).facts.kind is Kind.CELLS
    assert Index(rows, IndexSettings(exact_up_to=1_199, kind=Kind.EXACT)).facts.kind is Kind.EXACT
    assert Index(rows[:999], IndexSettings(kind=Kind.CELLS)).facts.kind is Kind.EXACT


def test_what_was_measured_holds_for_other_queries(many: tuple[Rows, Index]) -> None:
    rows, index = many
    facts = index.facts
    assert (facts.rows, facts.dimension) == rows.shape
    assert facts.recall >= 0.97
    assert facts.queries > 100
    # Near to a row it is easier than where the sample lies.
    assert recall(index, rows, near_to(rows)) >= facts.recall - 0.01


def test_more_recall_costs_more_effort() -> None:
    rows = clustered(6_000)
    efforts = [Index(rows, IndexSettings(recall=wanted, exact_up_to=0)).facts.effort for wanted in (0.5, 0.9, 0.97)]
    assert efforts == sorted(efforts)
    assert efforts[0] < efforts[-1]


def test_recall_is_measured_on_queries_that_are_given() -> None:
    rows = clustered(6_000)
    easy = rows[:300] / np.linalg.norm(rows[:300], axis=1, keepdims=True)
    settings = IndexSettings(exact_up_to=0)
    index = Index(rows, settings, queries=easy)
    assert index.facts.queries == 150
    assert index.facts.effort < Index(rows, settings).facts.effort
    assert recall(index, rows, easy) >= 0.97


def test_recall_that_cannot_be_reached_is_said(caplog: pytest.LogCaptureFixture) -> None:
    # Rows that differ by less than half precision can tell apart.
    dice = np.random.default_rng(3)
    rows = np.asarray(1 + 1e-4 * dice.standard_normal((2_000, 16)), np.float32)
    with caplog.at_level(logging.INFO, "frontdesk.index"):
        index = Index(rows, IndexSettings(recall=1.0, kind=Kind.CELLS), queries=near_to(rows, 64))
    assert index.facts.recall < 1
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert f"finds {100 * index.facts.recall:.1f} %" in warnings[0]
    assert "Choose the kind" in warnings[0]


def test_reached_recall_is_logged_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "frontdesk.index"):
        index = Index(clustered(2_000), IndexSettings(exact_up_to=0))
    assert [record.levelno for record in caplog.records] == [logging.INFO]
    assert f"recall {index.facts.recall:.4f}" in caplog.records[0].getMessage()


@pytest.mark.parametrize("share", [0.99, 0.5, 0.1, 0.01, 0.002])
def test_the_nearest_of_the_allowed_rows_are_found_however_few(many: tuple[Rows, Index], share: float) -> None:
    rows, index = many
    allowed = np.random.default_rng(4).random(len(rows)) < share
    k = min(10, int(allowed.sum()))
    queries = near_to(rows)
    assert allowed[index.nearest(queries, k, allowed).rows].all()
    assert recall(index, rows, queries, k, allowed) >= 0.97


def test_allowed_rows_are_found_although_all_around_the_query_are_not(many: tuple[Rows, Index]) -> None:
    rows, index = many
    query = near_to(rows, 1)
    # Three quarters stay allowed, so most cells are not looked into at first: those farthest from the query.
    allowed = np.zeros(len(rows), np.bool_)
    farthest = np.argsort(rows @ query[0])[:4_500]
    allowed[farthest] = True
    found = index.nearest(query, 50, allowed).rows[0]
    assert allowed[found].all()
    assert found.min() >= 0


def test_scores_are_inner_products(many: tuple[Rows, Index]) -> None:
    rows, index = many
    queries = near_to(rows)
    found = index.nearest(queries, 10)
    exact = np.einsum("qkd,qd->qk", rows[found.rows], queries)
    np.testing.assert_allclose(found.scores, exact, atol=0.001)
    assert (np.diff(found.scores) <= 0).all()


def test_a_mask_that_changes_in_place_is_seen(many: tuple[Rows, Index]) -> None:
    rows, index = many
    query, allowed = near_to(rows, 1), np.ones(len(rows), np.bool_)
    first = index.nearest(query, 1, allowed).rows[0, 0]
    allowed[first] = False
    second = index.nearest(query, 1, allowed).rows[0, 0]
    assert second != first
    allowed[second] = False
    assert index.nearest(query, 1, allowed).rows[0, 0] not in (first, second)


def test_a_mask_of_another_size_is_refused(many: tuple[Rows, Index]) -> None:
    rows, index = many
    with pytest.raises(ValueError, match="allowed has 3 entries; the index has 6,000 rows"):
        index.nearest(rows[:1], 1, np.ones(3, np.bool_))


@pytest.mark.parametrize("kind", Kind)
def test_the_same_rows_give_the_same_index(kind: Kind, tmp_path: Path) -> None:
    rows = clustered(3_000)
    for name in ("one", "two"):
        Index(rows, IndexSettings(kind=kind)).save(tmp_path / name, {})
    assert (tmp_path / "one" / "manifest.json").read_text() == (tmp_path / "two" / "manifest.json").read_text()


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("mapped", [False, True])
def test_what_was_saved_answers_as_before(kind: Kind, mapped: bool, tmp_path: Path) -> None:
    rows = clustered(3_000)
    queries, allowed = near_to(rows), np.arange(3_000) % 3 > 0
    built = Index(rows, IndexSettings(kind=kind))
    built.save(tmp_path, {"encoder": "a"})
    loaded = load_index(tmp_path, {"encoder": "a"}, IndexSettings(kind=kind), rows=3_000, mapped=mapped)
    assert loaded.facts == built.facts
    for mask in (None, allowed):
        before, after = built.nearest(queries, 10, mask), loaded.nearest(queries, 10, mask)
        np.testing.assert_array_equal(before.rows, after.rows)
        np.testing.assert_array_equal(before.scores, after.scores)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_no_numbers_are_refused(bad: float) -> None:
    rows = ROWS.copy()
    rows[2, 1] = bad
    with pytest.raises(ValueError, match="Row 2 of 4 holds a number that is not finite"):
        Index(rows)


@pytest.mark.parametrize(("name", "value"), [("recall", 0.0), ("recall", 1.2), ("exact_up_to", -1)])
def test_settings_outside_their_limits_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        IndexSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("dimension", [1, 7, 33])
def test_any_dimension_will_do(dimension: int) -> None:
    rows = clustered(1_500, dimension=dimension)
    index = Index(rows, IndexSettings(kind=Kind.CELLS))
    assert index.facts.kind is Kind.CELLS
    assert index.nearest(rows[:1], 10).rows.min() >= 0


def test_texts_without_a_token_do_no_harm() -> None:
    rows = clustered(2_000)
    rows[::7] = 0
    index = Index(rows, IndexSettings(exact_up_to=0))
    assert recall(index, rows, near_to(rows[1::7])) >= 0.97


def test_rows_that_are_alike_are_all_found() -> None:
    rows = np.repeat(clustered(100), 30, axis=0)
    index = Index(rows, IndexSettings(exact_up_to=0))
    assert index.facts.recall >= 0.97
    query = (rows[0] / np.linalg.norm(rows[0]))[None]
    best = np.sort(rows @ query[0])[-10:].min()
    assert (rows[index.nearest(query, 10).rows[0]] @ query[0] >= best - 0.01).all()
