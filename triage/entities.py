"""What a message names: links, addresses, order numbers, dates, amounts and telephone numbers, where they stand."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from triage.amounts import find_amounts
from triage.dates import find_dates
from triage.orders import DEFAULT_ORDER_PATTERNS
from triage.phones import PhoneFinder
from triage.types import Entity, EntityType

MAX_SCANNED = 20_000
"""Code points from the beginning of a text that are looked at: three times the longest mail that people write."""

Spans = Iterable[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class EntityConfig:
    """Where a desk's customers live and how its order numbers look.

    Attributes:
        regions: two-letter country codes in whose national format phone numbers are read, the likeliest first.
        order_patterns: regular expressions, case ignored; where one has a group, the group is the number and the rest
            its context. An order number has at least one digit.
    """

    regions: tuple[str, ...] = ("VN", "TH", "TW", "HK", "CN", "RU", "GB", "US")
    order_patterns: tuple[str, ...] = DEFAULT_ORDER_PATTERNS


class EntityFinder:
    """Finds the entities of a message.

    Each type is looked for only in what the ones before it have left, so that nothing is found twice:

    - links first, because an address or a date can stand in a link (`/@13.7,100.5`, `?from=2026-11-03`), not the reverse;
    - then e-mail addresses, which may begin with an order number;
    - then order numbers, the only ones that the desk itself has defined;
    - dates before amounts, because a day that exists is rarer than a number: `12/11 300 руб.` costs 300;
    - telephone numbers last, because any long number can be one: `12 345 678 ₫`.
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
        """The entities in the first `MAX_SCANNED` code points of `text`, by their start."""
        scanned = text[:MAX_SCANNED]
        if unicodedata.is_normalized("NFC", scanned):
            found = self._spans(scanned)
        else:
            composed, origins = _composed(scanned)
            found = ((kind, origins[start], origins[end]) for kind, start, end in self._spans(composed))
        return tuple(
            Entity(kind, text[start:end], start, end) for kind, start, end in sorted(found, key=lambda span: span[1])
        )

    def _spans(self, text: str) -> list[tuple[EntityType, int, int]]:
        numbered = _DIGIT.search(text) is not None
        steps: tuple[tuple[EntityType, bool, Callable[[str], Spans]], ...] = (
            (EntityType.URL, "." in text, _urls),
            (EntityType.EMAIL, "@" in text, _emails),
            (EntityType.ORDER_NUMBER, numbered, self._order_numbers),
            (EntityType.DATE, True, find_dates),
            (EntityType.AMOUNT, numbered, find_amounts),
            (EntityType.PHONE, numbered, self._phones.find),
        )
        found: list[tuple[EntityType, int, int]] = []
        for kind, possible, find in steps:
            for start, end in find(text) if possible else ():
                found.append((kind, start, end))
                # The step goes on in the text that it was given; the next one no longer sees what was found.
                text = text[:start] + "\0" * (end - start) + text[end:]
        return found

    def _order_numbers(self, text: str) -> Spans:
        spans = {found.span(found.lastindex or 0) for order in self._orders for found in order.finditer(text)}
        last = 0
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= last and _DIGIT.search(text, start, end):
                yield start, end
                last = end


_DIGIT = re.compile(r"\d")

_URL_CHARACTER = r"[a-zа-яё0-9\-._~:/?#\[\]@!$&'()*+,;=%]"
# A name that ends in one of the second group needs a path: "help.me" and "ơi.shop" are sentences without a space.
_BARE_HOST = (
    r"(?<![a-zà-ɏạ-ỹа-я0-9@._-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}(?:"
    r"(?:com|net|org|info|biz|example|vn|th|cn|tw|hk|ru|su|uk|jp|kr|sg|eu)(?![a-z0-9@-]|\.[a-z0-9])(?:/CHARACTER*)?"
    r"|(?:ai|app|cc|click|club|co|de|dev|fr|gg|gl|id|in|io|link|live|ly|me|mobi|my|online|page|pro|shop|site|store|to|top|tv|us|vip|"
    r"xyz|рф)/CHARACTER+)"
)
_URL = re.compile(
    rf"(?:https?://|\bwww\.){_URL_CHARACTER}+|{_BARE_HOST.replace('CHARACTER', _URL_CHARACTER)}", re.IGNORECASE
)
_URL_END = ".,;:!?'*_~-([@&="
_EMAIL = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}[a-z]{2,24}(?![a-z0-9])", re.IGNORECASE
)
_PIECE = re.compile(r".[\u0300-\u036f]*", re.DOTALL)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(
            f"Order pattern {pattern!r} is not a regular expression: {error}. Correct it in the desk's settings."
        ) from error


def _urls(text: str) -> Spans:
    for found in _URL.finditer(text):
        url = found[0].rstrip(_URL_END)
        # "(see torvela.com/a)" closes the sentence's bracket, "wiki/A_(b)" its own.
        while url.endswith((")", "]")) and url.count("(") + url.count("[") < url.count(")") + url.count("]"):
            url = url[:-1].rstrip(_URL_END)
        yield found.start(), found.start() + len(url)


def _emails(text: str) -> Spans:
    return (found.span() for found in _EMAIL.finditer(text))


def _composed(text: str) -> tuple[str, list[int]]:
    """`text` in NFC, as keyboards of Apple do not send it, and for each place in it the place in `text`."""
    pieces: list[str] = []
    origins: list[int] = []
    for found in _PIECE.finditer(text):
        piece = unicodedata.normalize("NFC", found[0])
        pieces.append(piece)
        origins += (min(found.start() + at, found.end()) for at in range(len(piece)))
    return "".join(pieces), [*origins, len(text)]
