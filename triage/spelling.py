"""Words as they were meant: with the marks that were not typed, the letters that slipped and the spaces left out.

A noisy channel (Brill and Moore 2000): each word that is not known may stand for known ones, at a price for each kind
of slip, and of all sentences that this allows the likeliest is taken. Known words stay, unless a whole message lacks
marks. What it costs and what it gives is measured by `benchmarks/spelling.py`; why it is there, in
`docs/decisions/0015-spelling.md`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from heapq import nlargest

from models.features import plain
from triage.words import UNKNOWN, Lexicon, lexicon, likeliest_language

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MENDABLE = re.compile("[A-Za-zÀ-ɏḀ-ỿЀ-ӿ]")
_CHUNK = re.compile(r"\S+")
_ADDRESS = re.compile(r"@|://|www\.|\.\w{2,}/")
_CODE_BEFORE = re.compile(r"(?:[\d#_/\\&=]|\d-)$")
_CODE_AFTER = re.compile(r"[\d_/\\&=]|-\d")
_SENTENCE_END = re.compile(r"[.!?…]\s*$")
_BREAK = re.compile(r"[\w.!?…,;:()]")
_RUN = re.compile(r"(.)\1+")

Meaning = tuple[str, ...]
"""The words that a typed one may stand for."""

# What a slip costs, in nats. All that follows was chosen on a tenth of the starter's training messages.
_SWAPPED, _DOUBLED, _LEFT_OUT, _TOO_MANY, _ANOTHER = 7.0, 7.0, 7.5, 9.0, 10.5
_LOST_MARKS, _UNMARKED = 2.0, 0.5
_NO_SPACE, _ONE_LETTER = 2.5, 3.0
_LEAST_LETTERS, _MOST_LETTERS = 3, 24
"""Of a word in which slips are looked for."""
_MOST_JOINED, _MOST_PIECES = 60, 5
_LETTER_ALONE = -8.0
"""The log probability from which on a letter alone is a word: lists of words have all of them."""
_HARDLY_MARKED = 0.01
"""The share of words with marks below which a language has none of its own."""
_FEW, _ENOUGH_TO_TELL = 0.4, 5
_KNOWN_IN_THE_END = 0.75
"""A text in which fewer words are known after mending is in another language, or none: it stays as it is."""
_BEAM, _MOST_MEANINGS = 12, 24


@dataclass(frozen=True, slots=True)
class _Typed:
    """A word in a text.

    Attributes:
        small: the word in small letters.
        fresh: whether nothing leads to it from the word before.
        name: whether it looks like a name, or like a noun in German.
    """

    start: int
    end: int
    text: str
    small: str
    fresh: bool
    name: bool


@dataclass(frozen=True, slots=True)
class _Path:
    """What the words up to one were taken for; the first has no word."""

    score: float
    meaning: Meaning = ()
    before: "_Path | None" = None


class _Marks(Enum):
    """Whether the author of a text types marks.

    MISSING: there is none, and at least one could be expected. FEW: none in a short text, or fewer than is usual.
    """

    TYPED = auto()
    FEW = auto()
    MISSING = auto()


_UNMARKED_IF_KNOWN = {_Marks.TYPED: 4.5, _Marks.FEW: 1.5}


def mended(text: str, own_words: Collection[str] = ()) -> str:
    """`text` with mended spelling where that is likelier than what was typed; in other languages as it is.

    Args:
        own_words: words in small letters that stay as they are.
    """
    typed = _typed(text, own_words)
    if not typed:
        return text
    language = likeliest_language(word.small for word in typed)
    if language is None:
        return text
    words = lexicon(language)
    marks = _marks(typed, words)
    if marks is _Marks.MISSING:
        # Joined words first: which marks a word should have is told by its neighbours.
        pieces = [_apart(word.small, words, bare=True) if _is_joined(word, words) else None for word in typed]
        if any(pieces):
            text = "".join(
                _written(text, typed, [some or (word.small,) for some, word in zip(pieces, typed, strict=True)])
            )
            typed = _typed(text, own_words)
    meanings = [_meanings(word, words, marks) for word in typed]
    if all(len(some) == 1 for some in meanings):
        return text
    meant = _likeliest(typed, meanings, words)
    every = [word for meaning in meant for word in meaning]
    if sum(map(words.knows, every)) < _KNOWN_IN_THE_END * len(every):
        return text
    return "".join(_written(text, typed, meant))


def _typed(text: str, own_words: Collection[str]) -> list[_Typed]:
    """The words that may be mended: in letters with spaces between words, and no part of a code or an address.

    What is left out parts the words around it as a full stop does.
    """
    found: list[_Typed] = []
    for chunk in _CHUNK.finditer(text):
        if _ADDRESS.search(chunk[0]) or not _MENDABLE.search(chunk[0]):
            continue
        for match in WORD.finditer(chunk[0]):
            if _CODE_BEFORE.search(chunk[0][: match.start()]) or _CODE_AFTER.match(chunk[0], match.end()):
                continue
            if not _MENDABLE.match(match[0]):
                continue
            small = match[0].lower().replace("’", "'")
            if small in own_words:
                continue
            start, end = chunk.start() + match.start(), chunk.start() + match.end()
            before = text[found[-1].end : start] if found else text[:start]
            name = match[0][0].isupper() and bool(found) and not _SENTENCE_END.search(before)
            found.append(_Typed(start, end, match[0], small, not found or bool(_BREAK.search(before)), name))
    return found


def _is_joined(word: _Typed, words: Lexicon) -> bool:
    """Whether a word without marks is none that is written so."""
    return len(word.small) <= _MOST_JOINED and word.small not in words and not words.spelled(word.small)


def _marks(typed: list[_Typed], words: Lexicon) -> _Marks:
    marked, expected = sum(plain(word.small) != word.small for word in typed), len(typed) * words.marked
    if not marked and expected >= 1:
        return _Marks.MISSING
    # A signature has marks where the message above it has none.
    few = not marked or (expected >= _ENOUGH_TO_TELL and marked <= _FEW * expected)
    return _Marks.FEW if few else _Marks.TYPED


def _meanings(word: _Typed, words: Lexicon, marks: _Marks) -> Mapping[Meaning, float]:
    """What a typed word may stand for, and what that costs."""
    small, known = word.small, word.small in words
    found: dict[Meaning, float] = {(small,): 0.0}
    bare = marks is _Marks.MISSING
    price = 0.0 if bare else _UNMARKED_IF_KNOWN[marks] if known else _UNMARKED
    for other in words.spelled(small):
        # Most known words are meant as they stand: the others are told apart by what stands beside them.
        if other != small and (bare or not known or words.log(other) - price > words.log(small)):
            found[other,] = price
    if known or len(found) > 1 or word.text.isupper():
        return found
    letters = plain(small)
    # A word with marks in a language that has none is a name, or foreign.
    if letters != small and words.marked < _HARDLY_MARKED:
        return found
    if _LEAST_LETTERS <= len(letters) <= _MOST_LETTERS and (not word.name or words.capitals):
        for other, cost in _slips(letters, words.letters):
            for meant in words.spelled(other):
                lost = letters != small and any(letter not in meant for letter in small if plain(letter) != letter)
                price = cost + (_LOST_MARKS if lost else 0.0)
                found[(meant,)] = min(price, found.get((meant,), price))
    if len(small) <= _MOST_JOINED and (pieces := _apart(small, words)):
        found[pieces] = _NO_SPACE * (len(pieces) - 1) + _ONE_LETTER * sum(len(piece) == 1 for piece in pieces)
    if len(found) <= _MOST_MEANINGS:
        return found
    likely = sorted(found, key=lambda meaning: found[meaning] - sum(map(words.log, meaning)))
    return {(small,): 0.0} | {meaning: found[meaning] for meaning in likely[:_MOST_MEANINGS]}


def _slips(letters: str, alphabet: str) -> Iterable[tuple[str, float]]:
    """Whatever one slip turns into `letters`, or one besides any number of doubled letters, and what that costs."""
    single = _RUN.sub(r"\1", letters)
    found = _one_slip(letters, alphabet)
    if single != letters:
        found.setdefault(single, _DOUBLED)
        for other, cost in _one_slip(single, alphabet).items():
            found.setdefault(other, cost + _DOUBLED)
    return found.items()


def _one_slip(letters: str, alphabet: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for at in range(len(letters) + 1):
        head, tail = letters[:at], letters[at:]
        if tail:
            found.setdefault(head + tail[1:], _DOUBLED if head[-1:] == tail[0] else _TOO_MANY)
        if len(tail) > 1 and tail[0] != tail[1]:
            found.setdefault(head + tail[1] + tail[0] + tail[2:], _SWAPPED)
        for letter in alphabet:
            found.setdefault(head + letter + tail, _LEFT_OUT)
            if tail:
                found.setdefault(head + letter + tail[1:], _ANOTHER)
    return found


def _apart(joined: str, words: Lexicon, *, bare: bool = False) -> Meaning | None:
    """The likeliest known words that `joined` consists of, `bare` without their marks; None where it does not."""
    best: list[tuple[float, Meaning] | None] = [(0.0, ()), *(None for _ in joined)]
    for end in range(1, len(joined) + 1):
        for start in range(max(0, end - _MOST_LETTERS), end):
            before = best[start]
            if before is None or len(before[1]) >= _MOST_PIECES:
                continue
            piece = joined[start:end]
            log = max(map(words.log, words.spelled(piece)), default=UNKNOWN) if bare else words.log(piece)
            if log <= UNKNOWN if bare else piece not in words:
                continue
            if end - start == 1 and log < _LETTER_ALONE:
                continue
            score = before[0] + log - _NO_SPACE - (_ONE_LETTER if end - start == 1 else 0.0)
            if (so_far := best[end]) is None or score > so_far[0]:
                best[end] = (score, (*before[1], piece))
    found = best[-1]
    return found[1] if found and len(found[1]) > 1 else None


def _likeliest(typed: list[_Typed], meanings: list[Mapping[Meaning, float]], words: Lexicon) -> list[Meaning]:
    """The meanings that make the likeliest sentence (Viterbi, with a narrow beam)."""
    beam: dict[str | None, _Path] = {None: _Path(0.0)}
    for word, some in zip(typed, meanings, strict=True):
        following: dict[str | None, _Path] = {}
        for last, path in beam.items():
            for meaning, cost in some.items():
                value, previous = path.score - cost, None if word.fresh else last
                for meant in meaning:
                    value += words.log_after(previous, meant)
                    previous = meant
                if previous not in following or value > following[previous].score:
                    following[previous] = _Path(value, meaning, path)
        beam = dict(nlargest(_BEAM, following.items(), key=lambda item: item[1].score))
    at = max(beam.values(), key=lambda path: path.score)
    back: list[Meaning] = []
    while at.before is not None:
        back.append(at.meaning)
        at = at.before
    return back[::-1]


def _written(text: str, typed: list[_Typed], meant: list[Meaning]) -> Iterator[str]:
    at = 0
    for word, meaning in zip(typed, meant, strict=True):
        yield text[at : word.start]
        if meaning == (word.small,):
            yield word.text
        else:
            new = " ".join(meaning)
            yield new[0].upper() + new[1:] if word.text[0].isupper() else new
        at = word.end
    yield text[at:]
