"""Articles cut into passages: the pieces that are indexed, found and quoted."""

import re
from dataclasses import dataclass

from kb.types import Article, Audience

MAX_CHARACTERS = 700
"""About 200 tokens of Latin script and up to 500 of Thai or Chinese: within every encoder's 512 positions."""

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？；])|\n")


@dataclass(frozen=True, slots=True)
class Passage:
    """One indexed piece: `text` is what is quoted, `indexed` what the encoder reads (title and heading first)."""

    article_id: str
    number: int
    language: str
    audience: Audience
    title: str
    heading: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.article_id}#{self.number}"

    @property
    def indexed(self) -> str:
        head = f"{self.title} – {self.heading}" if self.heading else self.title
        return f"{head}\n{self.text}"


def cut(article: Article) -> list[Passage]:
    """The passages of an article: its sections, and long sections in parts that end where a sentence does."""
    passages: list[Passage] = []
    for heading, body in _sections(article.body):
        for text in _parts(body):
            number = len(passages)
            passages.append(
                Passage(article.id, number, article.language, article.audience, article.title, heading, text)
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


def _parts(body: str) -> list[str]:
    if len(body) <= MAX_CHARACTERS:
        return [body]
    parts = [""]
    for block in re.split(r"\n\s*\n", body):
        pieces = [block] if len(block) <= MAX_CHARACTERS else [p for p in _SENTENCE_END.split(block) if p]
        joint = "\n\n"
        for piece in pieces:
            whole = [piece[i : i + MAX_CHARACTERS] for i in range(0, len(piece), MAX_CHARACTERS)]
            for part in whole:
                if parts[-1] and len(parts[-1]) + len(joint) + len(part) <= MAX_CHARACTERS:
                    parts[-1] += joint + part
                else:
                    parts.append(part)
                joint = " "
    return [part.strip() for part in parts if part.strip()]
