"""What stands in the way of a promotion: labels that are gone, and what got worse on labelled tickets."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.bundle import read_manifest
from models.errors import ModelError
from models.registry import Registry
from models.registry_state import STARTER_NAME
from models.types import Encoder
from serving.cli.evaluate import evaluations
from serving.cli.tickets import Labelled
from training.gate import judge

_NO_FIGURES = "without --data only files, encoder and labels were checked, and no figures were compared"


def judged(
    registry: Registry, live: str, candidate: str, data: Labelled | None, loaded: dict[str, Encoder]
) -> tuple[list[str], list[str]]:
    """Why `candidate` should not take the place of `live`, and what else should be known.

    Args:
        loaded: encoders by the name that they were asked for by.
    """
    # The shipped bundle stands in until a desk has its own, and their labels are hardly ever the same.
    stand_in = live == STARTER_NAME
    try:
        old, new = (read_manifest(registry.find(reference))["tasks"] for reference in (live, candidate))
        gone = _gone(old, new)
        shared = [task for task in old if task in new]
        found, notes = _on_tickets(live, candidate, data, loaded, shared) if data else ([], [_NO_FIGURES])
    except ModelError as error:
        unknown = [f"{candidate} cannot be compared with {live}, which is live: {error}"]
        return ([], unknown) if stand_in else (unknown, [])
    worse = [reason for reason in found if reason not in gone]
    return (worse, [*gone, *notes]) if stand_in else ([*gone, *worse], notes)


def _gone(live: Mapping[str, Any], candidate: Mapping[str, Any]) -> list[str]:
    tasks = [f"task {task} is gone" for task in live if task not in candidate]
    labels = [
        f"{task}: label {label} is gone"
        for task, about in live.items()
        if task in candidate
        for label in about["labels"]
        if label not in candidate[task]["labels"]
    ]
    return tasks + labels


def _on_tickets(
    live: str, candidate: str, data: Labelled, loaded: dict[str, Encoder], tasks: Sequence[str]
) -> tuple[list[str], list[str]]:
    before, after = evaluations([live, candidate], data, loaded)
    verdict = judge(before, after)
    silent = [task for task in tasks if task not in before.tasks]
    notes = [
        f"task {task} was not compared: no row was read with labels of it (--task {task}=COLUMN)" for task in silent
    ]
    return list(verdict.reasons), [*verdict.notes, *notes]
