"""What triage says about a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.languages import UNDETERMINED as UNDETERMINED
from models.types import Prediction


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """A BCP 47 code (`th`, `zh-Hant`; `und` where a text has none) and how sure the detector is, 0 to 1."""

    code: str
    confidence: float


class EntityType(StrEnum):
    ORDER_NUMBER = "order_number"
    EMAIL = "email"
    PHONE = "phone"
    AMOUNT = "amount"
    DATE = "date"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Entity:
    """A span of the text as it was sent: `text == message[start:end]`, counted in Unicode code points."""

    type: EntityType
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RankedChannel:
    channel: str
    score: float
    available: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelAdvice:
    """The best channel that is open, and every configured one in order; `recommended` is None when none is open."""

    recommended: str | None
    ranking: tuple[RankedChannel, ...]


class Action(StrEnum):
    ANSWER = "answer"
    SUGGEST = "suggest"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Urgency:
    prediction: Prediction
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Triage:
    """Everything that triage says about one message, before the knowledge base has been asked.

    Attributes:
        set_aside: what the heads say of tasks that act on nothing here, as they say it.
    """

    language: DetectedLanguage
    intent: Prediction
    urgency: Urgency
    channel: ChannelAdvice
    labels: Mapping[str, Prediction]
    entities: tuple[Entity, ...]
    set_aside: Mapping[str, Prediction] = field(default_factory=dict)
