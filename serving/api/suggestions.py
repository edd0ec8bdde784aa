"""POST /v1/suggestions and /v1/suggestions/{id}/events."""

from typing import Any

from fastapi import APIRouter, Depends

from serving.api.dependencies import PROBLEMS, CurrentDesk, problems, text_language
from serving.auth import Scope, require
from serving.examples import example
from serving.schemas import (
    EventIn,
    EventOut,
    Identity,
    NoteOut,
    SourceOut,
    SuggestionOut,
    SuggestionsIn,
    SuggestionsOut,
)
from serving.services.feedback import record_event
from serving.services.suggestions import suggest_replies
from triage.pipeline import Message

_OWN = problems({404: "No suggestion or decision has this id."})
router = APIRouter(prefix="/v1/suggestions", tags=["suggestions"], responses=PROBLEMS | _OWN)


@router.post("", dependencies=[Depends(require(Scope.SUGGEST))], **example("suggestions", SuggestionsOut))
def suggestions(asked: SuggestionsIn, desk: CurrentDesk) -> Any:
    """Replies for an agent, best first."""
    values = {
        "customer_name": asked.customer.name,
        "agent_name": asked.agent.name,
        "order_number": asked.order_number,
    }
    message = Message(asked.text, asked.channel, asked.language)
    found = suggest_replies(desk, message, values=values, limit=asked.limit, triage_id=asked.triage_id)
    return SuggestionsOut(
        suggestions=[
            SuggestionOut(
                id=identity,
                text=reply.text,
                language=reply.language,
                source=SourceOut(type=reply.source.value, id=reply.source_id, title=reply.title),
                confidence=reply.confidence,
                open_placeholders=list(reply.open_placeholders),
            )
            for identity, reply in found.replies
        ],
        notes=[NoteOut.model_validate(note, from_attributes=True) for note in found.notes],
        reason=found.reason,
        text_language=text_language(found.language),
        versions=found.versions,
    )


@router.post("/{suggestion_id}/events", dependencies=[Depends(require(Scope.FEEDBACK))], **example("event", EventOut))
def event(suggestion_id: Identity, event: EventIn, desk: CurrentDesk) -> dict[str, Any]:
    """What became of a suggestion. Sending the same again changes nothing."""
    stored = record_event(desk, suggestion_id, event.kind, final_text=event.final_text, reason=event.reason)
    return {
        "id": stored.id,
        "suggestion_id": stored.suggestion_id,
        "kind": stored.kind,
        "created_at": stored.created_at.isoformat(),
    }
