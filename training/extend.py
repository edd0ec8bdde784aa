"""New labels for a bundle that exists, learned from their own rows alone; what it knew before stays as it was.

The old labels' weights are not touched. Each new label gets a machine of its own, whose counter-examples are the rows
of other labels, where the data has any, and the mean vector of every old label, which the bundle carries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from models.bundle import Bundle
from models.calibration import NEVER
from models.features import BUCKETS
from models.heads import Head, pack, unpack
from models.scope import label_means
from models.types import Encoder, Vectors
from training.data import Tickets
from training.errors import BadTrainingData
from training.features import TrainingTexts
from training.splits import grouped_folds
from training.train import Encode

_MEAN_COUNTS_AS = 5.0
"""Rows that the mean of an old label stands for."""
_BOLDNESS = 0.1
"""The part of its distance from the old labels that a new one gives up (`benchmarks/add_label.py`)."""
_FOLDS = 3
_FEW = 5
"""With fewer rows than this a new label cannot be judged, and is given only where the bundle is as sure as ever."""


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What can be said of a label that was added.

    Attributes:
        recall: the share of its rows that it wins against all labels without having seen them; None for few rows.
        nearest: the old label that is most like it, with the cosine of their means; above 0.8 they are easily confused.
    """

    task: str
    label: str
    rows: int
    recall: float | None
    nearest: tuple[str, float]


@dataclass(frozen=True, slots=True)
class Extended:
    bundle: Bundle
    added: tuple[NewLabel, ...]


def extend(
    bundle: Bundle,
    tickets: Tickets,
    tasks: Sequence[str],
    encoder: Encoder,
    *,
    seed: int = 13,
    encode: Encode | None = None,
) -> Extended:
    """Add the labels of `tickets` that the bundle does not know.

    Args:
        encode: stands in for `bundle.vectors`.

    Raises:
        BadTrainingData: for a task that the bundle lacks or that is multi-label, or when no label is new.
    """
    texts = TrainingTexts.of(tickets.rows)
    vectors = encode(texts.texts) if encode else bundle.vectors(texts.texts, encoder)
    vectors = bundle.shifted(vectors, [tickets.rows[row].language for row in texts.row_of(texts.lines)])
    heads, added = dict(bundle.heads), []
    for task in tasks:
        if task not in heads or heads[task].multi_label:
            raise BadTrainingData(
                f"Task {task!r} cannot be extended; {', '.join(t for t, h in heads.items() if not h.multi_label)} can. "
                "Train a new bundle for a new task, or for one with several labels a text."
            )
        heads[task], new = _Extension(task, heads[task], bundle, tickets, texts, vectors, seed).made()
        added += new
    if not added:
        raise BadTrainingData("No label is new to the bundle. To learn known labels better, train on all the data.")
    notes = {**bundle.notes, "extended": [*bundle.notes.get("extended", []), *(_note(label) for label in added)]}
    return Extended(replace(bundle, heads=heads, notes=notes), tuple(added))


class _Extension:
    """One head, and the rows that its new labels are learned from."""

    def __init__(
        self, task: str, head: Head, bundle: Bundle, tickets: Tickets, texts: TrainingTexts, vectors: Vectors, seed: int
    ) -> None:
        self._task, self._head, self._scale, self._seed = task, head, bundle.scale, seed
        self._texts, self._vectors = texts, vectors
        self._rows = np.array([at for at, ticket in enumerate(tickets.rows) if task in ticket.labels], np.intp)
        labelled = (row for row in tickets.rows if task in row.labels)
        if several := next((row for row in labelled if len(row.labels[task]) != 1), None):
            raise BadTrainingData(
                f"{several.place} has {len(several.labels[task])} labels of {task!r}, and the bundle always gives one. "
                "Leave such rows out, or give each one label."
            )
        self._names = np.array([tickets.rows[at].label(task) for at in self._rows], object)
        self._groups = [tickets.rows[at].group for at in self._rows]
        self._labels = sorted(set(self._names) - set(head.labels))
        self._old = _prototypes(head)

    def made(self) -> tuple[Head, list[NewLabel]]:
        """The head with its new labels, and what can be said of each."""
        head, labels, names = self._head, self._labels, self._names
        if not labels:
            return head, []
        lines = self._texts.with_copies(self._rows)
        matrix = self._scale.joined(self._vectors[lines], self._texts.counts[lines])
        name_of = dict(zip(self._rows.tolist(), names, strict=True))
        line_names = np.array([name_of[at] for at in self._texts.row_of(lines).tolist()], object)
        known_old = np.array([name in head.labels for name in line_names], bool)
        columns = [_machine(matrix, line_names == label, self._old, self._seed) for label in labels]
        extended = _with_columns(head, labels, columns, self._old, matrix[known_old])
        won = self._won()
        own = np.isin(names, labels)
        fresh = self._scale.dense(self._vectors[self._rows[own]])
        means = label_means(fresh, _numbers(names[own], labels), len(labels))
        thresholds = [_threshold(head, int((names == label).sum()), won.get(label)) for label in labels]
        scope = head.scope and replace(head.scope, means=np.hstack([head.scope.means, means]))
        new = [
            NewLabel(self._task, label, int((names == label).sum()), won.get(label), _nearest(head, means[:, at]))
            for at, label in enumerate(labels)
        ]
        return replace(extended, thresholds=np.append(head.thresholds, thresholds), scope=scope), new

    def _won(self) -> dict[str, float]:
        """For each new label with rows enough, the share of them that it wins when they were held out."""
        fresh = np.flatnonzero(np.isin(self._names, self._labels))
        names, groups = self._names[fresh], [self._groups[at] for at in fresh]
        if len(set(groups)) < _FOLDS:
            return {}
        right = np.zeros(len(fresh), bool)
        for inside, outside in grouped_folds([str(n) for n in names], groups, folds=_FOLDS, seed=self._seed):
            learned, scored = self._rows[fresh[inside]], self._rows[fresh[outside]]
            matrix = self._scale.joined(self._vectors[learned], self._texts.counts[learned])
            columns = [_machine(matrix, names[inside] == label, self._old, self._seed) for label in self._labels]
            trial = _with_columns(self._head, self._labels, columns, self._old, matrix[:0])
            scores = self._texts.scores(trial, self._scale, self._vectors, scored)
            right[outside] = np.array(trial.labels, object)[scores.argmax(axis=1)] == names[outside]
        return {
            label: round(float(right[own].mean()), 4) for label in self._labels if (own := names == label).sum() >= _FEW
        }


def _prototypes(head: Head) -> NDArray[np.float32]:
    """What each old label is like, shape (labels, dimension): its mean, or where its weights point to."""
    if head.scope:
        return head.scope.means.T
    directions: NDArray[np.float32] = head.dense.T / np.maximum(
        np.linalg.norm(head.dense.T, axis=1, keepdims=True), 1e-9
    )
    return directions


def _machine(matrix: Any, positive: NDArray[np.bool_], old: NDArray[np.float32], seed: int) -> tuple[Any, float]:
    """Weights and bias of one label against the other rows and the means of the old labels."""
    every = sp.vstack([matrix, sp.hstack([sp.csr_matrix(old), sp.csr_matrix((len(old), BUCKETS))])], format="csr")
    truth = np.append(positive, np.zeros(len(old), bool))
    weight = np.append(np.ones(len(positive)), np.full(len(old), _MEAN_COUNTS_AS))
    machine = LinearSVC(C=1.0, class_weight="balanced", random_state=seed).fit(every, truth, sample_weight=weight)
    return machine.coef_[0], float(machine.intercept_[0])


def _with_columns(
    head: Head, labels: Sequence[str], columns: Sequence[tuple[Any, float]], old: NDArray[np.float32], known: Any
) -> Head:
    """The head with new columns, none of which takes anything from an old label that the data or means show.

    A machine of so few rows is too shy beside those of many: it gives up a part of what it keeps clear of them.
    """
    dimension = head.dense.shape[0]
    weights = np.stack([weight for weight, _ in columns])
    dense = weights[:, :dimension].T.astype(np.float16).astype(np.float32)
    lexical = unpack(*pack(weights[:, dimension:].T))
    bias = np.array([value for _, value in columns], np.float32)
    empty = sp.csr_matrix((len(old), lexical.shape[0]), dtype=np.float32)
    shown_dense = np.vstack([old, known[:, :dimension].toarray()])
    shown_lexical = sp.vstack([empty, known[:, dimension:]], format="csr")
    if len(shown_dense):
        best = head.scores(shown_dense, shown_lexical).max(axis=1)
        excess = (shown_dense @ dense + shown_lexical @ lexical + bias - best[:, None]).max(axis=0)
        bias = bias - np.where(excess > 0, excess, _BOLDNESS * excess).astype(np.float32)
    return replace(
        head,
        labels=(*head.labels, *labels),
        dense=np.hstack([head.dense, dense]),
        lexical=np.hstack([head.lexical, lexical]),
        bias=np.append(head.bias, bias),
    )


def _threshold(head: Head, rows: int, recall: float | None) -> float:
    """A new label is given from the median of the old thresholds, and from the highest while little is known of it."""
    reachable = head.thresholds[head.thresholds < NEVER]
    if not len(reachable):
        return NEVER
    return float(reachable.max() if rows < _FEW or recall is None else np.median(reachable))


def _nearest(head: Head, mean: NDArray[np.float32]) -> tuple[str, float]:
    cosines = _prototypes(head) @ mean
    return head.labels[int(cosines.argmax())], round(float(cosines.max()), 4)


def _numbers(names: NDArray[np.object_], labels: Sequence[str]) -> NDArray[np.intp]:
    place = {label: at for at, label in enumerate(labels)}
    return np.array([place[str(name)] for name in names], np.intp)


def _note(label: NewLabel) -> dict[str, Any]:
    return {
        "task": label.task,
        "label": label.label,
        "rows": label.rows,
        "recall": label.recall,
        "nearest": label.nearest,
    }
