"""Triage, answers and reply candidates as the JSON objects that HTTP and the command line share."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kb.alternatives import Alternative
from models.registry_state import TaskMode
from models.types import Prediction
from serving.keeper import Snapshot
from serving.services.reading import Reading
from serving.storage.candidates import CandidateRecord, macro_id
from serving.storage.tables import ReviewStatus
from triage.types import RankedChannel, Triage

MONITORED = "monitored"
"""The field of a decision record for what monitored tasks would have said; it is in no answer."""


def triage_result(identity: str, reading: Reading, now: Snapshot) -> dict[str, Any]:
    """One message's triage under the field names of the public format."""
    triage, decision, mode = reading.triage, reading.decision, now.state.mode
    return {
        "id": identity,
        "text_language": {"code": triage.language.code, "confidence": triage.language.confidence},
        "intent": _shown(triage.intent, mode("intent")),
        "urgency": {**_shown(triage.urgency.prediction, mode("urgency")), "reasons": list(triage.urgency.reasons)},
        "channel": {
            "recommended": triage.channel.recommended,
            "ranking": _channels(triage.channel.ranking),
            "mode": mode("channel").value,
        },
        "labels": {
            task: {**_shown(prediction, mode(task)), "labels": list(prediction.labels)}
            for task, prediction in triage.labels.items()
        },
        "entities": [
            {"type": entity.type.value, "text": entity.text, "start": entity.start, "end": entity.end}
            for entity in triage.entities
        ],
        "decision": {"action": decision.action.value, "reasons": list(decision.reasons)},
        "versions": now.versions,
    }


def answer_result(
    identity: str, reading: Reading, others: Sequence[Alternative], reason: str | None, now: Snapshot
) -> dict[str, Any]:
    """What a customer's question is answered, under the field names of the public format."""
    found, language = reading.answer, reading.triage.language
    ways = () if found is not None else now.pipeline.policy.reaching_people(reading.triage.channel)
    return {
        "id": identity,
        "answer": found
        and {
            "text": found.text,
            "language": found.language,
            "foreign_language": found.language != language.code,
            "confidence": found.confidence,
        },
        "citations": [asdict(citation) for citation in (found.citations if found is not None else ())],
        "alternatives": [asdict(other) for other in others],
        "reason": reason,
        "channels": _channels(ways),
        "text_language": {"code": language.code, "confidence": language.confidence},
        "versions": now.versions,
    }


def candidate_result(candidate: CandidateRecord) -> dict[str, Any]:
    """A reply candidate under the field names of the public format."""
    approved = candidate.status is ReviewStatus.APPROVED
    return {
        "id": candidate.id,
        "status": candidate.status.value,
        "language": candidate.language,
        "title": candidate.title,
        "text": candidate.text,
        "intents": list(candidate.intents),
        "intent_shares": [{"label": label, "score": share} for label, share in candidate.intent_shares.items()],
        "count": candidate.count,
        "examples": list(candidate.examples),
        "macro_id": macro_id(candidate.id) if approved else None,
        "reviewer": candidate.reviewer,
        "reviewed_at": candidate.reviewed_at.isoformat() if candidate.reviewed_at else None,
        "reason": candidate.reason,
    }


def monitored(triage: Triage, now: Snapshot) -> dict[str, Any]:
    """What the tasks in mode monitor say of a message, for its record and for nobody's eyes."""
    return {
        task: _prediction(prediction)
        for task, prediction in triage.set_aside.items()
        if now.state.mode(task) is TaskMode.MONITOR
    }


def split_excerpts(result: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result without words of the customer's, and those words, which are kept only as long as the text."""
    kept = {**result, "urgency": {**result["urgency"], "reasons": []}, "entities": []}
    return kept, {"urgency_reasons": result["urgency"]["reasons"], "entities": result["entities"]}


def join_excerpts(kept: Mapping[str, Any], excerpts: Mapping[str, Any]) -> dict[str, Any]:
    """The result as it was answered, of the two that `split_excerpts` made of it."""
    urgency = {**kept["urgency"], "reasons": excerpts["urgency_reasons"]}
    shown = {name: value for name, value in kept.items() if name != MONITORED}
    return {**shown, "urgency": urgency, "entities": excerpts["entities"]}


def _channels(ranking: Sequence[RankedChannel]) -> list[dict[str, Any]]:
    return [
        {"channel": r.channel, "score": r.score, "available": r.available, "reasons": list(r.reasons)} for r in ranking
    ]


def _shown(prediction: Prediction, mode: TaskMode) -> dict[str, Any]:
    return {**_prediction(prediction), "mode": mode.value}


def _prediction(prediction: Prediction) -> dict[str, Any]:
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "abstained": prediction.abstained,
        "ranking": [{"label": score.label, "score": score.score} for score in prediction.ranking],
        "out_of_scope": prediction.out_of_scope,
    }
