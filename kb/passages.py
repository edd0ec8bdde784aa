"""Articles cut into passages: the pieces that are indexed, found and quoted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from kb.types import Article, Audience

MAX_CHARACTERS = 700
"""About 200 tokens of Latin script and up to 500 of Thai or Chinese: within every encoder's 512 positions."""
WINDOW, _COMPACT_WINDOW = 250, 100
"""Characters of a window; a question is about a sentence or two, and their vector is nearer to it than a passage's."""

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_PARAGRAPH = re.compile(r".+?(?:\n\s*\n|\Z)", re.DOTALL)
_SENTENCE = re.compile(r".+?(?:[.!?…؟।][\"'»”’)]*\s+|[。！？；][」』”’）]*\s*|\n|\Z)", re.DOTALL)
_COMPACT = ("zh", "ja")


@dataclass(frozen=True, slots=True)
class Passage:
    """One indexed piece of an article.

    Attributes:
        text: what is quoted.
        tags: those of the article, at its first passage.
    """

    article_id: str
    number: int
    language: str
    audience: Audience
    title: str
    heading: str
    text: str
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.article_id}#{self.number}"

    @property
    def indexed(self) -> str:
        """What words are looked for in: title and heading first, tags last."""
        head = f"{self.title} – {self.heading}" if self.heading else self.title
        return "\n".join((head, self.text, *self.tags))


def cut(article: Article) -> list[Passage]:
    """The passages of an article: its sections, and long sections in parts that end where a sentence does."""
    passages: list[Passage] = []
    for heading, body in _sections(article.body):
        for text in _parts(body, MAX_CHARACTERS):
            tags = () if passages else article.tags
            passages.append(
                Passage(
                    article.id, len(passages), article.language, article.audience, article.title, heading, text, tags
                )
            )
    return passages


def _sections(body: str) -> list[tuple[str, str]]:
    sections: list[tuple[str, list[str]]] = [("", [])]
    for line in body.splitlines():
        if match := _HEADING.match(line):
            sections.append((match[1], []))
        else:
            sections[-1][1].append(line)
    return [(heading, text) for heading, lines in sections if (text := "\n".join(lines).strip())]


def windows(passage: Passage) -> list[str]:
    """The text of a passage in pieces of a sentence or two: what questions are compared with."""
    compact = passage.language.split("-")[0] in _COMPACT
    return _parts(passage.text, _COMPACT_WINDOW if compact else WINDOW)


def _parts(text: str, limit: int) -> list[str]:
    parts = [""]
    for piece in _pieces(text, (_PARAGRAPH, _SENTENCE, _clause(limit)), limit):
        if len((parts[-1] + piece).strip()) > limit:
            parts.append("")
        parts[-1] += piece
    return [part for each in parts if (part := each.strip())]


def _pieces(text: str, units: tuple[re.Pattern[str], ...], limit: int) -> Iterator[str]:
    """`text` in its largest units that keep within the limit; joined again they are `text`."""
    for found in units[0].finditer(text):
        whole = len(found[0].strip()) <= limit or len(units) == 1
        yield from [found[0]] if whole else _pieces(found[0], units[1:], limit)


@cache
def _clause(limit: int) -> re.Pattern[str]:
    # Thai ends a sentence with a space; where there is not even that, a cut in a word loses less than the rest would.
    return re.compile(rf".{{1,{limit}}}(?:\s+|(?<=[，、：])|\Z)|.{{1,{limit}}}", re.DOTALL)
