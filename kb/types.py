"""What a desk knows: articles that answer, and macros that agents reply with."""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Who may read an article; an internal one helps agents and never reaches a customer."""

    PUBLIC = "public"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Article:
    """A page of the knowledge base: `body` is Markdown, `translation_of` the id of the article it renders."""

    id: str
    language: str
    title: str
    body: str
    audience: Audience = Audience.PUBLIC
    translation_of: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Macro:
    """A canned reply to messages of certain intents; `text` may hold `{{placeholders}}`."""

    id: str
    title: str
    language: str
    intents: tuple[str, ...]
    text: str
