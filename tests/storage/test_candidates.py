"""Reply candidates in SQL: counted once, kept as decided, their examples gone when their days are over."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.storage.candidates import CandidateRecord, CandidateRepository, SourceRecord, UnknownCandidate
from serving.storage.engine import Database
from serving.storage.tables import ReviewStatus

NOW = datetime.now(UTC)
TEXTS = {
    "vi": "Sau khi kho nhận hàng trả, tiền về thẻ trong 5 đến 7 ngày làm việc ạ.",
    "th": "หลังจากคลังได้รับของคืน เงินจะคืนเข้าบัตรภายใน 5-7 วันทำการค่ะ",
    "zh-Hans": "仓库签收退货后，退款会在5到7个工作日内退回您的银行卡。",
    "zh-Hant": "倉庫收到退貨後，款項會在5到7個工作天內退回您的信用卡。",
    "ru": "После приёмки возврата деньги придут на карту в течение 5–7 рабочих дней.",
    "en": "Once we have your return, the money goes back to your card within 5 to 7 working days.",
}


def _candidate(language: str = "en", **changes: Any) -> CandidateRecord:
    text = TEXTS[language]
    fields: dict[str, Any] = {
        "id": f"c-{language}",
        "created_at": NOW,
        "language": language,
        "mined_text": text,
        "intent_shares": {"refund.status": 0.9, "return.request": 0.1},
        "title": text[:20],
        "text": text,
        "intents": ("refund.status", "return.request"),
    }
    return CandidateRecord(**(fields | changes))


def _source(identity: str, candidate: str = "c-en", **changes: Any) -> SourceRecord:
    return SourceRecord(id=identity, candidate_id=candidate, **changes)


def test_what_is_stored_comes_back_with_its_count(database: Database) -> None:
    every = [_candidate(language) for language in TEXTS]
    with database.transaction() as session:
        repository = CandidateRepository(session)
        assert repository.add(every) == 6
        assert repository.add([*every, *every]) == 0
        assert repository.add_sources([_source("1"), _source("2"), _source("3", "c-th")]) == 3
        assert repository.add_sources([_source("2"), _source("4", "c-th")]) == 1
    with database.transaction(read_only=True) as session:
        repository = CandidateRepository(session)
        stored = {one.id: one for one in repository.all()}
        assert stored["c-vi"] == _candidate("vi")
        assert (stored["c-en"].count, stored["c-th"].count) == (2, 2)
        assert list(stored["c-ru"].intent_shares) == ["refund.status", "return.request"]
        assert repository.known_sources([str(number) for number in range(3000)]) == {"1", "2", "3", "4"}
        page = repository.page(ReviewStatus.PENDING, limit=2)
        assert ([one.id for one in page.candidates], page.total) == (["c-en", "c-th"], 6)
        rest = repository.page(ReviewStatus.PENDING, limit=100, offset=2)
        assert len(rest.candidates) == 4
        assert repository.page(ReviewStatus.APPROVED, limit=5).total == 0
        with pytest.raises(UnknownCandidate, match="'nobody'"):
            repository.get("nobody")


def test_a_decision_stays_when_the_same_is_mined_again(database: Database) -> None:
    with database.transaction() as session:
        repository = CandidateRepository(session)
        repository.add([_candidate()])
        decided = replace(
            _candidate(),
            status=ReviewStatus.REJECTED,
            reviewer="Mai",
            reviewed_at=NOW,
            reason="outdated",
            text="Short.",
        )
        repository.review(decided)
    with database.transaction() as session:
        repository = CandidateRepository(session)
        repository.add([_candidate()])
        repository.set_intents({"c-en": {"order.status": 1.0}})
        assert repository.get("c-en", for_update=True) == decided


def test_intents_of_one_that_nobody_has_decided_on_follow_what_is_mined(database: Database) -> None:
    with database.transaction() as session:
        repository = CandidateRepository(session)
        repository.add([_candidate()])
        repository.set_intents({"c-en": {"order.status": 0.7, "refund.status": 0.3}})
        found = repository.get("c-en")
    assert found.intents == ("order.status", "refund.status")
    assert dict(found.intent_shares) == {"order.status": 0.7, "refund.status": 0.3}


def test_examples_go_when_their_days_are_over_and_the_count_stays(database: Database) -> None:
    due, later = NOW - timedelta(seconds=1), NOW + timedelta(days=1)
    with database.transaction() as session:
        repository = CandidateRepository(session)
        repository.add([_candidate()])
        repository.add_sources(
            [
                _source("1", request="где деньги", text_expires_at=due),
                _source("2", request="เงินคืนเมื่อไหร่", text_expires_at=later),
                _source("3", request="什么时候退款"),
                _source("4"),
            ]
        )
        # What is due is not shown before the purge.
        assert repository.get("c-en").examples == ("เงินคืนเมื่อไหร่", "什么时候退款")
    with database.transaction() as session:
        repository = CandidateRepository(session)
        assert [repository.purge_expired_text(NOW), repository.purge_expired_text(NOW)] == [1, 0]
        assert repository.purge_expired_text(NOW + timedelta(days=2)) == 1
        found = repository.get("c-en")
    assert (found.examples, found.count) == (("什么时候退款",), 4)


def test_two_runs_at_once_count_each_reply_once(database: Database) -> None:
    together = threading.Barrier(4)

    def mine(worker: int) -> None:
        together.wait()
        with database.transaction() as session:
            repository = CandidateRepository(session)
            every = [_candidate(language) for language in TEXTS]
            repository.add(every if worker % 2 else every[::-1])
            repository.add_sources([_source(str(number)) for number in range(50)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(mine, range(4)))
    with database.transaction(read_only=True) as session:
        assert {one.id: one.count for one in CandidateRepository(session).all()}["c-en"] == 50
