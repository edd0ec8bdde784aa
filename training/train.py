"""Heads on a frozen encoder: encode once, cross-validate for calibration, then fit on everything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from models.bundle import Bundle
from models.calibration import abstention_threshold, fit_sharpness, probabilities
from models.features import FeatureScale, lexical_counts
from models.heads import Head
from models.types import Encoder, Vectors
from training.data import Ticket, Tickets
from training.errors import BadTrainingData
from training.metrics import summary
from training.respell import respelled
from training.splits import grouped_folds
from triage.normalize import normalize

_LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch", "transformers", "sentence-transformers", "safetensors")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """
    Attributes:
        regularisation: C of the linear SVM; smaller is stronger.
        precision: what the heads' thresholds hold on held-out rows; below it they abstain.
    """

    name: str = "desk"
    version: int = 1
    seed: int = 13
    folds: int = 5
    regularisation: float = 0.5
    precision: float = 0.9


def train(tickets: Tickets, tasks: Sequence[str], encoder: Encoder, config: TrainingConfig) -> Bundle:
    """Train one head per task.

    Probabilities and thresholds come from grouped cross-validation, and so do the metrics in the manifest: each row
    is scored by a head that saw neither it nor its group. The heads of the bundle are then fitted on all rows.

    Raises:
        BadTrainingData: when a task has fewer than two labels or groups, or every label once.
    """
    features = _Features.of(tickets.rows, encoder)
    heads: dict[str, Head] = {}
    metrics: dict[str, Any] = {}
    for task in tasks:
        heads[task], metrics[task] = _train_task(task, tickets.rows, features, config)
    languages = np.array([ticket.language for ticket in tickets.rows], dtype=object)
    centers = {
        language: features.vectors[languages == language].mean(axis=0)
        for language in sorted({ticket.language for ticket in tickets.rows if ticket.language})
    }
    notes = {
        "data": {"rows": len(tickets.rows), "fingerprint": tickets.fingerprint},
        "training": {
            "method": "head",
            "seed": config.seed,
            "folds": config.folds,
            "regularisation": config.regularisation,
            "precision": config.precision,
        },
        "metrics": {"how": f"{config.folds}-fold cross-validation, grouped", "tasks": metrics},
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    about = {"name": encoder.name, "fingerprint": encoder.fingerprint, "dimension": encoder.dimension}
    return Bundle(config.name, config.version, about, features.scale, heads, centers, notes)


@dataclass(frozen=True, slots=True)
class _Features:
    """Vectors and n-gram counts of all rows and of their copies in another spelling; `copy_of` has each copy's row."""

    vectors: Vectors
    counts: sp.csr_matrix
    copy_vectors: Vectors
    copy_counts: sp.csr_matrix
    copy_of: NDArray[np.intp]
    scale: FeatureScale

    @classmethod
    def of(cls, rows: Sequence[Ticket], encoder: Encoder) -> "_Features":
        texts = [normalize(row.text) for row in rows]
        copies = [(at, other) for at, text in enumerate(texts) if (other := respelled(text)) is not None]
        every = [*texts, *(other for _, other in copies)]
        vectors, counts = encoder.encode(every), lexical_counts(every)
        own = len(texts)
        scale = FeatureScale.fit(vectors[:own], counts[:own])
        copy_of = np.array([at for at, _ in copies], np.intp)
        return cls(vectors[:own], counts[:own], vectors[own:], counts[own:], copy_of, scale)

    def training_rows(self, rows: NDArray[np.intp], scale: FeatureScale) -> tuple[Any, NDArray[np.intp]]:
        """The feature matrix of `rows` and their copies, and the row number behind each line of it."""
        copies = np.flatnonzero(np.isin(self.copy_of, rows))
        own = scale.joined(self.vectors[rows], self.counts[rows])
        if not len(copies):
            return own, rows
        without = scale.joined(self.copy_vectors[copies], self.copy_counts[copies])
        return sp.vstack([own, without], format="csr"), np.concatenate([rows, self.copy_of[copies]])


def _train_task(
    task: str, tickets: Sequence[Ticket], features: _Features, config: TrainingConfig
) -> tuple[Head, dict[str, Any]]:
    rows = np.array([at for at, ticket in enumerate(tickets) if task in ticket.labels], np.intp)
    names = [tickets[at].label(task) for at in rows]
    labels = sorted(set(names))
    groups = [tickets[at].group for at in rows]
    if len(labels) < 2 or len(set(groups)) < 2 or len(labels) == len(rows):
        raise BadTrainingData(
            f"Task {task!r} has {len(labels)} label(s) on {len(rows)} row(s) in {len(set(groups))} group(s); at least "
            "two labels and two groups are needed, and a label on two rows."
        )
    truth = np.array([labels.index(name) for name in names], np.intp)
    held_out = np.full((len(rows), len(labels)), -1.5, np.float32)
    for inside, outside in grouped_folds(names, groups, folds=config.folds, seed=config.seed):
        scale = FeatureScale.fit(features.vectors[rows[inside]], features.counts[rows[inside]])
        head = _fit(labels, truth, rows, inside, features, scale, config)
        scored = rows[outside]
        held_out[outside] = head.scores(scale.dense(features.vectors[scored]), scale.lexical(features.counts[scored]))
    sharpness = fit_sharpness(held_out, truth)
    shares = probabilities(held_out, sharpness)
    right = shares.argmax(axis=1) == truth
    threshold = abstention_threshold(shares.max(axis=1), right, config.precision)
    final = _fit(labels, truth, rows, np.arange(len(rows)), features, features.scale, config)
    figures = summary(truth, shares, threshold, [tickets[at].language for at in rows])
    return replace(final, sharpness=sharpness, threshold=threshold), figures


def _fit(
    labels: Sequence[str],
    truth: NDArray[np.intp],
    rows: NDArray[np.intp],
    inside: NDArray[np.intp],
    features: _Features,
    scale: FeatureScale,
    config: TrainingConfig,
) -> Head:
    matrix, behind = features.training_rows(rows[inside], scale)
    number_of = dict(zip(rows.tolist(), truth.tolist(), strict=True))
    target = np.array([number_of[at] for at in behind.tolist()], np.intp)
    dimension = features.vectors.shape[1]
    weights = np.zeros((len(labels), matrix.shape[1]))
    bias = np.full(len(labels), -1.5)
    present = np.unique(target)
    if len(present) > 1:
        machine = LinearSVC(C=config.regularisation, random_state=config.seed).fit(matrix, target)
        if len(present) == 2:
            weights[present] = np.vstack([-machine.coef_, machine.coef_])
            bias[present] = np.concatenate([-machine.intercept_, machine.intercept_])
        else:
            weights[present], bias[present] = machine.coef_, machine.intercept_
    return Head.from_weights(labels, weights, bias, dimension)
