"""Questions that ask for the same, in any language, in one cluster: vectors in, clusters out.

A question is its vector, centred by language so that languages compare, beside its intent, weighed by how sure that is.
Weight and distance were chosen by `benchmarks/gaps.py`. Average linkage needs all pairs of distances, so beyond
`MOST` rows the nearest ones are merged first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.types import Vectors
from models.vectors import unit

INTENT_WEIGHT, DISTANCE = 0.6, 0.66
NEAR_DUPLICATE = 0.05
"""The cosine distance below which two questions are one."""
MOST = 4_000
"""Rows between which all distances are computed: 128 MB of them."""

_BLOCK, _WIDER = 1_000, 1.5


def rows(centred: Vectors, intents: Sequence[str], confidences: Sequence[float]) -> Vectors:
    """What `cluster` takes, shape (questions, dimension + different intents), each of length 1.

    Args:
        centred: from `KnowledgeBase.centred_question`, shape (questions, dimension).
        intents: the likeliest intent of each question; empty where none is known.
        confidences: of those, from 0 to 1.
    """
    labels = {label: column for column, label in enumerate(sorted(set(intents) - {""}))}
    beside = np.zeros((len(intents), len(labels)), np.float32)
    for at, (label, confidence) in enumerate(zip(intents, confidences, strict=True)):
        if label:
            beside[at, labels[label]] = INTENT_WEIGHT * confidence
    return unit(np.hstack([centred, beside]))


def cluster(rows: Vectors, *, distance: float = DISTANCE, most: int = MOST) -> NDArray[np.int64]:
    """The cluster of each row, shape (rows,): 0 is the largest, then 1 and so on; of equal ones the first seen.

    Agglomerative clustering with average linkage on cosine distance. Near duplicates are merged before it; where more
    than `most` rows are left, so are ever less near ones, until they fit or are `distance` apart.

    Args:
        rows: of length 1, shape (rows, dimension).
        distance: the mean cosine distance up to which clusters are merged.
    """
    if not len(rows):
        return np.zeros(0, np.int64)
    radius, group, middles = NEAR_DUPLICATE, np.arange(len(rows)), rows
    while True:
        merged = _merge_near(middles, radius)
        group = merged[group]
        middles = _means(rows, group)
        if len(middles) <= most or radius >= distance:
            break
        radius = min(radius * _WIDER, distance)
    if 1 < len(middles) <= most:
        group = _linked(middles, distance)[group]
    return _largest_first(group)


def central(rows: Vectors) -> NDArray[np.int64]:
    """The positions of a cluster's rows, shape (rows,), from its middle outwards."""
    return np.argsort(-(rows @ rows.mean(axis=0)), kind="stable")


def _merge_near(rows: Vectors, radius: float) -> NDArray[np.int64]:
    """A group for each row: that of the nearest earlier row that leads one, within `radius`, or else its own."""
    rows = unit(rows)
    leaders = np.empty_like(rows)
    group, found = np.empty(len(rows), np.int64), 0
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        known = block @ leaders[:found].T if found else np.zeros((len(block), 0), np.float32)
        nearest = known.argmax(axis=1) if found else np.zeros(len(block), np.int64)
        closeness = known.max(axis=1) if found else np.full(len(block), -1.0)
        within, own = block @ block.T, np.zeros(len(block), np.bool_)
        first_of_block = found
        for at in range(len(block)):
            mine = np.flatnonzero(own[:at])
            best = mine[within[at, mine].argmax()] if len(mine) else -1
            if best >= 0 and within[at, best] > max(closeness[at], 1 - radius):
                group[start + at] = first_of_block + np.count_nonzero(own[:best])
            elif closeness[at] > 1 - radius:
                group[start + at] = nearest[at]
            else:
                own[at], leaders[found], group[start + at] = True, block[at], found
                found += 1
    return group


def _linked(middles: Vectors, distance: float) -> NDArray[np.int64]:
    # It takes longer to import than the server's start should.
    from sklearn.cluster import AgglomerativeClustering

    # Of means that are not scaled, this is the mean distance between the rows of two groups.
    between = 1 - (middles @ middles.T).astype(np.float64)
    np.fill_diagonal(between, 0)
    linkage = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=distance
    )
    labels: NDArray[np.int64] = linkage.fit_predict(np.maximum(between, 0)).astype(np.int64)
    return labels


def _means(rows: Vectors, group: NDArray[np.int64]) -> Vectors:
    sums = np.zeros((int(group.max()) + 1, rows.shape[1]), np.float32)
    np.add.at(sums, group, rows)
    counts = np.bincount(group).astype(np.float32)
    means: Vectors = np.divide(sums, counts[:, None], dtype=np.float32)
    return means


def _largest_first(group: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, inverse, sizes = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(sizes), np.int64)
    place[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return place[inverse]
