"""Folds that keep groups together and labels spread, the same for the same seed."""

import hashlib
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from training.data import Tickets

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row numbers to train on, and to score."""


def grouped_folds(labels: Sequence[str], groups: Sequence[str], *, folds: int, seed: int, names: int = 0) -> list[Fold]:
    """Folds over rows; fewer than asked for when there are fewer groups, or fewer rows of the commonest label.

    Args:
        names: the last so many rows are in every fold to train on and in none to score.
    """
    rows = len(labels) - names
    labels, groups = labels[:rows], groups[:rows]
    commonest = max(Counter(labels).values())
    count = min(folds, len(set(groups)), commonest)
    # Rows without groups need none of the care for them, whose time grows with the square of their number.
    kind = StratifiedKFold if len(set(groups)) == len(groups) else StratifiedGroupKFold
    splitter = kind(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A label rarer than the folds cannot be spread over all of them; it is scored where it falls.
        warnings.simplefilter("ignore", UserWarning)
        found = splitter.split(np.zeros(rows), np.array(labels), np.array(groups))
        return [(np.append(inside, rows + np.arange(names)), outside) for inside, outside in found]


def few_shots(tickets: Tickets, shots: int, *, seed: int) -> Tickets:
    """For each label of each task `shots` rows drawn by chance, or all where there are fewer; in their old order."""
    draw = np.random.default_rng(seed)
    rows_of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, ticket in enumerate(tickets.rows):
        for task, labels in ticket.labels.items():
            for label in labels:
                rows_of[task, label].append(at)
    chosen = {
        int(at) for _, rows in sorted(rows_of.items()) for at in draw.choice(rows, min(shots, len(rows)), replace=False)
    }
    rows = tuple(tickets.rows[at] for at in sorted(chosen))
    digest = hashlib.sha256(f"{tickets.fingerprint} {shots} {seed}".encode()).hexdigest()[:16]
    return replace(tickets, rows=rows, fingerprint=digest)
