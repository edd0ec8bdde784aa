"""The words themselves: BM25 over the encoder's own subword pieces, in any script and without word segmentation.

A score is the share of the question's weight that a text holds. A question in another language than the text shares
hardly more than numbers and names with it, so that words may count across languages too, without being told which.
"""

import logging
from collections.abc import Sequence
from itertools import chain

import numpy as np
from bm25s import BM25
from numpy.typing import NDArray

from models.features import plain
from models.types import Encoder

_K, _B = 1.2, 0.75
# It sets its own level, and would write a line into the log of a server for every article that changes.
logging.getLogger("bm25s").setLevel(logging.WARNING)


class LexicalIndex:
    """Texts scored against questions; 1 would be a text that repeats every piece of the question without end."""

    def __init__(self, texts: Sequence[str], encoder: Encoder) -> None:
        self._encoder, self._texts = encoder, len(texts)
        pieces = self._pieces(texts)
        self._numbers = {piece: number for number, piece in enumerate(dict.fromkeys(chain.from_iterable(pieces)))}
        self._bm25 = BM25(k1=_K, b=_B, method="lucene")
        if self._numbers:
            numbered = [[self._numbers[piece] for piece in some] for some in pieces]
            self._bm25.index((numbered, self._numbers), create_empty_token=False, show_progress=False)
            used = np.diff(self._bm25.scores["indptr"])
            self._idf = np.log1p((self._texts - used + 0.5) / (used + 0.5))
        self._unknown = float(np.log1p((self._texts + 0.5) / 0.5))

    def scores(self, questions: Sequence[str]) -> NDArray[np.float32]:
        """Shape (questions, texts), from 0 to 1."""
        found = np.zeros((len(questions), self._texts), np.float32)
        for row, pieces in zip(found, self._pieces(questions), strict=True):
            distinct = set(pieces)
            known = sorted(self._numbers[piece] for piece in distinct if piece in self._numbers)
            if known:
                ceiling = self._idf[known].sum() + self._unknown * (len(distinct) - len(known))
                row[:] = self._bm25.get_scores_from_ids(known) / ceiling
        return found

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        return self._encoder.pieces([plain(text).lower() for text in texts])
