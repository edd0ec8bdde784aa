"""The labels of the standard tasks, as a desk describes them in a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from triage.documents import Document
from triage.normalize import fold

STARTER = Path(__file__).parent / "starter" / "taxonomy.yaml"
_OF_AN_INTENT = (
    "id", "title", "description", "examples", "near", "complexity", "sensitive", "self_service", "role",
)  # fmt: skip


class Complexity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Role(StrEnum):
    """What an intent means for the decision, whatever it is called."""

    REQUEST = "request"
    NO_REPLY = "no_reply"
    OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True, slots=True)
class Area:
    """The first level: what intents have in common whose ids begin with this one and a dot."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The second level, and the label that is predicted.

    Attributes:
        area: the id of its area; None where the desk has no areas.
        examples: what customers write who want this.
        near: what is easily taken for it, and the intent that it is instead.
    """

    id: str
    area: str | None
    title: str
    description: str
    examples: tuple[str, ...]
    near: Mapping[str, str]
    complexity: Complexity
    sensitive: bool
    self_service: bool
    role: Role


@dataclass(frozen=True, slots=True)
class UrgencyLevel:
    id: str
    criteria: str
    self_service: bool


@dataclass(frozen=True, slots=True)
class UrgencyCue:
    reason: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """
    Attributes:
        own_words: names and words of this desk alone, folded, which are not taken for misspelled others.
    """

    version: str
    areas: tuple[Area, ...]
    intents: tuple[Intent, ...]
    urgencies: tuple[UrgencyLevel, ...]
    urgency_cues: tuple[UrgencyCue, ...]
    own_words: frozenset[str] = frozenset()

    def intent(self, label: str) -> Intent | None:
        """The intent of that label; None for a label that a bundle knows and the taxonomy does not."""
        return next((intent for intent in self.intents if intent.id == label), None)

    @property
    def outside(self) -> frozenset[str]:
        """The intents of what is not for this desk."""
        return frozenset(intent.id for intent in self.intents if intent.role is Role.OUT_OF_SCOPE)

    def urgency(self, label: str) -> UrgencyLevel | None:
        return next((level for level in self.urgencies if level.id == label), None)


def load_taxonomy(path: Path = STARTER) -> Taxonomy:
    """Read a taxonomy file.

    Raises:
        BadConfiguration: with every mistake in the file.
    """
    document = Document(path, known=("name", "own_words", "areas", "intents", "urgencies", "urgency_cues"))
    area_rows = document.rows("areas", known=("id", "title"))
    areas = tuple(
        Area(identity, str(row.get("title", identity)))
        for identity, row in zip(document.identities("areas", area_rows), area_rows, strict=True)
    )
    rows = document.rows("intents", known=_OF_AN_INTENT)
    yes_no = (True, False)
    intents = tuple(
        Intent(
            identity,
            _area_of(identity, areas),
            str(row.get("title", identity)),
            str(row.get("description", "")),
            document.words(f"intent {identity}", row, "examples"),
            document.pairs(f"intent {identity}", row, "near"),
            Complexity(document.choice(row, "complexity", list(Complexity), "medium")),
            document.choice(row, "sensitive", yes_no, False),
            document.choice(row, "self_service", yes_no, False),
            Role(document.choice(row, "role", list(Role), "request")),
        )
        for identity, row in zip(document.identities("intents", rows), rows, strict=True)
    )
    levels = document.rows("urgencies", known=("id", "criteria", "self_service"))
    urgencies = tuple(
        UrgencyLevel(identity, str(row.get("criteria", "")), document.choice(row, "self_service", yes_no, True))
        for identity, row in zip(document.identities("urgencies", levels), levels, strict=True)
    )
    for key, found in (("intents", intents), ("urgencies", urgencies)):
        if not found:
            document.problems.append(f"{path}: has no {key}")
    cues = tuple(
        UrgencyCue(reason, tuple(map(fold, document.words(f"urgency cue {reason!r}", row, "words"))))
        for row in document.rows("urgency_cues", known=("reason", "words"))
        for reason in [str(row.get("reason", ""))]
    )
    own = frozenset(map(fold, document.words("the file", document.content, "own_words")))
    document.problems += [f"{path}: {problem}" for problem in _contradictions(areas, intents)]
    document.finish()
    return Taxonomy(document.version, areas, intents, urgencies, cues, own)


def _area_of(intent: str, areas: Sequence[Area]) -> str | None:
    return next((area.id for area in areas if intent.startswith(f"{area.id}.")), None)


def _contradictions(areas: Sequence[Area], intents: Sequence[Intent]) -> Iterator[str]:
    """What each entry alone cannot show."""
    known = {intent.id for intent in intents}
    home: dict[str, str] = {}
    for intent in intents:
        if areas and intent.area is None:
            yield f"{intent.id}: belongs to no area; its id should begin with one of {', '.join(a.id for a in areas)}"
        for text, other in intent.near.items():
            if other not in known or other == intent.id:
                yield f"{intent.id}: near sends {text!r} to {other!r}, which is not another intent of this file"
        for example in intent.examples:
            if (first := home.setdefault(fold(example), intent.id)) != intent.id:
                yield f"{intent.id}: the example {example!r} stands under {first} as well"
    used = {intent.area for intent in intents}
    yield from (f"area {area.id} has no intent" for area in areas if area.id not in used)
