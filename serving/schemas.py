"""The wire: what requests may hold and what responses do. Pydantic stays here and in the settings."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from models.languages import canonical_language
from models.registry_state import TaskMode
from serving.storage.tables import EventKind, Outcome, ReviewStatus
from triage.types import Action, EntityType

MAX_TEXT = 20_000
MAX_BATCH = 256
MAX_SUGGESTIONS = 20
IDENTITY = r"^[\w.:@/+-]{1,128}$"


def _readable(text: str) -> str:
    if not text.strip():
        raise ValueError("it is blank; send what the customer wrote")
    if "\0" in text:
        raise ValueError("it holds a NUL character; send text, not binary data")
    return text


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_readable)]
Identity = Annotated[str, StringConstraints(pattern=IDENTITY)]
Language = Annotated[str, Field(max_length=35, examples=["zh-Hant"]), AfterValidator(canonical_language)]


class Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageIn(Wire):
    """A customer's message. With an `id`, sending it again answers with the first result."""

    text: Text = Field(description=f"What the customer wrote, up to {MAX_TEXT:,} characters.")
    id: Identity | None = Field(default=None, description="The helpdesk's own id of the message.")
    channel: str | None = Field(default=None, max_length=64, description="The channel it came from, as in the policy.")
    language: Language | None = Field(default=None, description="Its language as BCP 47, if the helpdesk knows it.")


class BatchIn(Wire):
    messages: list[MessageIn] = Field(min_length=1, max_length=MAX_BATCH)


class LabelScore(Wire):
    label: str
    score: float


class TextLanguage(Wire):
    code: str = Field(description="BCP 47; und where the text has none.")
    confidence: float


Mode = Annotated[
    TaskMode,
    Field(
        default=TaskMode.RECOMMEND,
        description="What the desk lets this task do. autofill: write the label where the model does not abstain; "
        "recommend: show it; monitor and off: the label is empty, and acts on nothing.",
    ),
]


class LabelOut(Wire):
    label: str = Field(description="The best label, also when the model abstains; empty in monitor and off.")
    confidence: float
    abstained: bool = Field(description="The model is not sure: have a person look.")
    ranking: list[LabelScore]
    out_of_scope: float = Field(description="How likely it is that the message is about none of the labels.")
    mode: Mode


class OwnTaskOut(LabelOut):
    labels: list[str] = Field(description="Of a task with several labels a message, all that reach their thresholds.")


class UrgencyOut(LabelOut):
    reasons: list[str]


class ChannelScore(Wire):
    channel: str
    score: float
    available: bool
    reasons: list[str]


class ChannelOut(Wire):
    recommended: str | None
    ranking: list[ChannelScore] = Field(description="Every configured channel, none hidden.")
    mode: Mode


class EntityOut(Wire):
    type: EntityType
    text: str
    start: int = Field(description="In Unicode code points of the text as it was sent.")
    end: int


class DecisionOut(Wire):
    action: Action
    reasons: list[str]


class TriageOut(Wire):
    id: str
    text_language: TextLanguage
    intent: LabelOut
    urgency: UrgencyOut
    channel: ChannelOut
    labels: dict[str, OwnTaskOut] = Field(description="The tasks that the desk added.")
    entities: list[EntityOut]
    decision: DecisionOut
    versions: dict[str, str]


class BatchOut(Wire):
    results: list[TriageOut]


class AnswerIn(Wire):
    """A customer's question. With an `id`, sending it again answers with the first result."""

    question: Text
    id: Identity | None = Field(default=None, description="The helpdesk's own id of the question.")
    language: Language | None = None
    channel: str | None = Field(default=None, max_length=64)


class CitationOut(Wire):
    article_id: str
    passage_id: str
    title: str
    language: str
    score: float


class AlternativeOut(Wire):
    article_id: str
    title: str
    language: str
    score: float


class AnswerText(Wire):
    text: str = Field(description="Taken from the article word by word.")
    language: str
    foreign_language: bool = Field(
        description="It is in another language, or script, than the question, for want of a translation. Say so."
    )
    confidence: float


class AnswerOut(Wire):
    id: str = Field(description="What an outcome refers to.")
    answer: AnswerText | None = Field(description="None when the knowledge base has no answer.")
    citations: list[CitationOut]
    alternatives: list[AlternativeOut] = Field(
        description="Up to three other public articles that might help, best first."
    )
    reason: str | None = Field(description="Why there is no answer.")
    channels: list[ChannelScore] = Field(
        description="Where there is no answer, every channel on which a person can be reached, best first."
    )
    text_language: TextLanguage
    versions: dict[str, str]


class OutcomeIn(Wire):
    outcome: Outcome
    channel: str | None = Field(default=None, max_length=64, description="Where the customer went on to, if anywhere.")


class OutcomeOut(Wire):
    answer_id: str
    outcome: Outcome
    channel: str | None
    created_at: str


class GapExampleOut(Wire):
    text: str = Field(description="A customer's question, long ones cut.")
    language: str


class NearestOut(Wire):
    article_id: str
    title: str
    score: float
    languages: list[str] = Field(description="Of the article and its translations, as far as customers find them.")
    missing_languages: list[str] = Field(description="In which it was asked for and is not there.")


class GapOut(Wire):
    count: int
    languages: dict[str, int] = Field(description="Questions in each, the most first.")
    unanswered: int = Field(description="Questions that got no answer.")
    unsolved: int = Field(description="Questions that got one which did not help.")
    intent: str | None = Field(description="The most likely one; null where none is known.")
    examples: list[GapExampleOut]
    nearest: NearestOut | None = Field(description="Of the articles that there are; null in an empty knowledge base.")


class GapsOut(Wire):
    questions: int = Field(description="Open questions that were looked at, the newest.")
    older: int = Field(description="Open questions beyond the limit, left out.")
    expired: int = Field(description="Open questions whose text is not kept any more.")
    clusters: int = Field(description="Of which `gaps` has the largest.")
    gaps: list[GapOut]


class Person(Wire):
    name: str = Field(default="", max_length=200)


class SuggestionsIn(Wire):
    """What to fill placeholders with is sent along; whatever is not stays visibly open."""

    text: Text
    language: Language | None = None
    channel: str | None = Field(default=None, max_length=64)
    triage_id: Identity | None = Field(default=None, description="The decision that the suggestions belong to.")
    customer: Person = Person()
    agent: Person = Person()
    order_number: str = Field(default="", max_length=100)
    limit: int = Field(default=3, ge=1, le=MAX_SUGGESTIONS)


class SourceOut(Wire):
    type: str
    id: str
    title: str


class SuggestionOut(Wire):
    id: str
    text: str
    language: str
    source: SourceOut
    confidence: float
    open_placeholders: list[str] = Field(description="Names that still stand in the text as {{name}}.")


class NoteOut(Wire):
    article_id: str
    title: str
    text: str
    language: str
    confidence: float


class SuggestionsOut(Wire):
    suggestions: list[SuggestionOut]
    notes: list[NoteOut] = Field(description="From internal articles: for the agent to read, never to send.")
    reason: str | None
    text_language: TextLanguage
    versions: dict[str, str]


class EventIn(Wire):
    kind: EventKind
    final_text: str | None = Field(default=None, max_length=MAX_TEXT, description="With edited: the text as sent.")
    reason: str | None = Field(default=None, max_length=500, description="With rejected: incorrect, outdated, …")


class EventOut(Wire):
    id: str
    suggestion_id: str
    kind: EventKind
    created_at: str


class CorrectionIn(Wire):
    task: str = Field(max_length=100)
    label: str = Field(max_length=200)
    agent: str | None = Field(default=None, max_length=200)


class CorrectionOut(Wire):
    id: str
    triage_id: str
    task: str
    label: str
    created_at: str


class CandidateOut(Wire):
    """A reply that agents gave in past conversations."""

    id: str
    status: ReviewStatus
    language: str
    title: str
    text: str = Field(description="As mined, or as approved; {{placeholders}} stand for what was one customer's.")
    intents: list[str] = Field(description="Of the macro that it is, or would be.")
    intent_shares: list[LabelScore] = Field(description="The likeliest intents of the requests behind it.")
    count: int = Field(description="Replies behind it.")
    examples: list[str] = Field(description="Up to three requests; they go when other texts of customers go.")
    macro_id: str | None = Field(description="The macro that it became; null unless it is approved.")
    reviewer: str | None
    reviewed_at: str | None
    reason: str | None


class CandidatesOut(Wire):
    candidates: list[CandidateOut] = Field(description="Those with most replies behind them first.")
    total: int = Field(description="Of this status, on all pages.")


class ReviewIn(Wire):
    """What is left out stays as it is. The same review again changes nothing."""

    status: Literal[ReviewStatus.APPROVED, ReviewStatus.REJECTED]
    text: str | None = Field(default=None, max_length=10_000, description="With approved: another text.")
    title: str | None = Field(default=None, max_length=300)
    intents: list[str] | None = Field(default=None, max_length=50, description="With approved: of the taxonomy.")
    reason: str | None = Field(default=None, max_length=500, description="Needed with rejected.")
    reviewer: str | None = Field(default=None, max_length=200)


class AreaOut(Wire):
    id: str
    title: str


class IntentOut(Wire):
    id: str
    area: str | None
    title: str
    description: str
    examples: list[str]
    near: dict[str, str]
    complexity: str
    sensitive: bool
    self_service: bool
    role: str


class UrgencyLevelOut(Wire):
    id: str
    criteria: str


class TaxonomyOut(Wire):
    version: str
    areas: list[AreaOut]
    intents: list[IntentOut]
    urgencies: list[UrgencyLevelOut] = Field(description="From the least to the most urgent.")
    channels: list[str]
    tasks: dict[str, list[str]] = Field(description="What the loaded bundle predicts.")


class Health(StrEnum):
    OK = "ok"
    FAILING = "failing"


class HealthOut(Wire):
    status: Health
    checks: dict[str, str]


class ProblemOut(BaseModel):
    """RFC 9457. `errors` names each field at fault."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] = []
