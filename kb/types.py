"""What a desk knows: articles that answer, and macros that agents reply with."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Audience(StrEnum):
    """Who may read an article; an internal one helps agents and never reaches a customer."""

    PUBLIC = "public"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Article:
    """A page of the knowledge base.

    Attributes:
        body: Markdown in which nothing can run.
        translation_of: the id of the article that it renders in another language.
        section: where it stands in its help centre.
        valid_from, valid_until: the first and the last day on which it is found; None: no such limit.
        draft: kept, and found by nobody.
        edited_at: when its authors last changed it, as far as they say.
        version: counts the changes of its content here, from 1; the store gives it.
    """

    id: str
    language: str
    title: str
    body: str
    audience: Audience = Audience.PUBLIC
    translation_of: str | None = None
    tags: tuple[str, ...] = ()
    section: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    draft: bool = False
    edited_at: datetime | None = None
    version: int = 1

    def valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class Macro:
    """A canned reply to messages of certain intents; `text` may hold `{{placeholders}}`."""

    id: str
    title: str
    language: str
    intents: tuple[str, ...]
    text: str
