"""Self-service: an answer from the knowledge base with its source, or none with the ways to a person; on record."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kb.alternatives import alternatives
from serving.desk import Desk
from serving.results import answer_result
from serving.services.reading import Reading, read
from serving.services.triage import check_channel
from serving.storage.answers import AnswerRecord, AnswerRepository, OutcomeRecord
from serving.storage.records import new_id
from serving.storage.tables import Outcome
from triage.decision import may_be_answered
from triage.pipeline import Message
from triage.taxonomy import Taxonomy
from triage.types import UNDETERMINED


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A question to answer; with an `id` it may be sent again and is then answered with the record."""

    message: Message
    id: str | None = None


def answer_question(desk: Desk, request: AnswerRequest) -> dict[str, Any]:
    """Look for an answer and what else might help, and store the question with what was found.

    Raises:
        BadRequest: for a channel that the policy does not know.
        ConflictingRequest: for an id that stands for another question.
    """
    now, message = desk.current(), request.message
    check_channel(message.channel, now.pipeline.policy.ids)
    reading = read(now.pipeline, now.knowledge, [message], always=True)[0]
    nothing = _nothing_to_look_up(reading, now.pipeline.taxonomy)
    reason = None if reading.answer is not None else nothing or "the knowledge base has no answer"
    others = alternatives(reading.hits, reading.answer)
    result = answer_result(request.id or new_id(), reading, others, reason, now)
    record = _record(message, result, reading, askable=nothing is None, text_days=desk.settings.text_days)
    with desk.database.transaction() as session:
        return dict(AnswerRepository(session).add(record).result)


def record_outcome(desk: Desk, answer_id: str, outcome: Outcome, *, channel: str | None) -> OutcomeRecord:
    """Store what became of a question; the same again changes nothing, and of several the last one counts.

    Raises:
        BadRequest: for a channel that the policy does not know.
        UnknownAnswer: no such question.
    """
    check_channel(channel, desk.current().pipeline.policy.ids)
    with desk.database.transaction() as session:
        return AnswerRepository(session).set_outcome(answer_id, outcome, channel)


def _nothing_to_look_up(reading: Reading, taxonomy: Taxonomy) -> str | None:
    if not may_be_answered(reading.triage, taxonomy):
        return f"nothing to answer: {reading.triage.intent.label}"
    if reading.triage.language.code == UNDETERMINED:
        return "nothing to look up: the text is in no language that this desk knows"
    return None


def _record(
    message: Message, result: dict[str, Any], reading: Reading, *, askable: bool, text_days: int
) -> AnswerRecord:
    canonical = json.dumps([message.text, message.channel, message.language], ensure_ascii=True)
    found, intent = reading.answer, reading.triage.intent
    return AnswerRecord(
        id=result["id"],
        language=reading.triage.language.code,
        channel=message.channel,
        intent=intent.label,
        intent_confidence=intent.confidence,
        askable=askable,
        article_id=found.citations[0].article_id if found is not None else None,
        confidence=found.confidence if found is not None else None,
        reason=result["reason"],
        result=result,
        versions=result["versions"],
        # The digest outlives the text by a day where none is kept, so that a question sent again is still known.
        request_digest=hashlib.sha256(canonical.encode()).hexdigest(),
        text=message.text if text_days else None,
        text_expires_at=datetime.now(UTC) + timedelta(days=max(text_days, 1)),
    )
