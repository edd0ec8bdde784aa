"""What was found in labelled tickets before any compute, for people in lines and for programs in JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from training.columns import Fault
from training.data import Ticket, Tickets
from training.errors import BadTrainingData

_SHOWN_CASES = 5
_SHOWN_PLACES = 4
_EXCERPT = 70


class Severity(StrEnum):
    """What follows: nothing can be trained, the rows are left out, someone should look, or it is good to know."""

    ERROR = "error"
    LEFT_OUT = "left out"
    WARNING = "warning"
    NOTE = "note"


class Check(StrEnum):
    """What is looked for, beside the faults of single rows (`training.columns.Fault`)."""

    ONE_LABEL = "one_label"
    ONE_GROUP = "one_group"
    SEEN_ONCE = "seen_once"
    RARE_LABEL = "rare_label"
    ALIKE_LABELS = "alike_labels"
    MISSING_LANGUAGE = "missing_language"
    UNKNOWN_LABEL = "unknown_label"
    MULTI_LABEL = "multi_label"
    NO_LANGUAGE = "no_language"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    NEAR_DUPLICATE = "near_duplicate"
    NEAR_CONFLICT = "near_conflict"
    TEMPLATE = "template"
    LEAK = "leak"
    NEAR_LEAK = "near_leak"
    GROUP_LEAK = "group_leak"


class Case(NamedTuple):
    """
    Attributes:
        places: FILE:LINE of each row that it is about.
    """

    places: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Attributes:
        task: the one that it is about, where that is one task.
    """

    kind: Fault | Check
    severity: Severity
    message: str
    cases: tuple[Case, ...] = ()
    task: str | None = None


def finding_of(
    kind: Fault | Check, severity: Severity, what: str, cases: Sequence[Case], task: str | None = None
) -> Finding:
    """A finding whose message counts its cases."""
    return Finding(kind, severity, f"{what}: {len(cases):,}", tuple(cases), task)


def places(rows: Iterable[Ticket]) -> tuple[str, ...]:
    return tuple(ticket.place for ticket in rows)


def excerpt(ticket: Ticket) -> str:
    """The beginning of its text, quoted, on one line."""
    text = " ".join(ticket.text.split())
    return f"“{text[:_EXCERPT]}…”" if len(text) > _EXCERPT else f"“{text}”"


def named(labels: Sequence[str]) -> str:
    return " and ".join(map(repr, labels)) or "no label"


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """
    Attributes:
        rows: how many can be trained on.
        valid_rows: how many there are to validate on, with those of `leaked`; None without a validation set.
        languages: rows of each language, `und` for those that name none.
        tasks: for each task and label the rows of each language.
        findings: the gravest first.
        leaked: rows of the validation set, by their number from 0, whose text is in the training set too.
    """

    rows: int
    valid_rows: int | None
    languages: Mapping[str, int]
    tasks: Mapping[str, Mapping[str, Mapping[str, int]]]
    findings: tuple[Finding, ...]
    leaked: frozenset[int] = frozenset()

    def require_usable(self) -> None:
        """
        Raises:
            BadTrainingData: with every finding that stands in the way of training.
        """
        errors = [finding.message for finding in self.findings if finding.severity is Severity.ERROR]
        if errors:
            raise BadTrainingData(" ".join(errors))

    def without_leaks(self, valid: Tickets) -> Tickets:
        """The validation set that this report is about, without the rows that are `leaked`."""
        return replace(valid, rows=tuple(row for at, row in enumerate(valid.rows) if at not in self.leaked))

    def lines(self) -> list[str]:
        """The report for people; of many cases the first ones."""
        return list(self._lines())

    def as_json(self) -> dict[str, Any]:
        """All of it, for json.dumps."""
        return {
            "rows": self.rows,
            "valid_rows": self.valid_rows,
            "languages": dict(self.languages),
            "tasks": {
                task: {label: dict(languages) for label, languages in labels.items()}
                for task, labels in self.tasks.items()
            },
            "findings": [
                {
                    "kind": finding.kind.value,
                    "severity": finding.severity.value,
                    "task": finding.task,
                    "message": finding.message,
                    "cases": [{"places": list(case.places), "detail": case.detail} for case in finding.cases],
                }
                for finding in self.findings
            ],
        }

    def _lines(self) -> Iterator[str]:
        validation = "" if self.valid_rows is None else f", and {self.valid_rows:,} to validate on"
        yield f"{self.rows:,} rows{validation}; {_counted(self.languages)}"
        for task, labels in self.tasks.items():
            counts = sorted(sum(languages.values()) for languages in labels.values())
            extent = f"{counts[0]:,} to {counts[-1]:,} rows each" if counts else "on no row"
            yield f"{task}: {len(labels):,} labels, {extent}"
        for finding in self.findings:
            yield f"{finding.severity}: {finding.message}"
            for case in finding.cases[:_SHOWN_CASES]:
                places = ", ".join(case.places[:_SHOWN_PLACES])
                more = f" and {len(case.places) - _SHOWN_PLACES:,} more" if len(case.places) > _SHOWN_PLACES else ""
                yield f"  {places}{more}: {case.detail}" if places else f"  {case.detail}"
            if len(finding.cases) > _SHOWN_CASES:
                yield f"  … and {len(finding.cases) - _SHOWN_CASES:,} more"


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count:,}" for name, count in ordered)
