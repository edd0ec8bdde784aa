"""An evaluation as a folder for people: a page with charts that needs no network, the figures, and a model card."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader
from plotly.offline import get_plotlyjs

from models.files import whole_folder
from training.charts import charts
from training.evaluate import Evaluation, TaskEvaluation
from training.mistakes import confused_pairs, wrong_rows
from training.model_card import model_card

PAGE, METRICS, CARD = "report.html", "metrics.json", "model-card.md"
_TEMPLATES = Path(__file__).parent / "templates"
_PAIRS = 25
_WRONG = 25


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Write `report.html`, `metrics.json` and `model-card.md` into a new folder, all of them or none.

    Raises:
        OSError: when the folder has files already or the disk is full.
    """
    page, figures = _page(evaluation), json.dumps(evaluation.as_json(), ensure_ascii=False, indent=1, allow_nan=False)
    with whole_folder(folder) as scratch:
        (scratch / PAGE).write_text(page, encoding="utf-8")
        (scratch / METRICS).write_text(figures + "\n", encoding="utf-8")
        (scratch / CARD).write_text(model_card(evaluation), encoding="utf-8")


def _page(evaluation: Evaluation) -> str:
    # Labels and messages are strangers' words: the template escapes every value that is not marked safe in it, and if
    # one slipped through, the content security policy would run no script but these two and load nothing.
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    environment.filters["named"] = _named
    drawn = {f"task-{at}": charts(task) for at, task in enumerate(evaluation.tasks.values())}
    scripts = {"plotly_js": get_plotlyjs(), "js": (_TEMPLATES / "report.js").read_text(encoding="utf-8")}
    return environment.get_template(PAGE).render(
        bundle=evaluation.bundle,
        encoder=evaluation.encoder,
        data=evaluation.as_json()["data"],
        tasks=[_task(name, task, drawn[name]) for name, task in zip(drawn, evaluation.tasks.values(), strict=True)],
        charts_json=_script_json(drawn),
        css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script_hashes=" ".join(f"'sha256-{_digest(script)}'" for script in scripts.values()),
        **scripts,
    )


def _task(name: str, task: TaskEvaluation, drawn: Mapping[str, go.Figure]) -> dict[str, Any]:
    figures = task.figures
    met = [(label, known) for label, known in figures["labels"].items() if known["support"] or known["given"]]
    wrong = wrong_rows(task)
    return {
        "id": name,
        "name": task.task,
        "figures": figures,
        "charts": {chart: {"height": figure.layout.height} for chart, figure in drawn.items()},
        "pairs": confused_pairs(task, most=_PAIRS) if len(task.in_scope) else [],
        "wrong": [row for row, _ in zip(wrong, range(_WRONG), strict=False)],
        "labels": sorted(met, key=lambda entry: (entry[1]["f1"], entry[0])),
    }


def _script_json(drawn: Mapping[str, Mapping[str, go.Figure]]) -> str:
    """JSON that cannot end the script element it stands in."""
    parsed = {
        task: {name: json.loads(figure.to_json()) for name, figure in some.items()} for task, some in drawn.items()
    }
    return json.dumps(parsed, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _named(labels: str | list[str]) -> str:
    return labels if isinstance(labels, str) else ", ".join(labels) or "none"
