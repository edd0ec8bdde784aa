"""BM25 over hashed character n-grams: the words themselves, in any script and without word segmentation."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.features import BUCKETS, lexical_counts

_K, _B = 1.2, 0.75


class LexicalIndex:
    """Texts scored against questions; 1 would be a text that holds every n-gram of the question without end."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = lexical_counts(texts)
        counts.data = np.expm1(counts.data)
        used = np.bincount(counts.indices, minlength=BUCKETS)
        self._idf = np.log1p((len(texts) - used + 0.5) / (used + 0.5)).astype(np.float32)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        norm = _K * (1 - _B + _B * lengths / max(float(lengths.mean()), 1e-9))
        counts.data *= (_K + 1) / (counts.data + np.repeat(norm, np.diff(counts.indptr)))
        counts.data *= self._idf[counts.indices]
        self._weights = sp.csr_matrix(counts.T, dtype=np.float32)

    def scores(self, questions: Sequence[str]) -> NDArray[np.float32]:
        """Shape (questions, texts), from 0 to 1."""
        counts = lexical_counts(questions)
        counts.data = np.ones_like(counts.data)
        ceiling = np.asarray(counts @ self._idf).ravel() * (_K + 1)
        found: NDArray[np.float32] = (counts @ self._weights).toarray()
        scaled: NDArray[np.float32] = (found / np.maximum(ceiling, 1e-9)[:, None]).astype(np.float32)
        return scaled
