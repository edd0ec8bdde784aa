"""Triage as the JSON object that HTTP and the command line share."""

from collections.abc import Mapping
from typing import Any

from models.types import Prediction
from triage.types import Decision, Triage


def triage_result(identity: str, triage: Triage, decision: Decision, versions: Mapping[str, str]) -> dict[str, Any]:
    """One message's triage under the field names of the public format."""
    return {
        "id": identity,
        "text_language": {"code": triage.language.code, "confidence": triage.language.confidence},
        "intent": _prediction(triage.intent),
        "urgency": {**_prediction(triage.urgency.prediction), "reasons": list(triage.urgency.reasons)},
        "channel": {
            "recommended": triage.channel.recommended,
            "ranking": [
                {"channel": r.channel, "score": r.score, "available": r.available, "reasons": list(r.reasons)}
                for r in triage.channel.ranking
            ],
        },
        "labels": {task: _prediction(prediction) for task, prediction in triage.labels.items()},
        "entities": [
            {"type": entity.type.value, "text": entity.text, "start": entity.start, "end": entity.end}
            for entity in triage.entities
        ],
        "decision": {"action": decision.action.value, "reasons": list(decision.reasons)},
        "versions": dict(versions),
    }


def split_excerpts(result: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result without words of the customer's, and those words, which are kept only as long as the text."""
    kept = {**result, "urgency": {**result["urgency"], "reasons": []}, "entities": []}
    return kept, {"urgency_reasons": result["urgency"]["reasons"], "entities": result["entities"]}


def join_excerpts(kept: Mapping[str, Any], excerpts: Mapping[str, Any]) -> dict[str, Any]:
    """The result as it was answered, of the two that `split_excerpts` made of it."""
    urgency = {**kept["urgency"], "reasons": excerpts["urgency_reasons"]}
    return {**kept, "urgency": urgency, "entities": excerpts["entities"]}


def _prediction(prediction: Prediction) -> dict[str, Any]:
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "abstained": prediction.abstained,
        "ranking": [{"label": score.label, "score": score.score} for score in prediction.ranking],
    }
