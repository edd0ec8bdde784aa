"""The labels of the standard tasks, as a desk describes them in a file."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from triage.documents import Document
from triage.normalize import fold

STARTER = Path(__file__).parent / "starter" / "taxonomy.yaml"


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
class Intent:
    id: str
    title: str
    description: str
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
    version: str
    intents: tuple[Intent, ...]
    urgencies: tuple[UrgencyLevel, ...]
    urgency_cues: tuple[UrgencyCue, ...]

    def intent(self, label: str) -> Intent | None:
        """The intent of that label; None for a label that a bundle knows and the taxonomy does not."""
        return next((intent for intent in self.intents if intent.id == label), None)

    def urgency(self, label: str) -> UrgencyLevel | None:
        return next((level for level in self.urgencies if level.id == label), None)


def load_taxonomy(path: Path = STARTER) -> Taxonomy:
    """Read a taxonomy file.

    Raises:
        BadConfiguration: with every mistake in the file.
    """
    document = Document(path, known=("name", "intents", "urgencies", "urgency_cues"))
    known = ("id", "title", "description", "complexity", "sensitive", "self_service", "role")
    rows = document.rows("intents", known=known)
    yes_no = (True, False)
    intents = tuple(
        Intent(
            identity,
            str(row.get("title", identity)),
            str(row.get("description", "")),
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
    document.finish()
    return Taxonomy(document.version, intents, urgencies, cues)
