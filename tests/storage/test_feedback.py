"""Suggestions, and what agents made of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from serving.storage.engine import Database
from serving.storage.feedback import CorrectionRecord, EventRecord, FeedbackRepository, Position
from serving.storage.records import (
    DecisionRepository,
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


def _correct(database: Database, label: str, agent: str | None = "สมชาย", task: str = "intent") -> CorrectionRecord:
    with database.transaction() as session:
        return FeedbackRepository(session).add_correction("d1", task, label, agent)


def _stands(database: Database, task: str = "intent") -> str:
    with database.transaction(read_only=True) as session:
        (found,) = FeedbackRepository(session).page()
    return [c.label for c in found.corrections if c.task == task][-1]


def test_a_correction_sent_again_answers_with_the_first(database: Database, stored: SuggestionRecord) -> None:
    first = _correct(database, "order.status")
    assert (first.number, first.task, first.label, first.agent) == (1, "intent", "order.status", "สมชาย")
    assert _correct(database, "order.status") == first
    assert _correct(database, "order.status", None).id != first.id
    assert _correct(database, "order.status") == first
    _correct(database, "high", task="urgency")
    assert _correct(database, "order.status") == first
    assert _count(database, "corrections") == 3


def test_an_agent_who_goes_back_to_the_first_label_is_believed(database: Database, stored: SuggestionRecord) -> None:
    made = [_correct(database, label) for label in ("order.status", "order.cancel", "order.status", "order.status")]
    assert [c.number for c in made] == [1, 2, 3, 3]
    assert _stands(database) == "order.status"


def test_an_agent_can_overrule_a_colleague_with_what_was_said_before(
    database: Database, stored: SuggestionRecord
) -> None:
    for label, agent in (("order.status", "Ольга"), ("order.cancel", "小美"), ("order.status", "Ольга")):
        _correct(database, label, agent)
    assert _stands(database) == "order.status"
    assert _count(database, "corrections") == 3


def test_the_same_correction_from_many_connections_at_once_counts_once(
    database: Database, stored: SuggestionRecord
) -> None:
    together = threading.Barrier(6)

    def send(turn: int) -> CorrectionRecord:
        together.wait()
        return _correct(database, "order.cancel", "Hà\0")

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(send, range(6)))) == 1
        agents = ["Anna", "Ольга", "小美", "สมชาย", "Hà", None]
        numbers = threads.map(lambda agent: _correct(database, "order.status", agent).number, agents)
        assert sorted(numbers) == [2, 3, 4, 5, 6, 7]


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


def test_the_final_text_of_an_event_expires_with_what_would_give_it_away(
    database: Database, stored: SuggestionRecord
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with database.transaction() as session:
        feedback = FeedbackRepository(session)
        for number, message in enumerate(MESSAGES.values()):
            expires = now + timedelta(seconds=number - 1)
            feedback.add_event("s1", EventKind.EDITED, message, text_expires_at=expires)
        feedback.add_event("s1", EventKind.DISPLAYED, text_expires_at=now)
        assert feedback.purge_expired_text(now) == 2
        assert feedback.purge_expired_text(now) == 0
        rows = session.execute(text("SELECT kind, final_text, digest FROM suggestion_events ORDER BY created_at")).all()
    assert [row.final_text for row in rows] == [None, None, *list(MESSAGES.values())[2:], None]
    assert [row.digest is None for row in rows] == [True] * 2 + [False] * 5


def test_a_text_that_is_not_to_be_kept_only_serves_to_know_the_event_again(
    database: Database, stored: SuggestionRecord
) -> None:
    def edit(final_text: str) -> EventRecord:
        with database.transaction() as session:
            return FeedbackRepository(session).add_event("s1", EventKind.EDITED, final_text, keep_text=False)

    first = edit(MESSAGES["ru"])
    assert first.final_text is None
    assert edit(MESSAGES["ru"]) == first
    assert edit(MESSAGES["vi"]) != first


@pytest.fixture
def busy(database: Database) -> Database:
    """Seven decisions of as many seconds: one without feedback, two made in the same microsecond."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with database.transaction() as session:
        for number, language in enumerate([*MESSAGES, "en"]):
            at = noon + timedelta(seconds=min(number, 5))
            DecisionRepository(session).add(decision(f"d{9 - number}", language, created_at=at))
            SuggestionRepository(session).add_many([suggestion(f"d{9 - number}", language, id=f"s{9 - number}")])
        feedback = FeedbackRepository(session)
        for number in (9, 8, 7):
            feedback.add_correction(f"d{number}", "intent", "order.status")
        for number in (7, 5, 4, 3):
            feedback.add_event(f"s{number}", EventKind.ACCEPTED)
        feedback.add_event("s6", EventKind.DISPLAYED)
    return database


def test_feedback_comes_in_pages_in_the_order_of_the_decisions(busy: Database) -> None:
    for limit in (1, 2, 6, 100):
        seen: list[str] = []
        after = None
        with busy.transaction(read_only=True) as session:
            while page := FeedbackRepository(session).page(after, limit=limit):
                seen += [found.decision.id for found in page]
                after = Position(page[-1].decision.created_at, page[-1].decision.id)
        assert seen == ["d9", "d8", "d7", "d5", "d3", "d4"]


def test_feedback_since_a_moment_leaves_out_what_has_none_later(busy: Database) -> None:
    between = datetime.now(UTC)
    with busy.transaction() as session:
        feedback = FeedbackRepository(session)
        feedback.add_correction("d8", "urgency", "high")
        feedback.add_event("s5", EventKind.EDITED, MESSAGES["zh-Hant"])
        later = feedback.page(since=between)
        assert feedback.page(since=datetime.now(UTC)) == []
    assert [found.decision.id for found in later] == ["d8", "d5"]
    assert [c.label for c in later[0].corrections] == ["order.status", "high"]
    assert [(r.edited, r.text) for r in later[1].replies] == [(True, MESSAGES["zh-Hant"])]


def test_a_reply_that_was_rejected_in_the_end_was_not_sent(busy: Database) -> None:
    with busy.transaction() as session:
        feedback = FeedbackRepository(session)
        feedback.add_event("s5", EventKind.REJECTED, reason="outdated")
        feedback.add_event("s7", EventKind.DISPLAYED)
        replies = {found.decision.id: found.replies for found in feedback.page()}
        assert feedback.replies_without_decision() == 0
        SuggestionRepository(session).add_many([suggestion(None, "th", id="alone")])
        feedback.add_event("alone", EventKind.EDITED, MESSAGES["th"])
        feedback.add_event("alone", EventKind.ACCEPTED)
        assert feedback.replies_without_decision() == 1
        assert feedback.replies_without_decision(since=datetime.now(UTC)) == 0
    assert [decision_id for decision_id, sent in replies.items() if sent] == ["d7", "d3", "d4"]
    assert replies["d5"] == ()
