"""Texts that stand in several rows, the same or nearly so: under one label, under several, on both sides of a split."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from training.data import Ticket
from training.findings import Case, Check, Finding, Severity, excerpt, finding_of, named, places
from training.near_duplicates import families
from training.slots import slot_families
from triage.normalize import cleaned, fold


def repeats(rows: Sequence[Ticket], valid: Sequence[Ticket]) -> tuple[list[Finding], frozenset[int]]:
    """Findings on the texts of both, and the rows of `valid` whose text stands in `rows` too."""
    texts = [fold(cleaned(ticket.text)) for ticket in (*rows, *valid)]
    family = families(texts).tolist()
    own = len(rows)
    leaked = _known(texts[:own], texts[own:])
    near = {at: row for at, row in _known(family[:own], family[own:]).items() if at not in leaked}
    findings = [
        *_within(rows, texts[:own], family[:own]),
        *_leaks(
            [(valid[at], rows[row]) for at, row in leaked.items()], [(valid[at], rows[row]) for at, row in near.items()]
        ),
        *_groups_apart(rows, valid),
    ]
    if leaked and len(leaked) == len(valid):
        message = (
            "Every text of the validation set is in the training set too. Name rows by --valid that are not trained on."
        )
        findings.append(Finding(Check.LEAK, Severity.ERROR, message))
    return findings, frozenset(leaked)


def _within(rows: Sequence[Ticket], texts: Sequence[str], family: Sequence[int]) -> Iterator[Finding]:
    same, conflicts = _by_agreement([rows[at] for at in found] for found in _shared(texts))
    alike = [found for found in _shared(family) if len({texts[at] for at in found}) > 1]
    near, near_conflicts = _by_agreement([rows[at] for at in found] for found in alike)
    for task, cases in conflicts.items():
        yield finding_of(Check.CONFLICT, Severity.WARNING, f"texts under different labels of {task}", cases, task)
    for task, cases in near_conflicts.items():
        what = f"families of nearly the same texts under different labels of {task}"
        yield finding_of(Check.NEAR_CONFLICT, Severity.WARNING, what, cases, task)
    if same:
        yield finding_of(Check.DUPLICATE, Severity.NOTE, "texts in several rows that agree on their labels", same)
    if near:
        what = "families of nearly the same texts that agree on their labels"
        yield finding_of(Check.NEAR_DUPLICATE, Severity.NOTE, what, near)
    # Of one near-duplicate family it is said above already.
    if slots := [found for found in slot_families(texts) if len({family[at] for at in found}) > 1]:
        cases = [
            Case(places(rows[at] for at in found), ", ".join(excerpt(rows[at]) for at in found[:2])) for found in slots
        ]
        what = "families of texts that are one sentence with a slot changed, as templates write and people do not"
        yield finding_of(Check.TEMPLATE, Severity.NOTE, what, cases)


def _by_agreement(families: Iterable[Sequence[Ticket]]) -> tuple[list[Case], dict[str, list[Case]]]:
    """The cases whose rows agree on every label, and for each task those whose rows do not."""
    agreed: list[Case] = []
    contested: dict[str, list[Case]] = defaultdict(list)
    for rows in families:
        different = {}
        for task in dict.fromkeys(task for ticket in rows for task in ticket.labels):
            labelled = [ticket for ticket in rows if task in ticket.labels]
            first = {ticket.labels[task]: ticket for ticket in reversed(labelled)}
            if len(first) > 1:
                names: dict[str, list[str]] = defaultdict(list)
                for labels, ticket in reversed(first.items()):
                    names[excerpt(ticket)].append(named(labels))
                detail = "; ".join(f"{text} is {' or '.join(given)}" for text, given in names.items())
                different[task] = Case(places(labelled), detail)
        for task, case in different.items():
            contested[task].append(case)
        if not different:
            texts = dict.fromkeys(excerpt(ticket) for ticket in rows)
            agreed.append(Case(places(rows), ", ".join(list(texts)[:2])))
    return agreed, contested


def _leaks(same: Sequence[tuple[Ticket, Ticket]], near: Sequence[tuple[Ticket, Ticket]]) -> Iterator[Finding]:
    if same:
        cases = [Case(places(pair), excerpt(pair[0])) for pair in same]
        what = "validation rows with a text of the training set"
        yield finding_of(Check.LEAK, Severity.LEFT_OUT, what, cases)
    if near:
        cases = [Case(places(pair), f"{excerpt(pair[0])}, {excerpt(pair[1])}") for pair in near]
        what = "validation rows with nearly a text of the training set"
        yield finding_of(Check.NEAR_LEAK, Severity.WARNING, what, cases)


def _groups_apart(rows: Sequence[Ticket], valid: Sequence[Ticket]) -> Iterator[Finding]:
    trained: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in rows:
        if ticket.grouped:
            trained[ticket.group].append(ticket)
    shared: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in valid:
        if ticket.group in trained:
            shared[ticket.group].append(ticket)
    if shared:
        cases = [Case(places([*own, *trained[group]]), repr(group)) for group, own in shared.items()]
        yield finding_of(Check.GROUP_LEAK, Severity.WARNING, "groups with rows in training and in validation", cases)


def _known(earlier: Sequence[Hashable], later: Sequence[Hashable]) -> dict[int, int]:
    """For the positions in `later` of what stands in `earlier` too, the first position there."""
    first = {value: at for at, value in reversed(list(enumerate(earlier)))}
    return {at: first[value] for at, value in enumerate(later) if value in first}


def _shared(values: Sequence[Hashable]) -> list[list[int]]:
    """The positions of each value that stands at several."""
    positions: dict[Hashable, list[int]] = defaultdict(list)
    for at, value in enumerate(values):
        positions[value].append(at)
    return [found for found in positions.values() if len(found) > 1]
