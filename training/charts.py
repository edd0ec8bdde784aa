"""The charts of a report, as Plotly figures without colours of page and text: those follow the reader's own theme."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from training.evaluate import TaskEvaluation
from training.metrics import BINS, FALSE_ALARMS, bins, claims, confusion, precision_by_coverage

MAX_MATRIX = 300
"""Labels in the whole matrix; of more, those with the most errors: a screen has no pixels for others."""
MAX_CONFUSED = 25
_POINTS = 1_000
_NAME = 34
"""Characters of a label on an axis; the whole name is in what hovering shows."""
BLUE, ORANGE, GREY = "#3b82f6", "#ea7317", "#8a94a6"
_GOOD = [[0, "rgba(59,130,246,.18)"], [1, "rgba(59,130,246,1)"]]
# A single error must show, however many rows its label has.
_BAD = [[0, "rgba(234,115,23,.35)"], [0.3, "rgba(234,115,23,1)"], [1, "rgba(190,30,30,1)"]]
# Under numbers, which are to be read in a light and in a dark page.
INK = "#10151c"
_PALE_GOOD = [[0, "#dbe8fd"], [1, "#6ea3f8"]]
_PALE_BAD = [[0, "#fde3cc"], [0.3, "#f39a54"], [1, "#ee7b6c"]]


def charts(task: TaskEvaluation) -> dict[str, go.Figure]:
    """Every chart of a task that its rows allow for, by name."""
    found: dict[str, go.Figure] = {}
    if len(task.in_scope):
        found["confusion"] = confusion_matrix(task)
        if len(confused := _confused(task)):
            found["confused"] = confused_matrix(task, confused)
        found["reliability"] = reliability(task)
        found["coverage"] = precision_coverage(task)
        if len(task.languages) > 1:
            found["languages"] = languages(task.figures["languages"])
        if task.outside.any():
            found["out_of_scope"] = out_of_scope(task)
            found["roc"] = roc(task)
    return found


def confusion_matrix(task: TaskEvaluation) -> go.Figure:
    """Truth down, given label across; blue on the diagonal and orange off it, by share of the true label's rows."""
    counts = confusion(task.outcomes)
    kept = _most_met(counts, MAX_MATRIX)
    labels = [task.scored.labels[at] for at in kept]
    shares, counts = _of_truth(task, counts)[np.ix_(kept, kept)], counts[np.ix_(kept, kept)]
    diagonal = np.eye(len(kept), dtype=bool)
    figure = go.Figure(
        [
            _heatmap(np.where(diagonal & (counts > 0), shares, np.nan), counts, labels, _GOOD),
            _heatmap(np.where(~diagonal & (counts > 0), shares, np.nan), counts, labels, _BAD),
        ]
    )
    # Rows must fit a line of text each: every label of the left axis is to be read at 150 labels too.
    figure.update_layout(height=160 + max(300, len(labels) * (24 if len(labels) < 40 else 10)))
    return _matrix_axes(figure, labels, 9 if len(labels) >= 40 else 12)


def confused_matrix(task: TaskEvaluation, kept: NDArray[np.intp]) -> go.Figure:
    """The labels with the most errors among one another, with counts."""
    counts = confusion(task.outcomes)
    labels = [task.scored.labels[at] for at in kept]
    shares, counts = _of_truth(task, counts)[np.ix_(kept, kept)], counts[np.ix_(kept, kept)]
    diagonal = np.eye(len(kept), dtype=bool)
    parts = []
    for part, scale in ((diagonal, _PALE_GOOD), (~diagonal, _PALE_BAD)):
        shown = part & (counts > 0)
        cells = _heatmap(np.where(shown, shares, np.nan), counts, labels, scale)
        numbers = np.where(shown, counts.astype(str), "").tolist()
        parts.append(cells.update(text=numbers, texttemplate="%{text}", textfont={"color": INK, "size": 13}))
    return _matrix_axes(go.Figure(parts).update_layout(height=180 + len(labels) * 26), labels, 12)


def reliability(task: TaskEvaluation) -> go.Figure:
    """How often what is said with some confidence is right, and how often that confidence is stated."""
    confidence, right = _claims(task)
    bin_of = bins(confidence)
    counts = np.bincount(bin_of, minlength=BINS)
    used = counts > 0
    share_right = np.bincount(bin_of, right, BINS)[used] / counts[used]
    stated = np.bincount(bin_of, confidence, BINS)[used] / counts[used]
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    figure.add_bar(
        x=(np.flatnonzero(used) + 0.5) / BINS,
        y=share_right,
        width=1 / BINS,
        marker={"color": BLUE, "opacity": 0.75, "line": {"width": 1, "color": BLUE}},
        customdata=np.stack([stated, counts[used]], axis=1),
        hovertemplate="stated %{customdata[0]:.3f}, right %{y:.3f}<br>%{customdata[1]:,} rows<extra></extra>",
    )
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": ORANGE}, hoverinfo="skip")
    figure.add_scatter(
        x=stated, y=share_right, mode="markers", marker={"color": ORANGE, "size": 7}, hoverinfo="skip", cliponaxis=False
    )
    figure.add_bar(
        x=(np.arange(BINS) + 0.5) / BINS,
        y=counts,
        width=1 / BINS,
        marker={"color": GREY},
        text=[f"{count:,}" if count else "" for count in counts.tolist()],
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        hovertemplate="%{y:,} rows<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_xaxes(range=[0, 1]).update_xaxes(title="stated confidence", row=2)
    figure.update_yaxes(title="share right", range=[0, 1.03], row=1)
    return _plain(figure.update_yaxes(title="rows", row=2, range=[0, counts.max() * 1.35]), 440)


def precision_coverage(task: TaskEvaluation) -> go.Figure:
    """What precision costs: the share of rows that keep their label as the confidence asked for rises."""
    confidence, right = _claims(task)
    covered, precision = precision_by_coverage(confidence, right)
    if task.scored.multi_label:
        covered = precision * covered * len(right) / max(right.sum(), 1)
    some = np.unique(np.linspace(0, len(covered) - 1, min(_POINTS, len(covered))).astype(int))
    figure = go.Figure()
    figure.add_scatter(
        x=covered[some],
        y=precision[some],
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        name="one threshold for all labels",
        hovertemplate="coverage %{x:.1%}, precision %{y:.1%}<extra></extra>",
    )
    sure = task.figures["precision_when_sure"]
    if sure is not None:
        at = task.figures["coverage"] if not task.scored.multi_label else _recall_when_sure(task)
        figure.add_scatter(
            x=[at],
            y=[sure],
            mode="markers",
            marker={"color": ORANGE, "size": 13, "symbol": "diamond"},
            name="the bundle's thresholds",
            hovertemplate="at the bundle's thresholds<br>coverage %{x:.1%}, precision %{y:.1%}<extra></extra>",
        )
    floor = min(float(precision[some].min()), sure if sure is not None else 1)
    title = "share of true labels given" if task.scored.multi_label else "coverage: share of rows that get a label"
    figure.update_xaxes(title=title, range=[0, 1.01], tickformat=".0%")
    figure.update_yaxes(title="precision", range=[max(0, floor - 0.03), 1.005], tickformat=".0%")
    return _plain(figure, 440, legend=True)


def languages(figures: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Accuracy and macro-F1 of each language with 95 % intervals."""
    names = sorted(figures, key=lambda name: -figures[name]["support"])[::-1]
    figure = go.Figure()
    for key, title, colour in (("macro_f1", "macro-F1", ORANGE), ("accuracy", "accuracy", BLUE)):
        values = [figures[name][key] or 0.0 for name in names]
        ends = [figures[name]["intervals"].get(key, (value, value)) for name, value in zip(names, values, strict=True)]
        figure.add_bar(
            y=[f"{escape(name)} ({figures[name]['support']:,})" for name in names],
            x=values,
            name=title,
            orientation="h",
            marker={"color": colour},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(high - value, 0) for value, (_, high) in zip(values, ends, strict=True)],
                "arrayminus": [max(value - low, 0) for value, (low, _) in zip(values, ends, strict=True)],
                "thickness": 1.5,
                "width": 4,
            },
            hovertemplate=f"%{{y}}<br>{title} %{{x:.1%}}<extra></extra>",
        )
    figure.update_xaxes(range=[0, 1], tickformat=".0%").update_yaxes(automargin=True)
    return _plain(figure.update_layout(barmode="group"), 140 + 46 * len(names), legend=True, reverse_legend=True)


def out_of_scope(task: TaskEvaluation) -> go.Figure:
    """How the out-of-scope scores of rows in and out of scope lie apart."""
    scores = task.scored.out_of_scope
    edges = np.linspace(0, 1, 41)
    figure = go.Figure()
    for rows, name, colour in ((task.in_scope, "in scope", BLUE), (np.flatnonzero(task.outside), "out of it", ORANGE)):
        counts = np.histogram(scores[rows], edges)[0]
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts / max(len(rows), 1),
            width=1 / 40,
            name=f"{name} ({len(rows):,})",
            marker={"color": colour, "opacity": 0.65},
            customdata=counts,
            hovertemplate="score %{x:.2f}: %{customdata:,} rows<extra></extra>",
        )
    figure.update_xaxes(title="out-of-scope score", range=[0, 1])
    figure.update_yaxes(title="share of rows", tickformat=".0%")
    return _plain(figure.update_layout(barmode="overlay"), 400, legend=True)


def roc(task: TaskEvaluation) -> go.Figure:
    """Out-of-scope rows that are found, by rows in scope that are taken for such."""
    rows = np.concatenate([task.in_scope, np.flatnonzero(task.outside)])
    order = np.argsort(-task.scored.out_of_scope[rows], kind="stable")
    scores, outside = task.scored.out_of_scope[rows][order], task.outside[rows][order]
    last_of_equals = np.append(np.diff(scores) != 0, True)
    found, alarms = (np.append(0, (np.cumsum(side) / side.sum())[last_of_equals]) for side in (outside, ~outside))
    some = np.unique(np.linspace(0, len(found) - 1, min(_POINTS, len(found))).astype(int))
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": GREY}, hoverinfo="skip")
    figure.add_scatter(
        x=alarms[some],
        y=found[some],
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        hovertemplate="false alarms %{x:.1%}, found %{y:.1%}<extra></extra>",
    )
    figure.add_scatter(
        x=[FALSE_ALARMS],
        y=[task.figures["out_of_scope"]["recall_at_2_percent"]],
        mode="markers",
        marker={"color": ORANGE, "size": 13, "symbol": "diamond"},
        hovertemplate="at 2 % false alarms<br>found %{y:.1%}<extra></extra>",
    )
    figure.update_xaxes(title="false alarms among rows in scope", range=[-0.01, 1], tickformat=".0%")
    figure.update_yaxes(title="out-of-scope rows found", range=[0, 1.02], tickformat=".0%")
    return _plain(figure, 400)


def _claims(task: TaskEvaluation) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rows = task.take(task.in_scope)
    confidence, right = claims(rows.truth, rows.scored)
    return confidence.ravel(), right.ravel()


def _recall_when_sure(task: TaskEvaluation) -> float:
    outcomes = task.outcomes
    return float(outcomes.truth.multiply(outcomes.sure).sum() / max(outcomes.truth.sum(), 1))


def _of_truth(task: TaskEvaluation, counts: NDArray[np.intp]) -> NDArray[np.float64]:
    support = np.asarray(task.outcomes.truth.sum(axis=0))
    shares: NDArray[np.float64] = counts / np.maximum(support, 1)[:, None]
    return shares


def _most_met(counts: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Labels that occur at all, in their order; of too many those with the most errors."""
    met = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return met if len(met) <= most else np.sort(met[np.argsort(-_errors(counts)[met], kind="stable")[:most]])


def _confused(task: TaskEvaluation) -> NDArray[np.intp]:
    """The labels of the most frequent confusions, in their order."""
    counts = confusion(task.outcomes)
    np.fill_diagonal(counts, 0)
    pairs = np.argsort(-counts, axis=None, kind="stable")
    kept: dict[int, None] = {}
    for pair in pairs[: int((counts > 0).sum())].tolist():
        kept |= dict.fromkeys(divmod(pair, len(counts)))
        if len(kept) >= MAX_CONFUSED:
            break
    return np.sort(np.array(list(kept), np.intp))


def _errors(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    errors: NDArray[np.intp] = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    return errors


def _heatmap(shares: NDArray[np.float64], counts: NDArray[np.intp], labels: Sequence[str], scale: Any) -> go.Heatmap:
    return go.Heatmap(
        z=shares.astype(np.float32),
        customdata=counts.astype(np.int32),
        x=(shown := _names(labels)),
        y=shown,
        colorscale=scale,
        zmin=0,
        zmax=1,
        showscale=False,
        hoverongaps=False,
        xgap=1 if len(labels) < 40 else 0,
        ygap=1 if len(labels) < 40 else 0,
        hovertemplate="true %{y}<br>given %{x}<br>%{customdata:,} rows, %{z:.1%} of the true label<extra></extra>",
    )


def _names(labels: Sequence[str]) -> list[str]:
    """Different short names; Plotly would read what looks like a tag in them."""
    short = [label if len(label) <= _NAME else f"{label[: _NAME - 1]}…" for label in labels]
    unique = [name if short.count(name) == 1 else f"{name} #{at}" for at, name in enumerate(short, 1)]
    return [escape(name, quote=False) for name in unique]


def _matrix_axes(figure: go.Figure, labels: Sequence[str], size: int) -> go.Figure:
    names = _names(labels)
    tick = {"tickfont": {"size": size}, "type": "category", "categoryorder": "array", "categoryarray": names}
    figure.update_xaxes(**tick, side="top", tickangle=-90, automargin=True, showgrid=False)
    figure.update_yaxes(**tick, autorange="reversed", dtick=1, automargin=True, showgrid=False)
    return _plain(figure, figure.layout.height).update_layout(margin={"b": 12})


def _plain(figure: go.Figure, height: int, *, legend: bool = False, reverse_legend: bool = False) -> go.Figure:
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 60, "r": 20, "t": 40 if legend else 16, "b": 56},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
        | ({"traceorder": "reversed"} if reverse_legend else {}),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        bargap=0.25,
        hoverlabel={"align": "left", "namelength": -1},
    )
    return figure
