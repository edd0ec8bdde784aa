"""Training texts as features: each row, and its copies as other customers and other channels would write it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.features import FeatureScale, lexical_counts
from models.heads import Head
from models.types import Vectors
from training.data import Ticket
from training.noise import TO_LEARN, noises, noisy
from training.respell import respelled
from triage.normalize import normalize

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TrainingTexts:
    """The normalised texts of all rows, and behind them the copies; a *line* is the number of a text among them.

    Attributes:
        rows: how many of the texts are rows.
        copy_of: the row behind each copy.
        counts: lexical counts, shape (lines, BUCKETS).
    """

    texts: tuple[str, ...]
    rows: int
    copy_of: Numbers
    counts: sp.csr_matrix

    @classmethod
    def of(cls, tickets: Sequence[Ticket], *, noise: bool = False) -> "TrainingTexts":
        """
        Args:
            noise: whether each row has a copy with the noise of a channel on it, of a kind that reading does not undo.
        """
        texts = [normalize(ticket.text) for ticket in tickets]
        kinds = noises(TO_LEARN) if noise else {}
        copies: list[tuple[int, str]] = []
        for at, (ticket, text) in enumerate(zip(tickets, texts, strict=True)):
            other_way = respelled(text)
            for others in ([other_way] if other_way else [], noisy(ticket.text, ticket.language, kinds)):
                # What reading undoes is nothing new.
                new = (read for other in others if (read := normalize(other)) != text)
                copies += [(at, read) for read in islice(new, 1)]
        every = (*texts, *(other for _, other in copies))
        return cls(every, len(texts), np.array([at for at, _ in copies], np.intp), lexical_counts(every))

    @property
    def lines(self) -> Numbers:
        """The numbers of all lines."""
        return np.arange(len(self.texts))

    def with_copies(self, rows: Numbers) -> Numbers:
        """The lines of `rows` and of their copies."""
        return np.concatenate([rows, self.rows + np.flatnonzero(np.isin(self.copy_of, rows))])

    @property
    def stand_ins(self) -> Numbers:
        """For each row the lines of its copies, its own where it has none, shape (rows, most copies of one)."""
        copies: dict[int, list[int]] = defaultdict(list)
        for line, row in enumerate(self.copy_of.tolist(), start=self.rows):
            copies[row].append(line)
        most = max(map(len, copies.values()), default=1)
        own = (copies.get(row, [row]) for row in range(self.rows))
        return np.array([[lines[at % len(lines)] for at in range(most)] for lines in own], np.intp).reshape(-1, most)

    def row_of(self, lines: Numbers) -> Numbers:
        """The row behind each line."""
        behind = lines.copy()
        behind[lines >= self.rows] = self.copy_of[lines[lines >= self.rows] - self.rows]
        return behind

    def scale(self, vectors: Vectors, rows: Numbers) -> FeatureScale:
        return FeatureScale.fit(vectors[rows], self.counts[rows])

    def scores(self, head: Head, scale: FeatureScale, vectors: Vectors, rows: Numbers) -> NDArray[np.float32]:
        """What a head scores for `rows`, uncalibrated, shape (rows, labels)."""
        return head.scores(scale.dense(vectors[rows]), scale.lexical(self.counts[rows]))
