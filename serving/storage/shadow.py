"""What shadow bundles said, in and out of the database, and counts of where they differ from the live ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session, aliased

from kb.store import conflict_insert
from serving.storage.tables import CorrectionRow, DecisionRow, ShadowPredictionRow

_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRecord:
    """One task of one message: what the shadow's head said, beside what the live bundle's head said."""

    decision_id: str
    bundle: str
    task: str
    label: str
    confidence: float
    abstained: bool
    live_bundle: str
    live_label: str
    live_confidence: float
    live_abstained: bool


class Counts(NamedTuple):
    """Messages of one task in one language.

    Attributes:
        agreed: where both bundles had the same label first, whether or not they were sure of it.
        abstained: where the shadow did, and `live_abstained` where the live bundle did.
    """

    task: str
    language: str
    rows: int
    agreed: int
    abstained: int
    live_abstained: int


class Difference(NamedTuple):
    """Two labels that the bundles gave to the same messages, and the latest of those decisions."""

    task: str
    live_label: str
    label: str
    rows: int
    decisions: tuple[str, ...]


class Corrected(NamedTuple):
    """Messages of one task whose label an agent has given: how many either bundle had right."""

    task: str
    rows: int
    right: int
    live_right: int
    both_right: int


class ShadowRepository:
    """Within the transaction of `session`; it never commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, records: Sequence[ShadowRecord]) -> None:
        """Store predictions; what a shadow has said of a decision before stays as it is."""
        if records:
            insert = conflict_insert(self._session)(ShadowPredictionRow).on_conflict_do_nothing()
            ordered = sorted(records, key=lambda record: (record.decision_id, record.bundle, record.task))
            self._session.execute(insert, [asdict(record) for record in ordered])

    def latest_bundle(self) -> str | None:
        """The shadow that spoke last."""
        newest = select(ShadowPredictionRow.bundle).join(DecisionRow).order_by(DecisionRow.created_at.desc()).limit(1)
        return self._session.scalar(newest)

    def live_bundles(self, bundle: str, since: datetime | None) -> dict[str, int]:
        """The bundles beside which `bundle` ran, and for how many messages."""
        counted = select(
            ShadowPredictionRow.live_bundle, func.count(ShadowPredictionRow.decision_id.distinct())
        ).group_by(ShadowPredictionRow.live_bundle)
        rows = self._session.execute(_of(counted, bundle, since).order_by(ShadowPredictionRow.live_bundle))
        return dict(rows.all())

    def decisions_meanwhile(self, bundle: str, since: datetime | None) -> int:
        """All decisions from the first to the last that `bundle` spoke on, whether it did or not."""
        span = _of(
            select(
                func.min(DecisionRow.created_at).label("first"), func.max(DecisionRow.created_at).label("last")
            ).select_from(ShadowPredictionRow),
            bundle,
            since,
        ).subquery()
        counted = (
            select(func.count())
            .select_from(DecisionRow)
            .join(span, and_(DecisionRow.created_at >= span.c.first, DecisionRow.created_at <= span.c.last))
        )
        return self._session.scalar(counted) or 0

    def counts(self, bundle: str, since: datetime | None) -> list[Counts]:
        row = ShadowPredictionRow
        counted = select(
            row.task,
            DecisionRow.language,
            func.count(),
            func.sum(case((row.label == row.live_label, 1), else_=0)),
            func.sum(cast(row.abstained, Integer)),
            func.sum(cast(row.live_abstained, Integer)),
        ).group_by(row.task, DecisionRow.language)
        rows = self._session.execute(_of(counted, bundle, since).order_by(row.task, DecisionRow.language))
        return [Counts(*found) for found in rows]

    def differences(self, bundle: str, since: datetime | None) -> list[Difference]:
        """Every pair of labels, task by task, the commonest first."""
        row = ShadowPredictionRow
        pair: Any = (row.task, row.live_label, row.label)
        numbered = _of(
            select(
                *pair,
                row.decision_id,
                func.count().over(partition_by=pair).label("rows"),
                func.row_number()
                .over(partition_by=pair, order_by=(DecisionRow.created_at.desc(), row.decision_id))
                .label("number"),
            ).where(row.label != row.live_label),
            bundle,
            since,
        ).subquery()
        examples = (
            select(numbered)
            .where(numbered.c.number <= _EXAMPLES)
            .order_by(
                numbered.c.task, numbered.c.rows.desc(), numbered.c.live_label, numbered.c.label, numbered.c.number
            )
        )
        found: dict[tuple[str, str, str, int], list[str]] = {}
        for task, live_label, label, decision_id, rows, _ in self._session.execute(examples):
            found.setdefault((task, live_label, label, rows), []).append(decision_id)
        return [Difference(*pair, tuple(ids)) for pair, ids in found.items()]

    def corrected(self, bundle: str, since: datetime | None) -> list[Corrected]:
        """Against the label that stands after corrections."""
        row, later = ShadowPredictionRow, aliased(CorrectionRow)
        overruled = (
            select(literal(1))
            .where(
                later.decision_id == CorrectionRow.decision_id,
                later.task == CorrectionRow.task,
                later.number > CorrectionRow.number,
            )
            .exists()
        )
        right, live_right = row.label == CorrectionRow.label, row.live_label == CorrectionRow.label
        counted = (
            select(
                row.task,
                func.count(),
                *(func.sum(case((true, 1), else_=0)) for true in (right, live_right, and_(right, live_right))),
            )
            .join(CorrectionRow, and_(CorrectionRow.decision_id == row.decision_id, CorrectionRow.task == row.task))
            .where(~overruled)
            .group_by(row.task)
        )
        return [Corrected(*found) for found in self._session.execute(_of(counted, bundle, since).order_by(row.task))]


def _of(statement: Select[*tuple[Any, ...]], bundle: str, since: datetime | None) -> Select[*tuple[Any, ...]]:
    """The rows of a shadow, on decisions made at or after a moment."""
    found = statement.join(DecisionRow, DecisionRow.id == ShadowPredictionRow.decision_id)
    found = found.where(ShadowPredictionRow.bundle == bundle)
    return found if since is None else found.where(DecisionRow.created_at >= since)
