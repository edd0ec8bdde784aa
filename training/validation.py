"""Labelled tickets looked over before any compute: what is wrong, and where."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from models.languages import UNDETERMINED
from training.columns import Fault
from training.data import Problem, Ticket, Tickets
from training.findings import (
    Case,
    Check,
    Finding,
    Severity,
    ValidationReport,
    excerpt,
    finding_of,
    named,
    places,
)
from training.repeats import repeats

IMBALANCE = 20
"""A label is rare when the commonest one has more than this many times its rows."""

ROWS_PER_LABEL = 5
"""A language that has this many rows for each label of a task is expected in every label."""

_FAULTS = {
    Fault.UNREADABLE: "that cannot be read",
    Fault.NO_TEXT: "without text",
    Fault.LONG_TEXT: "with too long a text",
    Fault.BROKEN_TEXT: "with a broken text",
    Fault.NO_LABEL: "without label",
    Fault.BAD_LABEL: "with a label that is none",
    Fault.REPEATED: "that repeat text and labels of another",
    Fault.BAD_LANGUAGE: "with an unknown language, kept without it",
}


def validate(
    tickets: Tickets, valid: Tickets | None = None, *, known: Mapping[str, Collection[str]] | None = None
) -> ValidationReport:
    """Look over tickets to train on, and those to validate on if there are any.

    What reading has left out is reported: rows that cannot be used, and rows that repeat the text and the labels of
    another. Rows of `valid` whose text is in the training set are `leaked`. All else is kept, and for people to decide
    about: texts under two labels, near duplicates, rare labels. Two texts are the same where `triage.normalize` and
    case leave no difference.

    Args:
        known: labels of each task that need no rows, because the bundle that is trained further has them.
    """
    findings = [*_faults(tickets.problems, "rows"), *_languages(tickets.rows)]
    if valid:
        findings += _faults(valid.problems, "validation rows")
    tasks: dict[str, dict[str, dict[str, int]]] = {}
    for task in dict.fromkeys(task for ticket in tickets.rows for task in ticket.labels):
        rows = [ticket for ticket in tickets.rows if task in ticket.labels]
        of_label = _by_label(task, rows)
        tasks[task] = {label: _count_languages(own) for label, own in sorted(of_label.items())}
        others = set((known or {}).get(task, ()))
        findings += _too_few(task, rows, others)
        findings += _rare(task, of_label)
        findings += _alike(task, of_label)
        findings += _languages_of_labels(task, rows, tasks[task])
        if task in tickets.multi_label:
            findings.append(_multi_label(task, rows))
        if valid:
            findings += _unknown_labels(task, of_label.keys() | others, valid.rows)
    repeated, leaked = repeats(tickets.rows, valid.rows if valid else ())
    findings += repeated
    severities = list(Severity)
    return ValidationReport(
        rows=len(tickets.rows),
        valid_rows=len(valid.rows) if valid else None,
        languages=_count_languages(tickets.rows),
        tasks=tasks,
        findings=tuple(sorted(findings, key=lambda finding: severities.index(finding.severity))),
        leaked=leaked,
    )


def _faults(problems: Iterable[Problem], rows: str) -> Iterator[Finding]:
    cases: dict[Fault, list[Case]] = defaultdict(list)
    for problem in problems:
        cases[problem.fault].append(Case((problem.place,), problem.message))
    for fault, found in cases.items():
        severity = Severity.WARNING if fault is Fault.BAD_LANGUAGE else Severity.LEFT_OUT
        yield finding_of(fault, severity, f"{rows} {_FAULTS[fault]}", found)


def _languages(rows: Sequence[Ticket]) -> Iterator[Finding]:
    without = [Case((ticket.place,), excerpt(ticket)) for ticket in rows if ticket.language is None]
    # A data set that names no languages at all is one that has no use for them.
    if 0 < len(without) < len(rows):
        yield finding_of(Check.NO_LANGUAGE, Severity.NOTE, "rows without language", without)


def _too_few(task: str, rows: Sequence[Ticket], known: set[str]) -> Iterator[Finding]:
    outcomes = {ticket.labels[task] for ticket in rows}
    if len(outcomes | {(label,) for label in known}) < 2:
        yield Finding(
            Check.ONE_LABEL,
            Severity.ERROR,
            f"Task {task!r} has {named(outcomes.pop())} on all of its {len(rows):,} rows, and at least two labels are "
            f"needed. Add rows of others, or name another column by --task {task}=COLUMN.",
            task=task,
        )
    if len({ticket.group for ticket in rows}) < 2:
        yield Finding(
            Check.ONE_GROUP,
            Severity.ERROR,
            f"Task {task!r} has rows of one group alone, {rows[0].group!r}, and at least two groups are needed to "
            "train on one and score the other. Add rows, or name a finer group.",
            task=task,
        )


def _rare(task: str, of_label: Mapping[str, Sequence[Ticket]]) -> Iterator[Finding]:
    once = [Case((own[0].place,), repr(label)) for label, own in of_label.items() if len(own) == 1]
    if once:
        yield finding_of(Check.SEEN_ONCE, Severity.WARNING, f"labels of {task} seen once", once, task)
    commonest = max(of_label, key=lambda label: len(of_label[label]), default="")
    most = len(of_label.get(commonest, ()))
    rare = [
        Case(places(own), f"{label!r} {len(own):,}") for label, own in of_label.items() if len(own) * IMBALANCE < most
    ]
    if rare:
        what = f"labels of {task} that {commonest!r} ({most:,} rows) outnumbers by more than {IMBALANCE} to 1"
        yield finding_of(Check.RARE_LABEL, Severity.WARNING, what, rare, task)


def _alike(task: str, of_label: Mapping[str, Sequence[Ticket]]) -> Iterator[Finding]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in of_label:
        spellings[re.sub(r"[\s_.-]+", "", unicodedata.normalize("NFKC", label).casefold())].append(label)
    alike = [
        Case(
            places(of_label[label][0] for label in labels),
            ", ".join(f"{label!r} {len(of_label[label]):,}" for label in labels),
        )
        for labels in spellings.values()
        if len(labels) > 1
    ]
    if alike:
        what = f"labels of {task} that differ in case, spaces or marks alone"
        yield finding_of(Check.ALIKE_LABELS, Severity.WARNING, what, alike, task)


def _languages_of_labels(
    task: str, rows: Sequence[Ticket], labels: Mapping[str, Mapping[str, int]]
) -> Iterator[Finding]:
    languages = _count_languages(rows)
    expected = sorted(code for code, count in languages.items() if count >= ROWS_PER_LABEL * len(labels))
    missing = {label: [code for code in expected if code not in found] for label, found in labels.items()}
    cases = [Case((), f"{label!r} in {', '.join(codes)}") for label, codes in missing.items() if codes]
    if cases:
        what = f"labels of {task} without a row in a language that is common elsewhere"
        yield finding_of(Check.MISSING_LANGUAGE, Severity.NOTE, what, cases, task)


def _multi_label(task: str, rows: Sequence[Ticket]) -> Finding:
    other = next((ticket for ticket in rows if len(ticket.labels[task]) != 1), None)
    counts = Counter(min(len(ticket.labels[task]), 2) for ticket in rows)
    message = f"{task} is multi-label: {counts[0]:,} rows with none, {counts[1]:,} with one, {counts[2]:,} with several"
    cases = (Case((other.place,), f"the first of these, {named(other.labels[task])}"),) if other else ()
    return Finding(Check.MULTI_LABEL, Severity.NOTE, message, cases, task)


def _unknown_labels(task: str, known: Collection[str], valid: Sequence[Ticket]) -> Iterator[Finding]:
    unknown = {label: own for label, own in _by_label(task, valid).items() if label not in known}
    if unknown:
        cases = [Case(places(own), repr(label)) for label, own in unknown.items()]
        what = f"labels of {task} in the validation set that training lacks"
        yield finding_of(Check.UNKNOWN_LABEL, Severity.WARNING, what, cases, task)


def _by_label(task: str, rows: Iterable[Ticket]) -> dict[str, list[Ticket]]:
    of_label: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in rows:
        for label in ticket.labels.get(task, ()):
            of_label[label].append(ticket)
    return dict(of_label)


def _count_languages(rows: Iterable[Ticket]) -> dict[str, int]:
    return dict(sorted(Counter(ticket.language or UNDETERMINED for ticket in rows).items()))
