"""Which unlabelled messages are worth a person's time: those the bundle is unsure of, and no two alike."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from models.bundle import Bundle
from models.types import Encoder, Prediction, Scored, Vectors
from training.near_duplicates import families
from triage.normalize import cleaned, fold, normalize

CHUNK = 1024
"""Texts that are encoded and scored at once."""

POOL = 10
"""Candidates for each message that is to be suggested: more of them are more different, and less uncertain."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message to be labelled.

    Attributes:
        position: its place among the texts that were given.
        predictions: what the bundle says of it, task by task.
        uncertainty: 0 where every task is sure, 1 where none has an idea.
    """

    position: int
    predictions: dict[str, Prediction]
    uncertainty: float


def suggest(
    bundle: Bundle,
    encoder: Encoder,
    texts: Sequence[str],
    *,
    count: int,
    known: Sequence[str] = (),
    languages: Sequence[str | None] = (),
    seed: int = 13,
    advance: Callable[[int], object] = lambda _count: None,
) -> list[Candidate]:
    """The `count` most useful texts, or fewer where there are not so many different ones; the least certain first.

    Near duplicates, of each other and of `known`, are left aside. The most uncertain of the rest, `POOL` times as many
    as wanted, are clustered, each with its uncertainty as weight, and the one in the middle of every cluster is taken
    (Zhdanov 2019, "Diverse mini-batch Active Learning"); `benchmarks/labelling.py` compares. Memory grows with the
    pool and with the texts themselves, not with their vectors.

    Args:
        known: messages that are labelled already.
        languages: of each text, where they are known.
        advance: is called with the number of texts that have been looked at.
    """
    different = _different(texts, known)
    advance(len(texts) - len(different))
    if not different:
        return []
    pool = _Pool(POOL * count)
    for at in range(0, len(different), CHUNK):
        positions = different[at : at + CHUNK]
        spoken = [normalize(texts[position]) for position in positions]
        vectors = bundle.vectors(spoken, encoder, [languages[position] for position in positions] if languages else ())
        pool.add(positions, vectors, uncertainty(bundle.score(spoken, vectors)))
        advance(len(positions))
    chosen = _spread(bundle.scale.dense(pool.vectors), pool.doubts, count, seed)
    chosen = chosen[np.argsort(-pool.doubts[chosen], kind="stable")]
    positions = [int(position) for position in pool.positions[chosen]]
    predictions = bundle.predict([normalize(texts[position]) for position in positions], pool.vectors[chosen])
    return [
        Candidate(position, said, round(float(doubt), 4))
        for position, said, doubt in zip(positions, predictions, pool.doubts[chosen], strict=True)
    ]


def uncertainty(scored: dict[str, Scored]) -> NDArray[np.float64]:
    """The mean over all tasks, shape (texts,), between 0 and 1.

    A task is as unsure as its entropy says, or its out-of-scope score where that is nearer to the toss of a coin.
    """
    doubts = []
    for task in scored.values():
        shares = task.shares.astype(np.float64)
        entropy = _toss(shares).max(axis=1) if task.multi_label else _entropy(shares)
        doubts.append(np.maximum(entropy, _toss(task.out_of_scope.astype(np.float64))))
    mean: NDArray[np.float64] = np.mean(doubts, axis=0)
    return mean


def _entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row, as a share of what it is when all labels are as likely."""
    bits: NDArray[np.float64] = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1)
    return bits / float(np.log(shares.shape[1]))


def _toss(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entropy of yes or no: 1 for the toss of a coin."""
    sides = np.clip(np.stack([chances, 1 - chances]), 1e-12, 1)
    bits: NDArray[np.float64] = -(sides * np.log2(sides)).sum(axis=0)
    return bits


def _different(texts: Sequence[str], known: Sequence[str]) -> list[int]:
    """The first text of each family of near duplicates that no known text belongs to."""
    family = families([fold(cleaned(text)) for text in (*known, *texts)]).tolist()
    seen = set(family[: len(known)])
    first: dict[int, int] = {}
    for position, number in enumerate(family[len(known) :]):
        if number not in seen:
            first.setdefault(number, position)
    return list(first.values())


class _Pool:
    """The most uncertain texts so far, with their vectors."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.positions = np.zeros(0, np.intp)
        self.vectors: Vectors = np.zeros((0, 0), np.float32)
        self.doubts = np.zeros(0)

    def add(self, positions: Sequence[int], vectors: Vectors, doubts: NDArray[np.float64]) -> None:
        every = np.concatenate([self.doubts, doubts])
        # Stable, so that of texts alike in doubt the earlier stays, however they are chunked.
        kept = np.sort(np.argsort(-every, kind="stable")[: self._size])
        self.doubts = every[kept]
        self.positions = np.concatenate([self.positions, positions])[kept]
        self.vectors = np.concatenate([self.vectors.reshape(-1, vectors.shape[1]), vectors])[kept]


def _spread(points: Vectors, weights: NDArray[np.float64], count: int, seed: int) -> NDArray[np.intp]:
    """The rows in the middle of `count` weighted clusters; all rows where there are no more."""
    if len(points) <= count:
        return np.arange(len(points))
    clusters = KMeans(count, n_init=1, max_iter=50, random_state=seed)
    with warnings.catch_warnings():
        # Fewer different vectors than clusters: texts of which the encoder knows no word are all alike to it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters.fit(points, sample_weight=weights + 1e-6)
    from_centre = np.linalg.norm(points - clusters.cluster_centers_[clusters.labels_], axis=1)
    nearest = np.argsort(from_centre, kind="stable")
    middles = nearest[np.unique(clusters.labels_[nearest], return_index=True)[1]]
    rest = np.setdiff1d(np.arange(len(points)), middles)
    fill = rest[np.argsort(-weights[rest], kind="stable")[: count - len(middles)]]
    return np.concatenate([middles, fill])
