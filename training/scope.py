"""A task's sense of what it does not know, learned without one example of it: by hiding labels from itself.

A third of the labels is taken out, machines learn the others, and the rows of the third are what "unknown" looks like;
three times. Rows that the data marks as out of scope are added where there are any.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.features import FeatureScale
from models.scope import Scope, label_means, traits_of
from models.types import Vectors
from training.features import Numbers, TrainingTexts
from training.machines import Strength, fit_head
from training.splits import Fold
from training.targets import Target

PARTS = 3
FEWEST_LABELS = 6
"""With fewer labels than this, hiding a third of them says little about what else people write."""
MOST_ROWS = 5_000
"""Rows to learn from are drawn down to this number; two weights and a bias need no more."""


def fit_scope(
    target: Target,
    texts: TrainingTexts,
    vectors: Vectors,
    scale: FeatureScale,
    fold: Fold,
    fold_vectors: Vectors,
    known: NDArray[np.float32],
    strength: Strength,
    *,
    false_alarms: float,
    seed: int,
) -> Scope | None:
    """The scope of a head, or None for a task that is multi-label or has few labels.

    Args:
        vectors: of every line, as the final head reads them, with `scale`.
        fold: whose rows labels are hidden in: learned from on one side, looked at on the other.
        fold_vectors: vectors by an encoder that did not see the fold's held-out rows.
        known: traits of held-out rows with all labels learned; the threshold is set on them.
    """
    if target.multi_label or len(target.labels) < FEWEST_LABELS:
        return None
    draw = np.random.default_rng(seed)
    hidden_in = draw.permutation(len(target.labels)) % PARTS
    inside, outside = (_at_most(rows, MOST_ROWS, draw) for rows in fold)
    seen, unseen = [], []
    for part in range(PARTS):
        hidden = hidden_in[target.numbers] == part
        learned = inside[~hidden[inside]]
        part_scale = texts.scale(fold_vectors, target.rows[learned])
        head = fit_head(target, learned, texts, fold_vectors, part_scale, strength, seed=seed)
        means = _means(target, learned, fold_vectors, part_scale)
        # The columns of hidden labels would give them away.
        columns = np.flatnonzero(hidden_in != part)
        scores = texts.scores(head, part_scale, fold_vectors, target.rows[outside])[:, columns]
        found = traits_of(part_scale.dense(fold_vectors[target.rows[outside]]), scores, means[:, columns])
        seen.append(found[~hidden[outside]])
        unseen.append(found[hidden[outside]])
    if len(target.foreign):
        scores_of_fold = fit_head(target, inside, texts, fold_vectors, scale, strength, seed=seed)
        scores = texts.scores(scores_of_fold, scale, fold_vectors, target.foreign)
        means = _means(target, inside, fold_vectors, scale)
        unseen.append(traits_of(scale.dense(fold_vectors[target.foreign]), scores, means))
    weights, bias = _separate(np.concatenate(seen), np.concatenate(unseen))
    final = Scope(_means(target, np.arange(len(target.rows)), vectors, scale), weights, bias, 1.0)
    alarms = np.quantile(final.score(known).astype(np.float64), 1 - false_alarms, method="higher")
    # Above the quantile, so that no more than the share of false alarms reaches it.
    return Scope(final.means, weights, bias, round(float(alarms) + 1e-4, 4))


def _means(target: Target, inside: Numbers, vectors: Vectors, scale: FeatureScale) -> NDArray[np.float32]:
    return label_means(scale.dense(vectors[target.rows[inside]]), target.numbers[inside], len(target.labels))


def _separate(seen: NDArray[np.float32], unseen: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Weights and bias under which the traits of unseen labels come out above those of seen ones."""
    every = np.concatenate([seen, unseen])
    mean, spread = every.mean(axis=0), every.std(axis=0) + 1e-6
    truth = np.repeat([False, True], [len(seen), len(unseen)])
    line = LogisticRegression(class_weight="balanced").fit((every - mean) / spread, truth)
    weights = (line.coef_[0] / spread).astype(np.float32)
    return weights, float(np.float32(line.intercept_[0] - weights @ mean))


def _at_most(rows: Numbers, most: int, draw: np.random.Generator) -> Numbers:
    return rows if len(rows) <= most else np.sort(draw.choice(rows, most, replace=False))
