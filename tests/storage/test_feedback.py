"""Suggestions, and what agents made of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from serving.storage.engine import Database
from serving.storage.records import (
    CorrectionRecord,
    DecisionRepository,
    EventRecord,
    FeedbackRepository,
    SuggestionRecord,
    SuggestionRepository,
    UnknownDecision,
    UnknownSuggestion,
)
from serving.storage.tables import EventKind, SourceType
from tests.storage.samples import MESSAGES, decision, suggestion


@pytest.fixture
def stored(database: Database) -> SuggestionRecord:
    with database.transaction() as session:
        DecisionRepository(session).add(decision("d1", "th"))
        return SuggestionRepository(session).add_many([suggestion("d1", "th", id="s1")])[0]


def _event(database: Database, suggestion_id: str, kind: EventKind, final_text: str | None = None) -> EventRecord:
    with database.transaction() as session:
        return FeedbackRepository(session).add_event(suggestion_id, kind, final_text)


def _count(database: Database, table: str) -> int:
    with database.transaction(read_only=True) as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def test_suggestions_come_back_as_they_were_stored(database: Database) -> None:
    with database.transaction() as session:
        DecisionRepository(session).add(decision("d1"))
        suggestions = SuggestionRepository(session)
        sent = [suggestion("d1", language, rank=rank) for rank, language in enumerate(MESSAGES, 1)]
        sent.append(suggestion(None, source_type=SourceType.ANSWER, text=None))
        assert suggestions.add_many(sent) == sent
        assert suggestions.add_many([replace(sent[0], rank=9)]) == [sent[0]]
        assert suggestions.add_many([]) == []
    with database.transaction(read_only=True) as session:
        suggestions = SuggestionRepository(session)
        assert [suggestions.get(s.id) for s in sent] == sent
        assert suggestions.get("nobody") is None


def test_a_suggestion_of_an_unknown_decision_is_refused(database: Database) -> None:
    with pytest.raises(UnknownDecision, match="'ghost'"), database.transaction() as session:
        SuggestionRepository(session).add_many([suggestion(None), suggestion("ghost", "vi")])
    assert _count(database, "suggestions") == 0


def test_expired_text_of_suggestions_is_blanked(database: Database, stored: SuggestionRecord) -> None:
    now = datetime.now(UTC)
    expired, later = (suggestion("d1", "ru", text_expires_at=now + timedelta(seconds=s)) for s in (-1, 1))
    with database.transaction() as session:
        suggestions = SuggestionRepository(session)
        suggestions.add_many([expired, later])
        assert suggestions.purge_expired_text(now) == 1
        assert suggestions.purge_expired_text(now) == 0
    with database.transaction() as session:
        suggestions = SuggestionRepository(session)
        assert suggestions.get(expired.id) == replace(expired, text=None)
        assert suggestions.get(later.id) == later
        assert suggestions.get(stored.id) == stored


def test_an_event_sent_again_answers_with_the_first(database: Database, stored: SuggestionRecord) -> None:
    first = _event(database, "s1", EventKind.EDITED, "เช็กให้แล้วค่ะ ของจะถึงพรุ่งนี้")
    assert (first.suggestion_id, first.kind, first.final_text) == ("s1", EventKind.EDITED, "เช็กให้แล้วค่ะ ของจะถึงพรุ่งนี้")
    assert _event(database, "s1", EventKind.EDITED, "เช็กให้แล้วค่ะ ของจะถึงพรุ่งนี้") == first
    assert _event(database, "s1", EventKind.EDITED, "เช็กให้แล้วค่ะ ของจะถึงวันนี้") != first
    assert _event(database, "s1", EventKind.ACCEPTED).id != first.id
    assert _count(database, "suggestion_events") == 3


def test_a_correction_sent_again_answers_with_the_first(database: Database, stored: SuggestionRecord) -> None:
    def correct(label: str, agent: str | None) -> CorrectionRecord:
        with database.transaction() as session:
            return FeedbackRepository(session).add_correction("d1", "intent", label, agent)

    first = correct("order.status", "สมชาย")
    assert (first.task, first.label, first.agent) == ("intent", "order.status", "สมชาย")
    assert correct("order.status", "สมชาย") == first
    assert correct("order.status", None).id != first.id
    assert correct("order.cancel", "สมชาย").id != first.id
    assert _count(database, "corrections") == 3


def test_feedback_on_what_is_not_there_is_refused(database: Database) -> None:
    with pytest.raises(UnknownSuggestion, match=r"'ghost'.*Use the id"):
        _event(database, "ghost", EventKind.DISPLAYED)
    with pytest.raises(UnknownDecision, match=r"'ghost'.*Use the id"), database.transaction() as session:
        FeedbackRepository(session).add_correction("ghost", "intent", "order.status")


def test_senders_of_the_same_event_at_once_get_the_same_one(database: Database, stored: SuggestionRecord) -> None:
    together = threading.Barrier(6)

    def send(turn: int) -> list[EventRecord]:
        together.wait()
        return [_event(database, "s1", EventKind.EDITED, f"{MESSAGES['zh-Hans']} {number}") for number in range(8)]

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(send, range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert _count(database, "suggestion_events") == 8
