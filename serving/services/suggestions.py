"""Replies proposed to an agent; each is stored under the id that feedback refers to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb.replies import Note, Reply, notes, suggest
from serving.desk import Desk
from serving.services.reading import ask
from serving.services.triage import check_channel
from serving.storage.records import DecisionRepository, SuggestionRecord, SuggestionRepository, UnknownDecision
from serving.storage.tables import SourceType
from triage.pipeline import Message
from triage.taxonomy import Role, Taxonomy
from triage.types import UNDETERMINED, DetectedLanguage, EntityType, Triage


@dataclass(frozen=True, slots=True)
class Suggested:
    """Replies with their ids, best first; `reason` says why there are none. `notes` are for the agent alone."""

    language: DetectedLanguage
    replies: tuple[tuple[str, Reply], ...]
    notes: tuple[Note, ...]
    reason: str | None
    versions: dict[str, str]


def suggest_replies(
    desk: Desk, message: Message, *, values: Mapping[str, str], limit: int, triage_id: str | None
) -> Suggested:
    """Suggest and store.

    Args:
        values: for placeholders, from the request. The order number is taken from the message when it names just one.
        triage_id: the decision that the suggestions belong to.

    Raises:
        UnknownDecision: when there is no such decision.
    """
    now = desk.current()
    check_channel(message.channel, now.pipeline.policy.ids)
    [triage], [question] = ask(now.pipeline, [message])
    replies: list[Reply] = []
    for_the_agent: list[Note] = []
    reason = None
    if _for_this_desk(now.pipeline.taxonomy, triage):
        filled = {**_from_message(triage), **{name: value for name, value in values.items() if value}}
        replies = suggest(now.knowledge, question, values=filled, limit=limit)
        for_the_agent = notes(now.knowledge, question, limit=limit)
        reason = None if replies else "neither a macro nor an article fits"
    else:
        reason = "out of scope: the message does not seem to be for this desk"
    expires = datetime.now(UTC) + timedelta(days=max(desk.settings.text_days, 1))
    records = [
        SuggestionRecord(
            decision_id=triage_id,
            rank=rank,
            source_type=SourceType(reply.source.value),
            source_id=reply.source_id,
            language=reply.language,
            confidence=reply.confidence,
            text=reply.text if desk.settings.text_days else None,
            text_expires_at=expires,
        )
        for rank, reply in enumerate(replies, 1)
    ]
    with desk.database.transaction() as session:
        if triage_id is not None and DecisionRepository(session).get(triage_id) is None:
            raise UnknownDecision(f"No decision {triage_id!r}. Use the id that came with the triage, or leave it out.")
        SuggestionRepository(session).add_many(records)
    pairs = tuple((record.id, reply) for record, reply in zip(records, replies, strict=True))
    return Suggested(triage.language, pairs, tuple(for_the_agent), reason, now.versions)


def _for_this_desk(taxonomy: Taxonomy, triage: Triage) -> bool:
    intent = taxonomy.intent(triage.intent.label)
    return triage.language.code != UNDETERMINED and (intent is None or intent.role is not Role.OUT_OF_SCOPE)


def _from_message(triage: Triage) -> dict[str, str]:
    numbers = {entity.text for entity in triage.entities if entity.type is EntityType.ORDER_NUMBER}
    return {"order_number": numbers.pop()} if len(numbers) == 1 else {}
