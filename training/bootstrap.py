"""Intervals by resampling rows with replacement; rows of one group are drawn together."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.metrics import Figures, Weights

RESAMPLES = 1000
_CELLS = 2**24
"""Weights of this many rows of samples lie in memory at once: 64 MB."""


def resampled(
    figures: Callable[[Weights], Figures], groups: NDArray[np.intp], *, resamples: int = RESAMPLES, seed: int = 0
) -> Figures:
    """`figures` on `resamples` samples of as many groups as there are, drawn with replacement.

    Rows without a group are one each (`Ticket.group`); rows about one matter are not independent, and drawing them
    one by one would make intervals too narrow.

    Args:
        groups: shape (rows,), the group of each row.
    """
    if not len(groups):
        return figures(np.zeros((1, 0), np.float32))
    names, group_of = np.unique(groups, return_inverse=True)
    generator = np.random.default_rng(seed)
    step = max(1, _CELLS // max(len(group_of), 1))
    parts = []
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = generator.integers(0, len(names), (count, len(names))) + np.arange(count)[:, None] * len(names)
        times = np.bincount(drawn.ravel(), minlength=count * len(names)).reshape(count, -1).astype(np.float32)
        parts.append(figures(times[:, group_of]))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def interval(samples: NDArray[np.floating], level: float = 0.95) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The percentile interval along the first axis, without the samples in which the figure is not defined (NaN).

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    ordered = np.sort(samples, axis=0)  # NaN goes last
    last = np.maximum((~np.isnan(ordered)).sum(axis=0) - 1, 0)

    def at(share: float) -> NDArray[np.floating]:
        place = share * last
        below = np.floor(place).astype(np.intp)[None]
        above = np.minimum(below + 1, last[None])
        low, high = np.take_along_axis(ordered, below, 0)[0], np.take_along_axis(ordered, above, 0)[0]
        between: NDArray[np.floating] = low + (high - low) * (place - below[0])
        return between

    return at((1 - level) / 2), at((1 + level) / 2)
