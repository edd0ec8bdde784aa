"""From messages to triage: normalisation, language, encoder, heads, entities and channel, in that order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.bundle import Bundle
from models.types import Encoder, Prediction, Vectors
from triage.channels import ChannelPolicy
from triage.entities import EntityFinder
from triage.language import LanguageDetector
from triage.normalize import fold, is_blank, normalize
from triage.taxonomy import Role, Taxonomy
from triage.types import UNDETERMINED, DetectedLanguage, Entity, EntityType, Triage, Urgency

STANDARD_TASKS = ("intent", "urgency", "channel")
NO_PREDICTION = Prediction("", 0.0, True, ())
"""For a standard task that the bundle does not have, and for any task that is set aside."""


@dataclass(frozen=True, slots=True)
class Message:
    """One text from a customer; `channel` and `language` are what the helpdesk knows of it, if anything."""

    text: str
    channel: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Triaged:
    """A triage for each message, and what it was made from: vectors for search, the bundle's own words to compare."""

    triages: list[Triage]
    texts: list[str]
    vectors: Vectors
    predictions: list[dict[str, Prediction]]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One bundle with everything else that reads a message.

    Attributes:
        set_aside: tasks that act on nothing; what the bundle says of them is only noted, in `Triage.set_aside`.
        answer_precision: the share of answers that are to be right; below it a knowledge base says nothing.
    """

    encoder: Encoder
    bundle: Bundle
    taxonomy: Taxonomy
    policy: ChannelPolicy
    detector: LanguageDetector
    finder: EntityFinder
    set_aside: frozenset[str] = frozenset()
    answer_precision: float = 0.9

    def run(self, messages: Sequence[Message], *, at: datetime) -> Triaged:
        """Triage messages; `at` decides which channels are open.

        `texts` of the result are the normalised texts, which is what search should read as well.
        """
        texts = [normalize(message.text, self.taxonomy.own_words) for message in messages]
        languages = self._languages(messages, texts)
        vectors, own = self.bundle.both_vectors(texts, self.encoder, [found.code for found in languages])
        predictions = self.bundle.predict(texts, own)
        rows = zip(messages, texts, languages, predictions, strict=True)
        return Triaged([self._triage(*row, at) for row in rows], texts, vectors, predictions)

    def _languages(self, messages: Sequence[Message], texts: list[str]) -> list[DetectedLanguage]:
        detected = self.detector.detect(texts)
        return [
            DetectedLanguage(message.language, 1.0) if message.language else found
            for message, found in zip(messages, detected, strict=True)
        ]

    def _triage(
        self,
        message: Message,
        text: str,
        language: DetectedLanguage,
        predictions: Mapping[str, Prediction],
        at: datetime,
    ) -> Triage:
        unreadable = language.code == UNDETERMINED or is_blank(text)
        aside = {task: found for task, found in predictions.items() if task in self.set_aside}
        predictions = {**predictions, **dict.fromkeys(aside, NO_PREDICTION)}
        intent = self._intent(predictions.get("intent", NO_PREDICTION), unreadable)
        entities = self.finder.find(message.text)
        urgency = predictions.get("urgency", NO_PREDICTION)
        if unreadable:
            urgency = replace(urgency, abstained=True)
        # Where the matter is not known, neither is its best channel: the policy alone decides.
        shares = () if intent.abstained else predictions.get("channel", NO_PREDICTION).ranking
        channel = self.policy.advise(
            text,
            shares={score.label: score.score for score in shares},
            intent="" if intent.abstained else intent.label,
            urgency="" if urgency.abstained else urgency.label,
            came_from=message.channel,
            at=at,
        )
        labels = {
            task: replace(found, abstained=found.abstained or unreadable)
            for task, found in predictions.items()
            if task not in STANDARD_TASKS
        }
        cues = () if "urgency" in aside else self._cues(text, entities)
        return Triage(language, intent, Urgency(urgency, cues), channel, labels, entities, aside)

    def _intent(self, prediction: Prediction, unreadable: bool) -> Prediction:
        """A text in no language, or one for somebody else's desk, gets no confident tag."""
        known = self.taxonomy.intent(prediction.label)
        foreign = known is not None and known.role is Role.OUT_OF_SCOPE
        return replace(prediction, abstained=True) if unreadable or foreign else prediction

    def _cues(self, text: str, entities: tuple[Entity, ...]) -> tuple[str, ...]:
        folded = fold(text)
        found = [
            f"{cue.reason}: “{word}”"
            for cue in self.taxonomy.urgency_cues
            if (word := next((word for word in cue.words if word in folded), None))
        ]
        if date := next((entity.text for entity in entities if entity.type is EntityType.DATE), None):
            found.append(f"names a date: “{date}”")
        if "!!" in text or "！！" in text:
            found.append("several exclamation marks")
        return tuple(found)
