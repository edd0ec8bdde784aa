"""A model card in Markdown, with the metadata that model hubs read (Mitchell et al. 2019, "Model Cards")."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader

from training.evaluate import UNDETERMINED, Evaluation, TaskEvaluation

FEW = 30
"""Rows under which a figure of a label or a language is a guess: its interval is 20 points wide and more."""
_NAMED = 10
_SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#~$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def model_card(evaluation: Evaluation) -> str:
    # Markdown has its own escapes, applied to every name by the filter `md`.
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), trim_blocks=True)  # noqa: S701
    environment.filters |= {"md": _escaped, "percent": _percent, "range": _range}
    return environment.get_template("model-card.md").render(
        front=_front_matter(evaluation),
        bundle=evaluation.bundle,
        encoder=evaluation.encoder,
        trained_on=evaluation.notes.get("data"),
        training={
            name: value
            for name, value in evaluation.notes.get("training", {}).items()
            if not isinstance(value, dict | list)
        },
        libraries=evaluation.notes.get("libraries", {}),
        rows=evaluation.rows,
        fingerprint=evaluation.fingerprint,
        tasks=[{"name": name, "figures": task.figures} for name, task in evaluation.tasks.items()],
        limits=list(_limits(evaluation)),
    )


def _front_matter(evaluation: Evaluation) -> str:
    languages = {name for task in evaluation.tasks.values() for name in task.languages} - {UNDETERMINED}
    results = [
        {
            "task": {"type": "text-classification", "name": name},
            "dataset": {"type": "tickets", "name": evaluation.fingerprint},
            "metrics": [
                {"type": metric, "value": task.figures[key]}
                for metric, key in (("accuracy", "accuracy"), ("f1", "macro_f1"))
                if task.figures[key] is not None
            ],
        }
        for name, task in evaluation.tasks.items()
    ]
    front = {
        "language": sorted(languages),
        "library_name": "frontdesk",
        "pipeline_tag": "text-classification",
        "base_model": evaluation.encoder.get("name"),
        "model-index": [{"name": evaluation.bundle, "results": results}],
    }
    return yaml.safe_dump(front, allow_unicode=True, sort_keys=False)


def _limits(evaluation: Evaluation) -> Iterator[str]:
    """What the figures do not say, as far as the data shows it."""
    if evaluation.seen_in_training:
        yield "The bundle was trained on these very rows: the figures say nothing about new messages."
    yield "The figures hold for messages like those of the evaluation; other channels, times and customers differ."
    for name, task in evaluation.tasks.items():
        figures = task.figures
        yield from _weak(name, task, evaluation.notes.get("training", {}).get("precision"))
        unseen = [label for label, known in figures["labels"].items() if not known["support"]]
        few = [label for label, known in figures["labels"].items() if 0 < known["support"] < FEW]
        thin = [language for language, known in figures["languages"].items() if known["support"] < FEW]
        if unseen:
            yield f"{name}: no row of {_listed(unseen)}."
        if few:
            yield f"{name}: fewer than {FEW} rows of {_listed(few)}; look at their intervals."
        if thin:
            yield f"{name}: fewer than {FEW} rows in {_listed(thin)}."
        if set(figures["languages"]) <= {UNDETERMINED}:
            yield f"{name}: no row names its language, so that nothing is known by language."
        if figures["out_of_scope"] is None:
            yield f"{name}: no row lies outside all labels, so that the out-of-scope score was not tested."
        if unknown := list(figures["unknown_labels"]):
            yield f"{name}: rows with labels that the bundle does not know are left out: {_listed(unknown)}."


def _weak(name: str, task: TaskEvaluation, precision: float | None) -> Iterator[str]:
    """Where the bundle is worse than on the whole, of what has rows enough to tell.

    Args:
        precision: what its thresholds were chosen for.
    """
    figures = task.figures
    enough = {label: known for label, known in figures["labels"].items() if known["support"] >= FEW}
    weakest = sorted((known["f1"], label) for label, known in enough.items() if known["f1"] < figures["macro_f1"] - 0.1)
    if weakest:
        yield f"{name}: weak at {_listed([f'{label} (F1 {_percent(f1)})' for f1, label in weakest])}."
    behind = sorted(
        (known["accuracy"], language)
        for language, known in figures["languages"].items()
        if known["support"] >= FEW and known["intervals"]["accuracy"][1] < figures["accuracy"]
    )
    if behind:
        said = [f"{language} (accuracy {_percent(accuracy)})" for accuracy, language in behind]
        yield f"{name}: clearly behind the whole in {_listed(said)}."
    broken = sorted(
        (known["precision_when_sure"], label)
        for label, known in enough.items()
        if precision and known["precision_when_sure"] is not None and known["precision_when_sure"] < precision - 0.1
    )
    if broken:
        said = [f"{label} ({_percent(share)})" for share, label in broken]
        yield f"{name}: thresholds chosen for a precision of {precision:.0%} do not hold it for {_listed(said)}."
    if figures["coverage"] is not None and figures["coverage"] < 0.5:
        yield f"{name}: sure of {_percent(figures['coverage'])} of the messages alone."


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _escaped(value: Any) -> str:
    return " ".join(str(value).split()).translate(_SPECIAL)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _range(ends: Sequence[float] | None) -> str:
    return f" [{ends[0] * 100:.1f}, {ends[1] * 100:.1f}]" if ends else ""
