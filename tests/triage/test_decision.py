"""What happens to a message: an answer goes out alone only when nothing stands in the way."""

from dataclasses import replace

import pytest

from models.types import Prediction, Score
from triage.decision import answer_decides, decide, may_be_answered
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.types import Action, ChannelAdvice, Decision, DetectedLanguage, Triage, Urgency


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def prediction(label: str, *, abstained: bool = False) -> Prediction:
    return Prediction(label, 0.8, abstained, (Score(label, 0.8), Score("refund.status", 0.15)))


def triage(intent: str, urgency: str = "normal", *, abstained: bool = False) -> Triage:
    return Triage(
        DetectedLanguage("th", 0.99),
        prediction(intent, abstained=abstained),
        Urgency(prediction(urgency), ()),
        ChannelAdvice("email", ()),
        {},
        (),
    )


@pytest.mark.parametrize("intent", ["order.status", "return.request", "account.password"])
@pytest.mark.parametrize("urgency", ["low", "normal"])
def test_a_self_service_question_with_an_answer_is_answered(taxonomy: Taxonomy, intent: str, urgency: str) -> None:
    decision = decide(triage(intent, urgency), taxonomy, answered=True)
    assert decision.action is Action.ANSWER
    assert intent in decision.reasons[0]


@pytest.mark.parametrize(
    ("intent", "urgency", "answered", "reasons"),
    [
        ("order.status", "normal", False, ["the knowledge base has no answer"]),
        ("order.status", "critical", True, ["urgency critical needs a person"]),
        ("privacy.request", "low", True, ["privacy.request is sensitive"]),
        ("feedback.praise", "low", True, ["feedback.praise is not for self-service"]),
        (
            "account.security",
            "critical",
            True,
            [
                "account.security is sensitive",
                "account.security is not for self-service",
                "urgency critical needs a person",
            ],
        ),
    ],
)
def test_everything_that_stands_in_the_way_is_named(
    taxonomy: Taxonomy, intent: str, urgency: str, answered: bool, reasons: list[str]
) -> None:
    decision = decide(triage(intent, urgency), taxonomy, answered=answered)
    assert decision == Decision(Action.SUGGEST, tuple(reasons))


@pytest.mark.parametrize("urgency", ["low", "critical"])
@pytest.mark.parametrize("abstained", [True, False])
@pytest.mark.parametrize(
    "intent", ["order.status", "privacy.request", "other.no_reply_needed", "other.out_of_scope", "my.own"]
)
def test_an_answer_is_worth_a_search_where_it_changes_the_decision(
    taxonomy: Taxonomy, intent: str, abstained: bool, urgency: str
) -> None:
    found = triage(intent, urgency, abstained=abstained)
    changes = decide(found, taxonomy, answered=True) != decide(found, taxonomy, answered=False)
    assert answer_decides(found, taxonomy) is changes


def test_an_uncertain_intent_goes_to_a_person_with_the_two_likeliest(taxonomy: Taxonomy) -> None:
    decision = decide(triage("order.status", abstained=True), taxonomy, answered=True)
    assert decision.action is Action.REVIEW
    assert decision.reasons == ("intent uncertain: order.status at 0.80, refund.status at 0.15",)


def test_an_uncertain_intent_of_a_bundle_with_one_label(taxonomy: Taxonomy) -> None:
    alone = Prediction("order.status", 1.0, True, (Score("order.status", 1.0),))
    decision = decide(replace(triage("order.status"), intent=alone), taxonomy, answered=True)
    assert decision.reasons == ("intent uncertain: order.status at 1.00",)


@pytest.mark.parametrize("abstained", [True, False])
def test_what_is_out_of_scope_is_reviewed(taxonomy: Taxonomy, abstained: bool) -> None:
    found = triage("other.out_of_scope", abstained=abstained)
    decision = decide(found, taxonomy, answered=True)
    assert decision.action is Action.REVIEW
    assert decision.reasons[0].startswith("out of scope")
    assert not may_be_answered(found, taxonomy)


def test_thanks_need_no_reply(taxonomy: Taxonomy) -> None:
    found = triage("other.no_reply_needed", "low")
    decision = decide(found, taxonomy, answered=True)
    assert decision.action is Action.SUGGEST
    assert decision.reasons[0].startswith("no reply needed")
    assert not may_be_answered(found, taxonomy)


def test_an_intent_that_the_taxonomy_does_not_know_is_reviewed(taxonomy: Taxonomy) -> None:
    found = triage("ร้านอาหาร.จองโต๊ะ")
    assert decide(found, taxonomy, answered=True) == Decision(
        Action.REVIEW, ("intent ร้านอาหาร.จองโต๊ะ is not in the taxonomy",)
    )
    assert may_be_answered(found, taxonomy)


def test_a_bundle_without_intents_leaves_it_to_a_person(taxonomy: Taxonomy) -> None:
    found = replace(triage("order.status"), intent=Prediction("", 0.0, True, ()))
    assert decide(found, taxonomy, answered=True) == Decision(Action.REVIEW, ("the bundle does not predict an intent",))


def test_roles_count_whatever_an_intent_is_called(taxonomy: Taxonomy) -> None:
    renamed = replace(taxonomy, intents=tuple(replace(intent, id=f"мой.{intent.id}") for intent in taxonomy.intents))
    assert decide(triage("мой.other.out_of_scope"), renamed, answered=True).action is Action.REVIEW
    assert decide(triage("мой.other.no_reply_needed"), renamed, answered=True).action is Action.SUGGEST
    assert decide(triage("мой.order.status"), renamed, answered=True).action is Action.ANSWER
