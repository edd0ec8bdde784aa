"""Triage requests: read, decide, leave a record."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.desk import Desk
from serving.errors import BadRequest
from serving.results import MONITORED, join_excerpts, monitored, split_excerpts, triage_result
from serving.services.reading import read
from serving.storage.records import DecisionRecord, DecisionRepository, new_id
from triage.pipeline import Message


@dataclass(frozen=True, slots=True)
class TriageRequest:
    """A message to triage; with an `id` it may be sent again and is then answered with the record."""

    message: Message
    id: str | None = None


def triage(desk: Desk, requests: Sequence[TriageRequest], *, listed_in: str = "") -> list[dict[str, Any]]:
    """Triage messages and store a decision for each, all in one transaction.

    Args:
        listed_in: the field that the messages came in, for errors; empty for a single one.

    Raises:
        BadRequest: for a channel that the policy does not know, or an id that stands twice in the list.
        ConflictingRequest: for an id that stands for another message.
    """
    now = desk.current()
    _check(now.pipeline.policy.ids, requests, listed_in)
    readings = read(now.pipeline, now.knowledge, [request.message for request in requests])
    results = [
        triage_result(request.id or new_id(), reading, now) for request, reading in zip(requests, readings, strict=True)
    ]
    records = [
        _record(request, result, monitored(reading.triage, now), desk.settings.text_days)
        for request, reading, result in zip(requests, readings, results, strict=True)
    ]
    with desk.database.transaction() as session:
        stored = DecisionRepository(session).add_many(records)
    desk.shadow.offer(now, [record.id for record in records], readings)
    # What stands under an id is of the same message, so that excerpts which are not kept can be taken from it anew.
    return [
        join_excerpts(record.result, split_excerpts(result)[1] if record.excerpts is None else record.excerpts)
        for record, result in zip(stored, results, strict=True)
    ]


def _check(known: Sequence[str], requests: Sequence[TriageRequest], listed_in: str) -> None:
    seen: set[str] = set()
    for at, request in enumerate(requests):
        place = f"{listed_in}.{at}." if listed_in else ""
        check_channel(request.message.channel, known, field=f"{place}channel")
        if request.id is not None and request.id in seen:
            message = f"The id {request.id!r} stands twice in this batch; each message needs its own."
            raise BadRequest(f"{place}id", message)
        seen.add(request.id or "")


def check_channel(channel: str | None, known: Sequence[str], *, field: str = "channel") -> None:
    if channel is not None and channel not in known:
        raise BadRequest(field, f"Unknown channel {channel!r}; the policy has {', '.join(known)}.")


def _record(
    request: TriageRequest, result: dict[str, Any], unseen: Mapping[str, Any], text_days: int
) -> DecisionRecord:
    message = request.message
    canonical = json.dumps([message.text, message.channel, message.language], ensure_ascii=True)
    kept, excerpts = split_excerpts(result)
    known = {**result, **unseen}
    return DecisionRecord(
        id=result["id"],
        language=result["text_language"]["code"],
        channel=message.channel,
        intent=known["intent"]["label"],
        urgency=known["urgency"]["label"],
        action=result["decision"]["action"],
        result={**kept, MONITORED: unseen} if unseen else kept,
        versions=result["versions"],
        excerpts=excerpts if text_days else None,
        # The digest outlives the text by a day where none is kept, so that a message sent again is still known.
        request_digest=hashlib.sha256(canonical.encode()).hexdigest(),
        text=message.text if text_days else None,
        text_expires_at=datetime.now(UTC) + timedelta(days=max(text_days, 1)),
    )
