"""frontdesk evaluate: how good a bundle is on labelled tickets."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.bundle import Bundle, load_bundle, read_manifest
from models.types import Encoder
from serving import desk
from serving.cli.output import line, progress, warn, writing
from serving.cli.tickets import Group, Labelled, read_for_tasks
from serving.errors import BadSettings
from serving.settings import Settings, read_settings
from training.columns import GROUP
from training.evaluate import OOS_LABEL, Evaluation, TaskEvaluation
from training.evaluate import evaluate as evaluate_bundle
from training.mistakes import confused_pairs, wrong_rows

_WEAKEST = 10
_PAIRS = 5
_SHARES = {
    "accuracy": "accuracy",
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "coverage": "coverage at the thresholds",
    "precision_when_sure": "precision there",
}

Data = Annotated[list[Path], typer.Argument(help="Labelled tickets: .jsonl, .csv, .parquet; or folders of them.")]
Tasks = Annotated[
    list[str] | None, typer.Option(help="NAME or NAME=COLUMN; by default every task that the data has a column for.")
]
Text = Annotated[str | None, typer.Option(help="The column with the text.")]
OosLabel = Annotated[str, typer.Option(help="Marks rows that are about none of the labels.")]


def evaluate(
    bundle: Annotated[str, typer.Argument(help="NAME@VERSION, NAME, live, starter or a folder.")],
    data: Data,
    task: Tasks = None,
    text: Text = None,
    group: Group = GROUP,
    oos_label: OosLabel = OOS_LABEL,
    report: Annotated[
        Path | None, typer.Option(help="A new folder for a report, metrics.json and a model card.")
    ] = None,
    wrong: Annotated[Path | None, typer.Option(help="A .jsonl file for the rows that are wrong.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure a bundle on tickets that it was not trained on: quality by label and language, calibration, coverage."""
    if report is not None and report.exists():
        raise BadSettings(f"{report} exists already; name a new folder, or delete it first.")
    (evaluation,) = evaluations([bundle], Labelled(data, task or [], text, group, oos_label))
    if evaluation.seen_in_training:
        warn(f"{evaluation.bundle} was trained on these very rows: its figures say nothing about new messages.")
    if wrong is not None:
        _write_wrong(evaluation, wrong)
    if report is not None:
        _write_report(evaluation, report)
    if json:
        typer.echo(line(evaluation.as_json()))
        return
    for name, evaluated in evaluation.tasks.items():
        _show(name, evaluated)


def evaluations(
    references: Sequence[str], data: Labelled, loaded: dict[str, Encoder] | None = None
) -> list[Evaluation]:
    """Each bundle on the same tickets, for the tasks that it has; they may stand on different encoders.

    Args:
        loaded: encoders by name, where some are there already.

    Raises:
        BadTrainingData: when the tickets cannot be read, or no bundle has a task that is asked for.
    """
    settings = read_settings()
    registry = desk.open_registry(settings)
    folders = [registry.find(reference) for reference in references]
    abouts = [read_manifest(folder)["tasks"] for folder in folders]
    known = {task: bool(about["multi_label"]) for tasks_of in abouts for task, about in tasks_of.items()}
    tickets, wanted = read_for_tasks(data, known)
    encoders = loaded or {}
    done = []
    with progress() as bar:
        for folder in folders:
            bundle, encoder = _load(folder, settings, encoders)
            job = bar.add_task(bundle.reference, total=len(tickets.rows))
            own = [task for task in wanted if task in bundle.heads]
            advance = partial(bar.advance, job)
            done.append(evaluate_bundle(bundle, encoder, tickets, own, oos_label=data.oos_label, advance=advance))
    return done


def _load(folder: Path, settings: Settings, loaded: dict[str, Encoder]) -> tuple[Bundle, Encoder]:
    """A bundle with the desk's encoder, or else with the one that it names.

    Args:
        loaded: encoders by name; a new one is added.
    """
    trained_on = read_manifest(folder)["encoder"]
    for name in (settings.encoder, trained_on["name"]):
        if name not in loaded:
            loaded[name] = desk.open_encoder(settings.model_copy(update={"encoder": name}))
        if loaded[name].fingerprint == trained_on["fingerprint"]:
            break
    return load_bundle(folder, loaded[name]), loaded[name]


def _write_wrong(evaluation: Evaluation, path: Path) -> None:
    with writing(path) as file:
        for evaluated in evaluation.tasks.values():
            file.writelines(f"{line(row)}\n" for row in wrong_rows(evaluated))


def _write_report(evaluation: Evaluation, folder: Path) -> None:
    # Here and not above: only this wants Plotly.
    from training.report import PAGE, write_report

    try:
        write_report(evaluation, folder)
    except OSError as error:
        raise BadSettings(f"The report cannot be written to {folder} ({error.strerror}).") from error
    warn(f"report in {folder / PAGE}")


def _show(name: str, evaluated: TaskEvaluation) -> None:
    figures = evaluated.figures
    console = Console(markup=False, highlight=False, emoji=False)
    console.print(f"\n{name}: {figures['rows']:,} rows, {len(figures['labels'])} labels", style="bold")
    if figures["unknown_labels"]:
        unknown = ", ".join(f"{label} ({rows})" for label, rows in figures["unknown_labels"].items())
        console.print(f"left out, with labels that the bundle does not know: {unknown}")
    if not figures["rows"]:
        return
    console.print(_summary(figures))
    console.print(_by_language(figures["languages"]))
    console.print(_weakest(figures["labels"]))
    for pair in confused_pairs(evaluated, most=_PAIRS, examples=0):
        console.print(f"{pair.count:5,} rows of {pair.truth} given {pair.given} ({pair.share:.1%})")


def _summary(figures: dict[str, Any]) -> Table:
    table = table_of("", "", "95 % interval")
    for key, title in _SHARES.items():
        if key in figures:
            table.add_row(title, _percent(figures[key]), _range(figures["intervals"].get(key)))
    table.add_row("calibration error", _three(figures["ece"]), "")
    if found := figures["out_of_scope"]:
        area, recall = found["intervals"].get("auroc"), found["intervals"].get("recall_at_2_percent")
        table.add_row("out of scope: rows", f"{found['rows']:,}", "")
        table.add_row("  AUROC", _three(found["auroc"]), "–".join(map(_three, area or [])))
        table.add_row("  found at 2 % false alarms", _percent(found["recall_at_2_percent"]), _range(recall))
        table.add_row("  left without a label", _percent(found["abstained"]), "")
    return table


def _by_language(languages: dict[str, Any]) -> Table:
    table = table_of("language", "rows", "accuracy", "95 % interval", "macro-F1", "coverage", "precision there")
    for name, known in languages.items():
        table.add_row(
            name,
            f"{known['support']:,}",
            _percent(known["accuracy"]),
            _range(known["intervals"].get("accuracy")),
            *(_percent(known[key]) for key in ("macro_f1", "coverage", "precision_when_sure")),
        )
    return table


def _weakest(labels: dict[str, Any]) -> Table:
    imperfect = [(label, known) for label, known in labels.items() if known["support"] and known["f1"] < 1]
    table = table_of("weakest labels", "rows", "F1", "95 % interval", "precision", "recall")
    for label, known in sorted(imperfect, key=lambda entry: entry[1]["f1"])[:_WEAKEST]:
        table.add_row(
            label,
            f"{known['support']:,}",
            _percent(known["f1"]),
            _range(known["intervals"].get("f1")),
            *(_percent(known[key]) for key in ("precision", "recall")),
        )
    return table


def table_of(*headings: str) -> Table:
    """A plain table: words to the left, the figures after them to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at else "left", overflow="fold")
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _three(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"


def _range(ends: Sequence[float] | None) -> str:
    return f"{ends[0] * 100:.1f}–{ends[1] * 100:.1f}" if ends else ""
