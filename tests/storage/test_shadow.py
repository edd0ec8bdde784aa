"""What shadows said: stored once, gone with its decision, and counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from serving.storage.engine import Database, DatabaseUnavailable
from serving.storage.feedback import FeedbackRepository
from serving.storage.records import DecisionRepository
from serving.storage.shadow import Corrected, Counts, Difference, ShadowRecord, ShadowRepository
from tests.storage.samples import MESSAGES, decision

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _said(decision_id: str, label: str, live_label: str = "order.status", **changes: object) -> ShadowRecord:
    record = ShadowRecord(
        decision_id=decision_id,
        bundle="shop@3",
        task="intent",
        label=label,
        confidence=0.8,
        abstained=False,
        live_bundle="shop@2",
        live_label=live_label,
        live_confidence=0.6,
        live_abstained=True,
    )
    return replace(record, **changes)  # type: ignore[arg-type]


@pytest.fixture
def spoken(database: Database) -> Database:
    """Seven decisions, one a minute: on the first three the bundles agree, and nothing was recorded of the last."""
    with database.transaction() as session:
        for number, language in enumerate([*MESSAGES, "th"]):
            at = NOON + timedelta(minutes=number)
            DecisionRepository(session).add(decision(f"d{number}", language, created_at=at))
        ShadowRepository(session).add_many(
            [
                *(_said(f"d{number}", "order.status") for number in (0, 1, 2)),
                _said("d3", "order.cancel"),
                _said("d4", "delivery.not_received", abstained=True),
                _said("d5", "order.cancel", live_bundle="shop@1"),
                _said("d5", "high", "high", task="urgency", live_bundle="shop@1", live_abstained=False),
                _said("d5", "low", "high", task="urgency", bundle="shop@4"),
            ]
        )
    return database


def _rows(database: Database) -> int:
    with database.transaction(read_only=True) as session:
        return int(session.scalar(text("SELECT count(*) FROM shadow_predictions")) or 0)


def test_what_was_said_stays_as_it_was_said_first(spoken: Database) -> None:
    before = _rows(spoken)
    with spoken.transaction() as session:
        shadows = ShadowRepository(session)
        shadows.add_many([_said("d0", "order.cancel"), _said("d6", "order.cancel")])
        shadows.add_many([])
        assert shadows.counts("shop@3", None)[0] == Counts("intent", "en", 1, 0, 0, 1)
    assert _rows(spoken) == before + 1


def test_a_decision_takes_what_was_said_of_it_along(spoken: Database) -> None:
    with spoken.transaction() as session:
        session.execute(text("DELETE FROM decisions WHERE id = 'd5'"))
    assert _rows(spoken) == 5
    with pytest.raises(Exception, match=r"(?i)foreign key") as refused, spoken.transaction() as session:
        ShadowRepository(session).add_many([_said("ghost", "order.status")])
    assert not isinstance(refused.value, DatabaseUnavailable)


def test_agreement_is_counted_by_task_and_language(spoken: Database) -> None:
    with spoken.transaction(read_only=True) as session:
        shadows = ShadowRepository(session)
        counts = shadows.counts("shop@3", None)
        assert shadows.counts("shop@9", None) == []
        assert [c.rows for c in shadows.counts("shop@3", NOON + timedelta(minutes=4))] == [1, 1, 1]
        assert shadows.live_bundles("shop@3", None) == {"shop@1": 1, "shop@2": 5}
        assert shadows.latest_bundle() in ("shop@3", "shop@4")
        assert shadows.decisions_meanwhile("shop@3", None) == 6
        assert shadows.decisions_meanwhile("shop@3", NOON + timedelta(minutes=2)) == 4
    by_language = {c.language: c for c in counts if c.task == "intent"}
    assert by_language["vi"] == Counts("intent", "vi", 1, 1, 0, 1)
    assert by_language["zh-Hant"] == Counts("intent", "zh-Hant", 1, 0, 0, 1)
    assert by_language["ru"] == Counts("intent", "ru", 1, 0, 1, 1)
    assert [c for c in counts if c.task == "urgency"] == [Counts("urgency", "en", 1, 1, 0, 0)]


def test_differences_come_the_commonest_first_with_the_latest_decisions(spoken: Database) -> None:
    with spoken.transaction() as session:
        for number in range(10, 17):
            record = decision(f"d{number}", "vi", created_at=NOON + timedelta(minutes=number))
            DecisionRepository(session).add(record)
            ShadowRepository(session).add_many([_said(f"d{number}", "delivery.not_received")])
        found = ShadowRepository(session).differences("shop@3", None)
    assert found == [
        Difference("intent", "order.status", "delivery.not_received", 8, ("d16", "d15", "d14", "d13", "d12")),
        Difference("intent", "order.status", "order.cancel", 2, ("d5", "d3")),
    ]


def test_the_last_correction_says_who_was_right(spoken: Database) -> None:
    given = {"d0": ["order.status"], "d3": ["order.status", "order.cancel"], "d4": ["order.cancel", "order.status"]}
    with spoken.transaction() as session:
        feedback = FeedbackRepository(session)
        for identity, labels in {**given, "d5": ["refund.status"], "d6": ["order.status"]}.items():
            for label in labels:
                feedback.add_correction(identity, "intent", label)
        feedback.add_correction("d0", "channel", "phone")
        assert ShadowRepository(session).corrected("shop@3", None) == [Corrected("intent", 4, 2, 2, 1)]
        assert ShadowRepository(session).corrected("shop@3", NOON + timedelta(minutes=5)) == [
            Corrected("intent", 1, 0, 0, 0)
        ]
