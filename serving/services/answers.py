"""Self-service: an answer from the knowledge base with its source, or none with the reason."""

from dataclasses import dataclass

from kb.answer import Answer
from serving.desk import Desk
from serving.services.reading import read
from serving.services.triage import check_channel
from triage.decision import may_be_answered
from triage.pipeline import Message
from triage.types import DetectedLanguage


@dataclass(frozen=True, slots=True)
class Answered:
    """`reason` says why there is no answer; None when there is one."""

    language: DetectedLanguage
    answer: Answer | None
    reason: str | None
    versions: dict[str, str]


def answer_question(desk: Desk, message: Message) -> Answered:
    """Look for an answer; nothing is stored.

    Raises:
        BadRequest: for a channel that the policy does not know.
    """
    now = desk.current()
    check_channel(message.channel, now.pipeline.policy.ids)
    reading = read(now.pipeline, now.knowledge, [message], always=True)[0]
    reason = None
    if reading.answer is None:
        in_scope = may_be_answered(reading.triage, now.pipeline.taxonomy)
        reason = "the knowledge base has no answer" if in_scope else f"nothing to answer: {reading.triage.intent.label}"
    return Answered(reading.triage.language, reading.answer, reason, now.versions)
