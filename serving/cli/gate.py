"""What stands in the way of a promotion: labels that are gone, and what got worse on labelled tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.bundle import Bundle, load_bundle
from models.errors import ModelError
from models.registry import Registry
from models.registry_state import STARTER_NAME
from models.types import Encoder

_WITHOUT = "without --data only files, encoder and labels were checked, and no figures were compared"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Tickets to judge by, and how to read them; without `tasks`, all that both bundles have."""

    files: Sequence[Path]
    tasks: Sequence[str]
    text: str | None
    oos_label: str


def judged(
    registry: Registry, live: str, candidate: Bundle, encoder: Encoder, data: Labelled | None
) -> tuple[list[str], list[str]]:
    """Why `candidate` should not take the place of `live`, and what else should be known."""
    # The shipped bundle stands in until a desk has its own, and their labels are hardly ever the same.
    stand_in = live == STARTER_NAME
    try:
        serving = load_bundle(registry.find(live), encoder)
    except ModelError as error:
        unknown = [f"{live}, which is live, cannot be loaded and compared: {error}"]
        return ([], unknown) if stand_in else (unknown, [])
    gone = _gone(serving, candidate)
    found, notes = _on_tickets(serving, candidate, encoder, data) if data else ([], [_WITHOUT])
    worse = [reason for reason in found if reason not in gone]
    return (worse, [*gone, *notes]) if stand_in else ([*gone, *worse], notes)


def _gone(live: Bundle, candidate: Bundle) -> list[str]:
    tasks = [f"task {task} is gone" for task in live.heads if task not in candidate.heads]
    labels = [
        f"{task}: label {label} is gone"
        for task, head in live.heads.items()
        if task in candidate.heads
        for label in head.labels
        if label not in candidate.heads[task].labels
    ]
    return tasks + labels


def _on_tickets(live: Bundle, candidate: Bundle, encoder: Encoder, data: Labelled) -> tuple[list[str], list[str]]:
    # Here and not above: the learning libraries take longer to import than any other command to start.
    from training.data import parse_columns, read_tickets
    from training.evaluate import evaluate
    from training.gate import judge

    columns = parse_columns(data.tasks or [task for task in live.heads if task in candidate.heads])
    tickets = read_tickets(data.files, columns, text=data.text)
    left_out = len(tickets.problems)
    notes = [f"{left_out} rows are left out or mended; `frontdesk evaluate` lists them"] if left_out else []
    before = evaluate(live, encoder, tickets, list(columns), oos_label=data.oos_label)
    after = evaluate(candidate, encoder, tickets, list(columns), oos_label=data.oos_label)
    verdict = judge(before, after)
    return list(verdict.reasons), [*notes, *verdict.notes]
