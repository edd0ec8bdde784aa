"""Files of two languages that say the same line by line, as translation leaves them and native writing does not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.types import Vectors

CLOSE = 0.6
"""The cosine, of vectors centred on their language, from which two texts may be translations of each other."""
RUN = 4
"""Neighbouring rows that have to match neighbouring rows: customers everywhere ask alike, but not in the same order."""
_WINDOW = 3
"""How far the order may jump within a run."""


@dataclass(frozen=True, slots=True)
class ParallelRun:
    """Rows `one` and `other`, positions in their files, that match one by one."""

    one: tuple[int, ...]
    other: tuple[int, ...]


def parallel_runs(one: Vectors, other: Vectors) -> list[ParallelRun]:
    """Where rows of one file, in order, are the nearest of rows of the other, in order.

    Args:
        one: vectors of a file's rows in the order in which they were written, shape (rows, dimension).
        other: the same of the other file.
    """
    near = _centred(one) @ _centred(other).T
    best, back = near.argmax(axis=1), near.argmax(axis=0)
    matched = [(at, int(best[at])) for at in range(len(one)) if back[best[at]] == at and near[at, best[at]] >= CLOSE]
    runs: list[list[tuple[int, int]]] = []
    for pair in matched:
        follows = runs and all(0 < now - before <= _WINDOW for now, before in zip(pair, runs[-1][-1], strict=True))
        if follows:
            runs[-1].append(pair)
        else:
            runs.append([pair])
    return [ParallelRun(*(tuple(side) for side in zip(*run, strict=True))) for run in runs if len(run) >= RUN]


def _centred(vectors: Vectors) -> NDArray[np.float32]:
    shifted = vectors - vectors.mean(axis=0)
    found: NDArray[np.float32] = shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-9)
    return found
