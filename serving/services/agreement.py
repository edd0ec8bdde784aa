"""How far a shadow bundle agrees with the live one on live traffic, and which of the two agents side with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scipy.stats import binomtest

from serving.storage.engine import Database
from serving.storage.shadow import Corrected, Counts, Difference, ShadowRepository


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `rows`, with the Wilson interval that holds the true share 95 times of 100."""

    count: int
    rows: int

    @property
    def value(self) -> float:
        return round(self.count / self.rows, 4)

    @property
    def interval(self) -> tuple[float, float]:
        found = binomtest(self.count, self.rows).proportion_ci(0.95, method="wilson")
        return round(float(found.low), 4), round(float(found.high), 4)


@dataclass(frozen=True, slots=True)
class TaskAgreement:
    """
    Attributes:
        agreed: the same label first, whether or not either bundle was sure of it.
        corrected: None where no agent has corrected any of these decisions.
    """

    agreed: Share
    languages: Mapping[str, Share]
    abstained: Share
    live_abstained: Share
    differences: tuple[Difference, ...]
    corrected: Corrected | None

    def as_json(self) -> dict[str, Any]:
        return {
            **_share(self.agreed),
            "abstained": self.abstained.value,
            "live_abstained": self.live_abstained.value,
            "languages": {language: _share(share) for language, share in self.languages.items()},
            "differences": [
                {"live": pair.live_label, "shadow": pair.label, "rows": pair.rows, "decisions": list(pair.decisions)}
                for pair in self.differences
            ],
            "corrected": self.corrected and self.corrected._asdict(),
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    Attributes:
        live: the bundles that served meanwhile, each with the messages that both read.
        decisions: all decisions between the first and the last that the shadow spoke on.
    """

    bundle: str
    live: Mapping[str, int]
    decisions: int
    tasks: Mapping[str, TaskAgreement]

    @property
    def recorded(self) -> int:
        return sum(self.live.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "bundle": self.bundle,
            "live": dict(self.live),
            "recorded": self.recorded,
            "decisions": self.decisions,
            "tasks": {task: found.as_json() for task, found in self.tasks.items()},
        }


def agreement(database: Database, bundle: str | None, *, since: datetime | None = None) -> Agreement | None:
    """Of a shadow, by default the one that spoke last; None where it has not spoken on any decision since then."""
    with database.transaction(read_only=True) as session:
        spoken = ShadowRepository(session)
        name = bundle or spoken.latest_bundle()
        live = spoken.live_bundles(name, since) if name else {}
        if name is None or not live:
            return None
        corrected = {found.task: found for found in spoken.corrected(name, since)}
        differences = spoken.differences(name, since)
        by_task: dict[str, list[Counts]] = {}
        for counts in spoken.counts(name, since):
            by_task.setdefault(counts.task, []).append(counts)
        decisions = spoken.decisions_meanwhile(name, since)
    tasks = {
        task: _task(counts, [pair for pair in differences if pair.task == task], corrected.get(task))
        for task, counts in by_task.items()
    }
    return Agreement(name, live, decisions, tasks)


def _task(counts: list[Counts], differences: Iterable[Difference], corrected: Corrected | None) -> TaskAgreement:
    rows = sum(found.rows for found in counts)
    return TaskAgreement(
        Share(sum(found.agreed for found in counts), rows),
        {found.language: Share(found.agreed, found.rows) for found in counts},
        Share(sum(found.abstained for found in counts), rows),
        Share(sum(found.live_abstained for found in counts), rows),
        tuple(differences),
        corrected,
    )


def _share(share: Share) -> dict[str, Any]:
    return {"rows": share.rows, "agreement": share.value, "interval": list(share.interval)}
