"""Questions: stored once, with the last outcome, without text when it expires; and those that are still open."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.storage.answers import AnswerRecord, AnswerRepository, OpenQuestions, OutcomeRecord, UnknownAnswer
from serving.storage.engine import Database
from serving.storage.records import ConflictingRequest
from serving.storage.tables import Outcome
from tests.storage.samples import MESSAGES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def question(answer_id: str, language: str = "en", **changes: Any) -> AnswerRecord:
    message = MESSAGES[language]
    fields: dict[str, Any] = {
        "id": answer_id,
        "created_at": NOON,
        "language": language,
        "intent": "delivery.not_received",
        "intent_confidence": 0.8,
        "askable": True,
        "article_id": None,
        "confidence": None,
        "reason": "the knowledge base has no answer",
        "result": {"id": answer_id, "answer": None},
        "versions": {"bundle": "starter@1", "kb": "empty"},
        "channel": "live_chat",
        "text": message,
        "request_digest": hashlib.sha256(message.encode()).hexdigest(),
    }
    return AnswerRecord(**(fields | changes))


ANSWERED = {"article_id": "tracking-en", "confidence": 0.9, "reason": None}


def _add(database: Database, *records: AnswerRecord) -> list[AnswerRecord]:
    with database.transaction() as session:
        return [AnswerRepository(session).add(record) for record in records]


def _get(database: Database, answer_id: str) -> AnswerRecord | None:
    with database.transaction(read_only=True) as session:
        return AnswerRepository(session).get(answer_id)


def _say(database: Database, answer_id: str, outcome: Outcome, channel: str | None = None) -> OutcomeRecord:
    with database.transaction() as session:
        return AnswerRepository(session).set_outcome(answer_id, outcome, channel)


def _open(database: Database, *, since: datetime = NOON, now: datetime = NOON, limit: int = 100) -> OpenQuestions:
    with database.transaction(read_only=True) as session:
        return AnswerRepository(session).open_questions(since=since, now=now, limit=limit)


@pytest.mark.parametrize("language", MESSAGES)
def test_a_question_comes_back_as_it_was_stored(database: Database, language: str) -> None:
    for record in (question("1", language), question("2", language, **ANSWERED)):
        assert _add(database, record) == [record]
        assert _get(database, record.id) == record
    assert _get(database, "3") is None


def test_the_same_question_again_answers_with_the_first_and_another_is_refused(database: Database) -> None:
    first = question("1", "th")
    _add(database, first)
    assert _add(database, replace(first, result={"id": "1", "answer": "later"})) == [first]
    with pytest.raises(ConflictingRequest, match="'1' stands for another question"):
        _add(database, question("1", "ru"))
    assert _get(database, "1") == first


def test_the_last_outcome_counts(database: Database) -> None:
    _add(database, question("1", "vi"))
    first = _say(database, "1", Outcome.NOT_SOLVED)
    assert _say(database, "1", Outcome.NOT_SOLVED) == first
    moved = _say(database, "1", Outcome.NOT_SOLVED, "phone")
    assert moved.created_at > first.created_at
    last = _say(database, "1", Outcome.SOLVED)
    assert (last.outcome, last.channel) == (Outcome.SOLVED, None)
    with pytest.raises(UnknownAnswer, match=r"'ghost'.*Use the id"):
        _say(database, "ghost", Outcome.SOLVED)
    assert _get(database, "1") == question("1", "vi")


def test_senders_of_the_same_outcome_at_once_get_the_same_one(database: Database) -> None:
    _add(database, question("1", "zh-Hant"))
    together = threading.Barrier(4)

    def send(_turn: int) -> OutcomeRecord:
        together.wait()
        return _say(database, "1", Outcome.ESCALATED, "phone")

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(send, range(4)))) == 1


def test_open_questions_are_those_that_nothing_has_solved(database: Database) -> None:
    outcomes = (None, *Outcome)
    kinds: dict[str, dict[str, Any]] = {"none": {}, "answered": ANSWERED, "thanks": {"askable": False}}
    for kind, changes in kinds.items():
        for outcome in outcomes:
            identity = f"{kind} {outcome}"
            _add(database, question(identity, text=identity, **changes))
            if outcome is not None:
                _say(database, identity, outcome)
    found = _open(database)
    assert {one.text: one.answered for one in found.newest} == {
        "none None": False,
        "none not_solved": False,
        "none escalated": False,
        "answered not_solved": True,
        "answered escalated": True,
        "thanks not_solved": False,
        "thanks escalated": False,
    }
    assert (found.older, found.expired) == (0, 0)


def test_the_newest_open_questions_come_and_the_others_are_counted(database: Database) -> None:
    for hours, language in enumerate(MESSAGES):
        _add(database, question(language, language, created_at=NOON + timedelta(hours=hours)))
    found = _open(database, since=NOON + timedelta(hours=1), limit=3)
    assert [one.language for one in found.newest] == list(reversed(MESSAGES))[:3]
    assert [one.text for one in found.newest] == [MESSAGES[language] for language in list(reversed(MESSAGES))[:3]]
    assert (found.older, found.expired) == (2, 0)


def test_expired_questions_are_blanked_and_counted_also_before_they_are(database: Database) -> None:
    due = question("due", "vi", text_expires_at=NOON)
    later = question("later", "th", text_expires_at=NOON + timedelta(seconds=1))
    never_kept = question("digest", "ru", text=None, text_expires_at=NOON + timedelta(days=1))
    _add(database, due, later, never_kept)
    for purged in (1, 0):
        found = _open(database)
        assert ([one.text for one in found.newest], found.expired) == ([MESSAGES["th"]], 2)
        with database.transaction() as session:
            assert AnswerRepository(session).purge_expired_text(NOON) == purged
    assert _get(database, "due") == replace(due, text=None, request_digest=None)
    assert _get(database, "later") == later
    with pytest.raises(ConflictingRequest, match="its text has expired"):
        _add(database, due)
