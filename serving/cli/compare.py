"""frontdesk models compare: what changes from one bundle to another."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from serving.cli.evaluate import Data, OosLabel, Tasks, Text, evaluations, table_of
from serving.cli.output import line
from serving.cli.tickets import Group, Labelled
from training.columns import GROUP
from training.compare import Difference, TaskComparison
from training.compare import compare as compare_evaluations
from training.evaluate import OOS_LABEL

_SHOWN = 15
_ROWS = 5
_LESS_IS_BETTER = "calibration error"
_TITLES = {
    "accuracy": "accuracy",
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "ece": _LESS_IS_BETTER,
    "coverage": "coverage at the thresholds",
    "precision_when_sure": "precision there",
    "out_of_scope_auroc": "out of scope: AUROC",
    "out_of_scope_recall_at_2_percent": "out of scope: found at 2 % false alarms",
}


def compare(
    a: Annotated[str, typer.Argument(help="NAME@VERSION, NAME, live, starter or a folder.")],
    b: Annotated[str, typer.Argument(help="The same; differences are of this one from the other.")],
    data: Data,
    task: Tasks = None,
    text: Text = None,
    group: Group = GROUP,
    oos_label: OosLabel = OOS_LABEL,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure two bundles on the same tickets: differences with paired intervals, and the rows that changed."""
    one, other = evaluations([a, b], Labelled(data, task or [], text, group, oos_label))
    comparison = compare_evaluations(one, other)
    if json:
        typer.echo(line(comparison.as_json()))
        return
    console = Console(markup=False, highlight=False, emoji=False)
    for name, about in comparison.tasks.items():
        _show(console, f"{name}: {comparison.a} and {comparison.b} on {about.rows:,} rows", about)


def _show(console: Console, title: str, about: TaskComparison) -> None:
    console.print(f"\n{title}", style="bold")
    for labels, whose in ((about.only_a, "the first"), (about.only_b, "the second")):
        if labels:
            console.print(f"labels that only {whose} knows: {', '.join(labels)}")
    _table(console, "", [(title, about.figures.get(key)) for key, title in _TITLES.items()])
    if len(about.languages) > 1:
        _table(console, "accuracy by language", [(name, known["accuracy"]) for name, known in about.languages.items()])
    changed = [(label, known["f1"]) for label, known in about.labels.items() if known["f1"].direction]
    changed.sort(key=lambda entry: entry[1].value or 0)
    if changed:
        _table(console, "F1 of labels that changed", changed if len(changed) <= _SHOWN else _ends(changed))
    else:
        console.print("no label's F1 changed beyond its interval")
    for rows, what in ((about.broken, "right before and wrong now"), (about.fixed, "wrong before and right now")):
        console.print(f"{len(rows):,} rows {what}")
        for row in rows[:_ROWS]:
            console.print(f"  {_told(row)}", overflow="ellipsis", no_wrap=True)


def _table(console: Console, heading: str, entries: Sequence[tuple[str, Difference | None]]) -> None:
    table = table_of(heading, "first", "second", "difference", "95 % interval", "")
    for name, difference in entries:
        if difference is not None:
            low, high = difference.interval or (None, None)
            ends = f"{_signed(low)} … {_signed(high)}"
            better = -difference.direction if name == _LESS_IS_BETTER else difference.direction
            verdict = {-1: "worse", 0: "", 1: "better"}[better]
            table.add_row(name, *map(_three, (difference.a, difference.b)), _signed(difference.value), ends, verdict)
    console.print(table)


def _ends(changed: Sequence[tuple[str, Difference]]) -> list[tuple[str, Difference]]:
    """The worst, and the best."""
    return [*changed[: _SHOWN - _SHOWN // 3], *changed[-(_SHOWN // 3) :]]


def _told(row: Mapping[str, Any]) -> str:
    return f"{row['truth']}: {row['a']['predicted']} -> {row['b']['predicted']}  {' '.join(row['text'].split())}"


def _three(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"


def _signed(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:+.3f}"
