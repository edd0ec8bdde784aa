"""A model card in Markdown, with the metadata that model hubs read (Mitchell et al. 2019, "Model Cards")."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader

from training.evaluate import UNDETERMINED, Evaluation

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


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _escaped(value: Any) -> str:
    return " ".join(str(value).split()).translate(_SPECIAL)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _range(ends: Sequence[float] | None) -> str:
    return f" [{ends[0] * 100:.1f}, {ends[1] * 100:.1f}]" if ends else ""
