"""From labelled tickets to a bundle: one head per task, on the encoder as it is or adapted to the data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.languages import UNDETERMINED
from models.types import Encoder, Vectors
from training.data import Tickets
from training.features import Numbers, TrainingTexts
from training.heads import STRENGTHS, HeadConfig, train_head
from training.languages import Elsewhere
from training.splits import Fold, grouped_folds
from training.targets import Target, targets_of, with_names

_LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch", "transformers", "sentence-transformers", "safetensors")

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """
    Attributes:
        folds: of the cross-validation that chooses and calibrates.
        precision: what the heads' thresholds hold on held-out rows; below it they abstain.
        strengths: values of the machines' C to choose from.
        oos_label: marks rows about none of the labels; no head learns it, and the out-of-scope score does.
        noise: whether rows are learned from a second time, with the noise of real channels on them.
        names: whether the name of each label is learned from as one more message with it.
    """

    name: str = "desk"
    version: int = 1
    seed: int = 13
    folds: int = 4
    precision: float = 0.9
    strengths: tuple[float, ...] = STRENGTHS
    oos_label: str | None = None
    noise: bool = False
    names: bool = False


def train(
    tickets: Tickets,
    tasks: Sequence[str],
    encoder: Encoder,
    config: TrainingConfig,
    *,
    valid: Numbers | None = None,
    encode: Encode | None = None,
) -> Bundle:
    """Train one head per task on the frozen encoder.

    Strength, probabilities and thresholds come from grouped cross-validation, and so do the metrics in the manifest:
    each row is scored by a head that saw neither it nor its group. The heads of the bundle are then fitted on all rows.

    Args:
        valid: numbers of rows to choose and calibrate on in place of cross-validation; nothing learns from them.
        encode: stands in for `encoder.encode`, to remember vectors or to show progress.

    Raises:
        BadTrainingData: when a task has fewer than two labels or groups, or every label once.
    """
    tickets, targets = learned(tickets, tasks, config)
    texts = TrainingTexts.of(tickets.rows, noise=config.noise)
    elsewhere = Elsewhere.of([ticket.language for ticket in tickets.rows])
    read = (encode or encoder.encode)((*texts.texts, *elsewhere.texts))
    vectors, shifts = read[: len(texts.texts)], elsewhere.shifts(read[len(texts.texts) :])
    if valid is None:
        how = f"{config.folds}-fold cross-validation, grouped"
        learn = None
        folds = {
            task: grouped_folds(
                target.strata,
                target.groups,
                folds=config.folds,
                seed=config.seed,
                names=int((target.rows >= tickets.given).sum()),
            )
            for task, target in targets.items()
        }
    else:
        how = "a validation set"
        learn = np.setdiff1d(np.arange(texts.rows), valid)
        folds = {task: [target.fold(learn, valid)] for task, target in targets.items()}
    fold_vectors = {task: [vectors] * len(found) for task, found in folds.items()}
    about = {"method": "head", "held_out": how}
    bundle = assembled(
        tickets, targets, texts, vectors, folds, fold_vectors, encoder, config, about, base=vectors, learn=learn
    )
    return replace(bundle, language_shifts=shifts)


def learned(tickets: Tickets, tasks: Sequence[str], config: TrainingConfig) -> tuple[Tickets, dict[str, Target]]:
    """What each task learns from, with the names of its labels among the rows if that is asked for.

    Raises:
        BadTrainingData: see `Target.of`; names do not make up for rows.
    """
    targets = targets_of(tickets, tasks, config.oos_label)
    if config.names:
        tickets = with_names(tickets, targets.values())
        targets = targets_of(tickets, tasks, config.oos_label)
    return tickets, targets


def assembled(
    tickets: Tickets,
    targets: Mapping[str, Target],
    texts: TrainingTexts,
    vectors: Vectors,
    folds: Mapping[str, Sequence[Fold]],
    fold_vectors: Mapping[str, Sequence[Vectors]],
    encoder: Encoder,
    config: TrainingConfig,
    how: Mapping[str, Any],
    *,
    base: Vectors,
    learn: Numbers | None = None,
) -> Bundle:
    """Heads for all targets, and what a bundle says of where it comes from.

    Args:
        vectors: of every line, as the bundle's heads will read them.
        folds: of each task.
        fold_vectors: of each task's folds.
        base: of every row, by the encoder as it is.
        learn: numbers of the rows that the final heads learn from; all of them by default.
    """
    languages = [ticket.language for ticket in tickets.rows]
    settings = HeadConfig(config.seed, config.precision, config.strengths)
    scale = texts.scale(vectors, np.arange(texts.rows))
    trained = {
        task: train_head(target, texts, vectors, scale, folds[task], fold_vectors[task], languages, settings, learn)
        for task, target in targets.items()
    }
    names = np.array(languages, dtype=object)
    centers = {name: base[: texts.rows][names == name].mean(axis=0) for name in sorted({n for n in languages if n})}
    centers[UNDETERMINED] = base[: tickets.given].mean(axis=0)
    notes = {
        "data": {"rows": tickets.given, "fingerprint": tickets.fingerprint},
        "training": {**how, "seed": config.seed, "precision": config.precision, "noise": config.noise}
        | {"names": config.names}
        | {"tasks": {task: found.chosen for task, found in trained.items()}},
        "metrics": {"how": how["held_out"], "tasks": {task: found.figures for task, found in trained.items()}},
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    about = {"name": encoder.name, "fingerprint": encoder.fingerprint, "dimension": encoder.dimension}
    heads = {task: found.head for task, found in trained.items()}
    return Bundle(config.name, config.version, about, scale, heads, centers, notes)
