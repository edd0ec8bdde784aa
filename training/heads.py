"""The head of one task: strength by cross-validation, probabilities and thresholds from rows it did not see."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureScale
from models.heads import Head
from models.scope import TRAITS, label_means, traits_of
from models.types import Vectors
from training.calibration import calibrate
from training.features import Numbers, TrainingTexts
from training.machines import FEW, Strength, fit_head
from training.metrics import summary
from training.scope import fit_scope
from training.splits import Fold
from training.targets import Target

STRENGTHS = (0.25, 0.5, 1.0)
"""Values of C to choose from."""
ROWS_TO_CHOOSE = 5_000
"""Rows that the strengths are compared on: they rank alike on part of the data, in a fraction of the time."""
_UNEVEN = 5.0
"""How much commoner than the rarest label the commonest is where weighting rare ones is tried."""


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """
    Attributes:
        precision: what the thresholds hold on held-out rows.
        strengths: values of C to choose from.
        false_alarms: the share of known rows that may be taken for out of scope.
    """

    seed: int = 13
    precision: float = 0.9
    strengths: tuple[float, ...] = STRENGTHS
    false_alarms: float = 0.02


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A head, its figures on held-out rows, and what was chosen for it."""

    head: Head
    figures: dict[str, Any]
    chosen: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """Scores of rows by heads that saw neither them nor their groups; `rows` are positions among the target's."""

    rows: Numbers
    scores: NDArray[np.float32]
    traits: NDArray[np.float32]


def train_head(
    target: Target,
    texts: TrainingTexts,
    vectors: Vectors,
    scale: FeatureScale,
    folds: Sequence[Fold],
    fold_vectors: Sequence[Vectors],
    languages: Sequence[str | None],
    config: HeadConfig,
    learn: Numbers | None = None,
) -> TrainedHead:
    """Choose the strength on the first fold, score held-out rows by all folds, calibrate on them, fit on everything.

    Args:
        vectors: of every line, as the bundle will read them with `scale`.
        folds: positions among the target's rows.
        fold_vectors: for each fold, vectors by an encoder that did not see its held-out rows; `vectors` themselves
            where the encoder is not trained.
        languages: of every row.
        learn: numbers of the rows that the final head learns from; all of them by default.
    """
    strength = _strongest(target, texts, fold_vectors[0], folds[0], config)
    held = _held_out(target, texts, folds, fold_vectors, strength, config.seed)
    truth = target.truth[held.rows]
    own = np.arange(len(target.rows)) if learn is None else np.flatnonzero(np.isin(target.rows, learn))
    final = fit_head(target, own, texts, vectors, scale, strength, seed=config.seed)
    found = calibrate(held.scores, truth, multi_label=target.multi_label, precision=config.precision)
    scope = fit_scope(
        target,
        texts,
        vectors,
        scale,
        folds[0],
        fold_vectors[0],
        held.traits,
        strength,
        false_alarms=config.false_alarms,
        seed=config.seed,
    )
    head = replace(
        final, bias=final.bias + found.offsets, sharpness=found.sharpness, thresholds=found.thresholds, scope=scope
    )
    foreign = scope.score(held.traits) if scope else np.zeros(len(truth), np.float32)
    figures = summary(
        truth, head.scored(held.scores + found.offsets, foreign), [languages[at] for at in target.rows[held.rows]]
    )
    chosen = asdict(strength)
    return TrainedHead(head, figures, chosen)


def _strongest(target: Target, texts: TrainingTexts, vectors: Vectors, fold: Fold, config: HeadConfig) -> Strength:
    """The strength that is right most often, by accuracy and macro-F1 alike, on the held-out rows of one fold."""
    inside, outside = fold
    if len(inside) > ROWS_TO_CHOOSE:
        inside = np.sort(np.random.default_rng(config.seed).choice(inside, ROWS_TO_CHOOSE, replace=False))
    counts = target.truth[inside].sum(axis=0)
    uneven = not target.multi_label and counts.max() > _UNEVEN * max(counts.min(), 1)
    scale = texts.scale(vectors, target.rows[inside])
    softmax = len(target.rows) <= FEW and not target.multi_label
    best, reached = Strength(config.strengths[0]), -1.0
    for strength in (
        Strength(c, balanced, softmax) for balanced in ((False, True) if uneven else (False,)) for c in config.strengths
    ):
        head = fit_head(target, inside, texts, vectors, scale, strength, seed=config.seed)
        scores = texts.scores(head, scale, vectors, target.rows[outside])
        scored = head.scored(scores, np.zeros(len(outside), np.float32))
        figures = summary(target.truth[outside], scored, [None] * len(outside))
        # Of equal ones the stronger: it comes first.
        if (value := figures["accuracy"] + figures["macro_f1"]) > reached:
            best, reached = strength, value
    return best


def _held_out(
    target: Target,
    texts: TrainingTexts,
    folds: Sequence[Fold],
    fold_vectors: Sequence[Vectors],
    strength: Strength,
    seed: int,
) -> _HeldOut:
    rows, scores, marks = [], [], []
    for (inside, outside), vectors in zip(folds, fold_vectors, strict=True):
        scale = texts.scale(vectors, target.rows[inside])
        head = fit_head(target, inside, texts, vectors, scale, strength, seed=seed)
        found = texts.scores(head, scale, vectors, target.rows[outside])
        rows.append(outside)
        scores.append(found)
        marks.append(_traits(target, inside, outside, vectors, scale, found))
    order = np.argsort(np.concatenate(rows), kind="stable")
    return _HeldOut(np.concatenate(rows)[order], np.concatenate(scores)[order], np.concatenate(marks)[order])


def _traits(
    target: Target,
    inside: Numbers,
    outside: Numbers,
    vectors: Vectors,
    scale: FeatureScale,
    scores: NDArray[np.float32],
) -> NDArray[np.float32]:
    if target.multi_label:
        return np.zeros((len(outside), TRAITS), np.float32)
    means = label_means(scale.dense(vectors[target.rows[inside]]), target.numbers[inside], len(target.labels))
    return traits_of(scale.dense(vectors[target.rows[outside]]), scores, means)
