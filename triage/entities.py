"""What a message names, and where: links, addresses, order numbers, dates, amounts and telephone numbers."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from triage.amounts import find_amounts
from triage.dates import find_dates
from triage.links import find_emails, find_urls
from triage.orders import DEFAULT_ORDER_PATTERNS
from triage.phones import PhoneFinder
from triage.types import Entity, EntityType

MAX_SCANNED = 20_000
"""Code points from the beginning of a text that are looked at: several times the longest mail that people write."""

_DIGIT = re.compile(r"\d")
_WITH_MARKS = re.compile(r".[\u0300-\u036f]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EntityConfig:
    """Where the customers of a desk live and how its order numbers look.

    Attributes:
        regions: two-letter country codes, the likeliest first, in whose national format phone numbers are read.
        order_patterns: regular expressions, in any case; where one has a group, the group is the number and the rest
            its context. An order number has at least one digit.
    """

    regions: tuple[str, ...] = ("VN", "TH", "TW", "HK", "CN", "RU", "GB", "US")
    order_patterns: tuple[str, ...] = DEFAULT_ORDER_PATTERNS


class EntityFinder:
    """Looks for one type after the other, each only in what the ones before it have left:

    - links first: an address or a day can stand in one (`/@13.7,100.5`, `?from=2026-11-03`), never the reverse;
    - e-mail addresses, which may begin with an order number;
    - order numbers, because their shape is the desk's own word;
    - dates before amounts: a day that exists is rarer than a number, and `12/11 300 руб.` costs 300, not 11 300;
    - telephone numbers last: any long number may be one, as a part of `12 345 678 ₫` is.
    """

    def __init__(self, config: EntityConfig | None = None) -> None:
        """Compile the patterns and load the numbering plans.

        Raises:
            ValueError: when an order pattern is not a regular expression, or a region is unknown.
        """
        config = config or EntityConfig()
        self._orders = tuple(_compiled(pattern) for pattern in config.order_patterns)
        self._phones = PhoneFinder(config.regions)

    def find(self, text: str) -> tuple[Entity, ...]:
        """The entities in the first `MAX_SCANNED` code points of `text`, by their start; none overlaps another."""
        scanned = text[:MAX_SCANNED]
        if unicodedata.is_normalized("NFC", scanned):
            entities = [Entity(kind, text[start:end], start, end) for kind, start, end in self._spans(scanned)]
        else:
            composed, origins = _composed(scanned)
            entities = [
                Entity(kind, text[origins[start] : origins[end]], origins[start], origins[end])
                for kind, start, end in self._spans(composed)
            ]
        return tuple(sorted(entities, key=lambda entity: entity.start))

    def _spans(self, text: str) -> Iterator[tuple[EntityType, int, int]]:
        numbered = _DIGIT.search(text) is not None
        steps: tuple[tuple[EntityType, bool, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
            (EntityType.URL, "." in text, find_urls),
            (EntityType.EMAIL, "@" in text, find_emails),
            (EntityType.ORDER_NUMBER, numbered, self._order_numbers),
            (EntityType.DATE, True, find_dates),
            (EntityType.AMOUNT, numbered, find_amounts),
            (EntityType.PHONE, numbered, self._phones.find),
        )
        for kind, possible, find in steps:
            # A step goes on in the text that it was given; the next one no longer sees what was found.
            for start, end in find(text) if possible else ():
                yield kind, start, end
                text = text[:start] + "\0" * (end - start) + text[end:]

    def _order_numbers(self, text: str) -> Iterator[tuple[int, int]]:
        spans = {found.span(found.lastindex or 0) for order in self._orders for found in order.finditer(text)}
        last = 0
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= last and _DIGIT.search(text, start, end):
                yield start, end
                last = end


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(
            f"Order pattern {pattern!r} is not a regular expression: {error}. Correct it in the desk's settings."
        ) from error


def _composed(text: str) -> tuple[str, list[int]]:
    """`text` in NFC, which some telephones do not send, and for each place in it the place in `text`."""
    pieces: list[str] = []
    origins: list[int] = []
    for found in _WITH_MARKS.finditer(text):
        piece = unicodedata.normalize("NFC", found[0])
        pieces.append(piece)
        origins += (min(found.start() + at, found.end()) for at in range(len(piece)))
    return "".join(pieces), [*origins, len(text)]
