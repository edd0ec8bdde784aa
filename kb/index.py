"""Nearest rows by inner product: the one home of FAISS.

Few rows are compared one by one. Many lie in cells around k-means centres, four bits for two numbers, and a query looks
into the cells whose centres are nearest to it; the best rows there are compared again in half precision. How many cells
it takes is measured when the index is built.
`docs/decisions/0005-index.md` has the reasons and `benchmarks/README.md` the figures.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from kb import snapshot
from kb.errors import SnapshotNotSaved, SnapshotUnusable
from models.vectors import unit

Rows = NDArray[np.float32]
# FAISS adds keywords and parts of its classes in Python, where its generated types do not show them.
_faiss: Any = faiss
K = 10
"""Recall is the share of so many nearest rows that are found."""
_LEARNABLE = 1_000
_AGAIN = 400
"""Rows that are compared again in half precision; four for each that is asked for where that is more."""
_FEW = 2_000
"""Allowed rows up to which each is compared."""
_WIDER = 0.25
"""How the effort grows where fewer are allowed: with this power of how many times fewer."""
_SEED = 13
_SAMPLE, _ENOUGH = 1024, 64
_LIKE_A_QUESTION = 1.9
"""Length of the noise in a sampled query; with it the nearest rows are as near as those of real questions are."""

log = logging.getLogger("frontdesk.index")


class Kind(StrEnum):
    """Every row is compared, or those in the nearest cells."""

    EXACT = "exact"
    CELLS = "cells"


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How an index is chosen and tuned.

    Attributes:
        exact_up_to: rows up to which every row is compared.
        recall: the share of the exact ten nearest rows that a search should find.
        kind: this kind whatever the number of rows; fewer than 1,000 are too few to learn cells from, and stay exact.
    """

    exact_up_to: int = 50_000
    recall: float = 0.97
    kind: Kind | None = None

    def __post_init__(self) -> None:
        if not 0 < self.recall <= 1:
            raise ValueError(f"recall is {self.recall}; it has to be above 0 and at most 1.")
        if self.exact_up_to < 0:
            raise ValueError(f"exact_up_to is {self.exact_up_to}; it has to be 0 or more.")

    def kind_of(self, rows: int) -> Kind:
        """The kind for so many rows."""
        if rows < _LEARNABLE:
            return Kind.EXACT
        return self.kind or (Kind.EXACT if rows <= self.exact_up_to else Kind.CELLS)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each query its rows, best first; both of shape (queries, k), row −1 where there are fewer than k.

    Scores are inner products, in cells with rows in half precision.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an index since it was built.

    Attributes:
        effort: cells that a search looks into; 0 for an exact index.
        recall: measured on `queries` queries that the effort was not chosen on; 1 for an exact index.
    """

    kind: Kind
    rows: int
    dimension: int
    effort: int
    recall: float
    queries: int
    settings: IndexSettings


class Index:
    """Rows and how to search them; immutable, with its own copy, and safe to search from several threads.

    The same rows and settings give the same index, bit for bit, on one machine with the same number of threads.

    Args:
        rows: shape (rows, dimension), not necessarily of length 1.
        queries: what to measure recall on, shape (queries, dimension), half of them for the choice of the effort. By
            default, and where there are fewer than 64, rows moved as far as questions lie from their passages.

    Raises:
        ValueError: a row holds a number that is not finite.
    """

    def __init__(self, rows: Rows, settings: IndexSettings | None = None, *, queries: Rows | None = None) -> None:
        rows = np.ascontiguousarray(rows, np.float32)
        bad = np.flatnonzero(~np.isfinite(rows.sum(axis=1)))
        if len(bad):
            raise ValueError(f"Row {bad[0]} of {len(rows):,} holds a number that is not finite. Encode its text again.")
        settings = settings or IndexSettings()
        kind = settings.kind_of(len(rows))
        if kind is Kind.EXACT:
            built, facts = _faiss.IndexFlatIP(rows.shape[1]), Facts(kind, len(rows), rows.shape[1], 0, 1.0, 0, settings)
            built.add(rows)
        else:
            built = _cells(rows)
            held = _sample(rows) if queries is None or len(queries) < _ENOUGH else queries
            facts = _tuned(built, rows, held, settings)
        self._set(built, facts)

    def _set(self, index: Any, facts: Facts) -> None:
        self._index, self.facts = index, facts
        self._all = _faiss.IDSelectorAll()
        # Masks hardly change from one question to the next, and a selector of a million rows is not free.
        self._selector: Callable[[bytes], Any] = lru_cache(maxsize=8)(_selector)

    @classmethod
    def _of(cls, index: Any, facts: Facts) -> "Index":
        made = cls.__new__(cls)
        made._set(index, facts)
        return made

    def nearest(self, queries: Rows, k: int, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        """The `k` rows with the largest inner product, among the `allowed` ones (shape (rows,)) if given.

        Where few are, every one of them is compared. Else the fewer are, the more cells are looked into, and all where
        those hold less than is asked for; so a row that is allowed is found although all around it are not.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        total = self.facts.rows
        if allowed is not None and len(allowed) != total:
            raise ValueError(f"allowed has {len(allowed):,} entries; the index has {total:,} rows.")
        open_rows = total if allowed is None else int(np.count_nonzero(allowed))
        selector = None
        if allowed is not None and open_rows < total:
            selector = self._selector(np.packbits(allowed, bitorder="little").tobytes())
        if self.facts.kind is Kind.EXACT:
            # Without a selector FAISS splits even one query over its threads, which then wait for each other: on two
            # busy cores that takes five times the CPU time of one thread.
            parameters = _faiss.SearchParameters(sel=selector or self._all)
            scores, rows = self._index.search(queries, k, params=parameters)
            return Neighbours(rows, scores)
        if allowed is not None and open_rows <= _FEW:
            return self._compared(queries, k, np.flatnonzero(allowed))
        cells = _nlist(self._index)
        effort = min(cells, round(self.facts.effort * (total / open_rows) ** _WIDER))
        scores, rows = self._index.search(queries, k, params=_parameters(k, effort, selector))
        short = np.count_nonzero(rows >= 0, axis=1) < min(k, open_rows)
        if effort < cells and short.any():
            parameters = _parameters(k, cells, selector)
            scores[short], rows[short] = self._index.search(queries[short], k, params=parameters)
        return Neighbours(rows, scores)

    def _compared(self, queries: Rows, k: int, numbers: NDArray[np.int64]) -> Neighbours:
        """The nearest among the rows of these numbers, each compared in half precision."""
        scores, found = _faiss.knn(queries, self.rows(numbers), k, metric=_faiss.METRIC_INNER_PRODUCT)
        rows = np.where(found >= 0, numbers[found], -1) if len(numbers) else found
        return Neighbours(rows, scores)

    def rows(self, numbers: NDArray[np.int64]) -> Rows:
        """The rows of these numbers as they are kept: in half precision in cells."""
        kept = self._index if self.facts.kind is Kind.EXACT else _faiss.downcast_index(self._index.refine_index)
        found: Rows = kept.reconstruct_batch(numbers)
        return found

    def save(self, folder: Path, about: Mapping[str, str]) -> None:
        """Write a snapshot that replaces the one in `folder`, or nothing.

        Args:
            about: what it was built from (encoder, version of the knowledge base), compared when it is loaded.

        Raises:
            SnapshotNotSaved: it cannot be written; what was there stays.
        """

        def content(write: snapshot.Sink) -> None:
            _faiss.write_index(self._index, _faiss.PyCallbackIOWriter(write, 1 << 20))

        facts = {**asdict(self.facts), "faiss": _faiss.__version__, "about": dict(about)}
        snapshot.write(folder, content, facts)


def load_index(
    folder: Path,
    about: Mapping[str, str],
    settings: IndexSettings | None = None,
    *,
    rows: int | None = None,
    mapped: bool = False,
) -> Index:
    """The index that was saved in `folder`, after every byte of it was checked.

    Args:
        about: what it has to be about; keys that are not named here are not compared.
        settings: what it has to have been built with.
        rows: how many it has to have.
        mapped: leave it in its file and let the system read what searches touch; the folder may be saved to meanwhile.

    Raises:
        SnapshotUnusable: it says why, and the index is to be built again.
    """
    settings = settings or IndexSettings()
    while True:
        seen = snapshot.stamp(folder)
        try:
            return _loaded(folder, about, settings, rows, mapped)
        except SnapshotUnusable:
            # Another process may have replaced the snapshot between the manifest and the file that it named.
            if snapshot.stamp(folder) == seen:
                raise


def kept_index(rows: Rows, folder: Path, settings: IndexSettings | None = None) -> Index:
    """The index of these rows: built, or read from `folder` where building takes minutes and it was saved before."""
    settings = settings or IndexSettings()
    if settings.kind_of(len(rows)) is Kind.EXACT:
        return Index(rows, settings)
    about = {"rows": hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()}
    try:
        return load_index(folder, about, settings, rows=len(rows), mapped=True)
    except SnapshotUnusable as reason:
        log.info("The index is built: %s", reason)
    index = Index(rows, settings)
    try:
        index.save(folder, about)
    except SnapshotNotSaved as error:
        log.warning("%s", error)
    return index


def _loaded(folder: Path, about: Mapping[str, str], settings: IndexSettings, rows: int | None, mapped: bool) -> Index:
    found = snapshot.read(folder, about)
    facts = _facts(found.facts)
    again = "It is built again from the database."
    if facts.settings != settings:
        raise SnapshotUnusable(f"{folder} was built with {facts.settings}, and {settings} is wanted. {again}")
    if rows is not None and rows != facts.rows:
        raise SnapshotUnusable(f"{folder} has {facts.rows:,} rows, and there are {rows:,} passages. {again}")
    try:
        index = _faiss.read_index(str(found.content), _faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except RuntimeError as error:
        raise SnapshotUnusable(f"FAISS {_faiss.__version__} cannot read {found.content} ({error}). {again}") from error
    if (index.ntotal, index.d) != (facts.rows, facts.dimension):
        raise SnapshotUnusable(
            f"{found.content} has {index.ntotal:,} rows of {index.d} numbers, and its manifest says {facts.rows:,} of "
            f"{facts.dimension}. {again}"
        )
    return Index._of(index, facts)


def _facts(manifest: Mapping[str, Any]) -> Facts:
    settings = manifest["settings"]
    kind = settings["kind"] and Kind(settings["kind"])
    return Facts(
        Kind(manifest["kind"]),
        manifest["rows"],
        manifest["dimension"],
        manifest["effort"],
        manifest["recall"],
        manifest["queries"],
        IndexSettings(settings["exact_up_to"], settings["recall"], kind),
    )


def _selector(bits: bytes) -> Any:
    # The selector keeps the array, and the array the bytes.
    return _faiss.IDSelectorBitmap(np.frombuffer(bits, np.uint8))


def _cells(rows: Rows) -> Any:
    """Four cells for each square root of rows, which makes finding the cells about as dear as looking into some."""
    cells = int(min(4 * len(rows) ** 0.5, len(rows) // 10))
    dimension = rows.shape[1]
    centres, four_bits = _faiss.IndexFlatIP(dimension), 4
    parts = dimension // 2 if dimension % 2 == 0 else dimension
    product = _faiss.METRIC_INNER_PRODUCT
    coarse = _faiss.IndexIVFPQFastScan(centres, dimension, cells, parts, four_bits, product)
    coarse.by_residual = True
    coarse.cp.seed = coarse.pq.cp.seed = _SEED
    coarse.cp.min_points_per_centroid, coarse.cp.max_points_per_centroid = 1, 40
    fine = _faiss.IndexScalarQuantizer(dimension, _faiss.ScalarQuantizer.QT_fp16, product)
    index = _faiss.IndexRefine(coarse, fine)
    index.train(rows)
    index.add(rows)
    return index


def _nlist(index: Any) -> int:
    return int(_faiss.downcast_index(index.base_index).nlist)


def _parameters(k: int, effort: int, selector: Any = None) -> Any:
    cells = _faiss.SearchParametersIVF(sel=selector, nprobe=effort)
    again = max(_AGAIN, 4 * k)
    return _faiss.IndexRefineSearchParameters(k_factor=again / k, base_index_params=cells)


def _sample(rows: Rows) -> Rows:
    """Queries that are as hard as questions: rows in part, and in part noise that varies as rows do.

    Noise that is the same in all directions would be far too easy: hardly any other row is near to it.
    """
    dice = np.random.default_rng(_SEED)
    near = unit(rows[dice.integers(len(rows), size=_SAMPLE)])
    noise = np.zeros_like(near)
    for _ in range(16):
        others = unit(rows[dice.integers(len(rows), size=_SAMPLE)])
        noise += others * dice.choice(np.array([-1, 1], np.float32), size=(_SAMPLE, 1))
    return unit(near + _LIKE_A_QUESTION * unit(noise))


def _tuned(index: Any, rows: Rows, queries: Rows, settings: IndexSettings) -> Facts:
    """The least effort whose recall is surely what is wanted on half of the queries, and what it is on the others."""
    queries = np.ascontiguousarray(queries, np.float32)
    k = min(K, len(rows))
    worst = _faiss.knn(queries, rows, k, metric=_faiss.METRIC_INNER_PRODUCT)[0][:, -1:]

    def recalls(half: slice, effort: int) -> NDArray[np.float64]:
        found = index.search(queries[half], k, params=_parameters(k, effort))[1]
        # By score and not by number: of rows that are alike any will do.
        scores = np.einsum("qkd,qd->qk", rows[found], queries[half])
        share: NDArray[np.float64] = np.mean((found >= 0) & (scores >= worst[half] - 1e-6), axis=1)
        return share

    chosen, held_out = slice(None, None, 2), slice(1, None, 2)
    seen: dict[int, float] = {}
    cells = _nlist(index)
    for effort in _efforts(cells):
        mean, error = _mean(recalls(chosen, effort))
        seen[effort] = mean
        # Surely, so that it holds for other queries too.
        if mean - 2 * error >= settings.recall:
            break
    else:
        # No effort is sure to reach it; then what hardly gains anything is not spent.
        effort = min(effort for effort, mean in seen.items() if mean >= max(seen.values()) - 0.002)
    recall, error = _mean(recalls(held_out, effort))
    facts = Facts(Kind.CELLS, len(rows), rows.shape[1], effort, round(recall, 4), len(queries) // 2, settings)
    log.info(
        "Index of %d rows (%s): %d of %d cells a search, recall %.4f on %d queries",
        facts.rows, facts.kind, effort, cells, recall, facts.queries,
    )  # fmt: skip
    if recall + 2 * error < settings.recall:
        log.warning(
            "The index finds %.1f %% of the ten nearest rows, and %.1f %% are wanted. "
            "Choose the kind %s, which is slower, or ask for less.",
            100 * recall, 100 * settings.recall, Kind.EXACT,
        )  # fmt: skip
    return facts


def _mean(shares: NDArray[np.float64]) -> tuple[float, float]:
    """And its standard error."""
    return float(shares.mean()), float(shares.std() / len(shares) ** 0.5)


def _efforts(cells: int) -> list[int]:
    """From one cell to all, each about a quarter more than the one before."""
    steps = {round(2 ** (step / 3)) for step in range(3 * cells.bit_length())}
    return sorted({step for step in steps if step < cells} | {cells})
