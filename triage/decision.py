"""What to do with a message: answer it, suggest replies to an agent, or have a person read it first."""

from models.types import Prediction
from triage.taxonomy import Intent, Role, Taxonomy
from triage.types import Action, Decision, Triage


def decide(triage: Triage, taxonomy: Taxonomy, *, answered: bool) -> Decision:
    """The decision on a message.

    Args:
        answered: whether the knowledge base holds an answer to it.

    An answer goes out alone only when every condition for it holds; whatever stands in the way is named.
    """
    intent = taxonomy.intent(triage.intent.label)
    if intent is not None and intent.role is Role.OUT_OF_SCOPE:
        return Decision(Action.REVIEW, ("out of scope: the message does not seem to be for this desk",))
    if "intent" in triage.set_aside:
        return Decision(Action.REVIEW, ("this desk decides nothing by the intent: its mode is monitor or off",))
    if not triage.intent.ranking:
        return Decision(Action.REVIEW, ("the bundle does not predict an intent",))
    if triage.intent.abstained:
        return Decision(Action.REVIEW, (f"intent uncertain: {_best(triage.intent)}",))
    if intent is None:
        return Decision(Action.REVIEW, (f"intent {triage.intent.label} is not in the taxonomy",))
    if intent.role is Role.NO_REPLY:
        return Decision(Action.SUGGEST, ("no reply needed: close it, or send a closing line",))
    in_the_way = _in_the_way(triage, intent, taxonomy)
    if in_the_way:
        return Decision(Action.SUGGEST, tuple(in_the_way))
    if not answered:
        return Decision(Action.SUGGEST, ("the knowledge base has no answer",))
    return Decision(Action.ANSWER, (f"{intent.id} is for self-service and the knowledge base has an answer",))


def answer_decides(triage: Triage, taxonomy: Taxonomy) -> bool:
    """Whether the decision depends on an answer: where something else stands in its way, none need be looked up."""
    intent = taxonomy.intent(triage.intent.label)
    if triage.intent.abstained or intent is None or intent.role is not Role.REQUEST:
        return False
    return not _in_the_way(triage, intent, taxonomy)


def may_be_answered(triage: Triage, taxonomy: Taxonomy) -> bool:
    """Whether it makes sense to look for an answer at all: not for what is out of scope or needs no reply."""
    intent = taxonomy.intent(triage.intent.label)
    return intent is None or intent.role is Role.REQUEST


def _in_the_way(triage: Triage, intent: Intent, taxonomy: Taxonomy) -> list[str]:
    """What keeps an answer from going out alone, whatever the knowledge base holds."""
    level = taxonomy.urgency(triage.urgency.prediction.label)
    reasons = []
    if intent.sensitive:
        reasons.append(f"{intent.id} is sensitive")
    if not intent.self_service:
        reasons.append(f"{intent.id} is not for self-service")
    if level is not None and not level.self_service:
        reasons.append(f"urgency {level.id} needs a person")
    return reasons


def _best(prediction: Prediction) -> str:
    first = f"{prediction.label} at {prediction.confidence:.2f}"
    if len(prediction.ranking) < 2:
        return first
    second = prediction.ranking[1]
    return f"{first}, {second.label} at {second.score:.2f}"
