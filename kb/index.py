"""Nearest rows by inner product: the one home of FAISS."""

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each query its rows, best first; both of shape (queries, k), row −1 where there are fewer than k."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


class Index:
    """Exact search over rows held in memory; a build copies the rows and needs no training."""

    def __init__(self, rows: Rows) -> None:
        self._index = faiss.IndexFlatIP(rows.shape[1])
        self._index.add(np.ascontiguousarray(rows, np.float32))

    def nearest(self, queries: Rows, k: int, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        """The `k` rows with the largest inner product, among the `allowed` ones (shape (rows,)) if given."""
        parameters = None
        if allowed is not None and not allowed.all():
            rows = np.flatnonzero(allowed).astype(np.int64)
            # FAISS adds the keyword in Python, where its generated types do not show it.
            make: Any = faiss.SearchParameters
            parameters = make(sel=faiss.IDSelectorBatch(rows))
        scores, rows = self._index.search(np.ascontiguousarray(queries, np.float32), k, params=parameters)
        return Neighbours(rows, scores)
