"""The words of the languages that spelling is mended in: how common each is, and which follow which.

Half of a word's frequency comes from `wordfreq` (Speer 2022), and half from the starter's messages, whose counts
`python -m training.words` puts into `starter/words`: they know what customers ask for, and in which order.
"""

import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import msgpack
import numpy as np
from numpy.typing import NDArray

from models.features import plain

LANGUAGES = ("en", "vi", "ru", "de", "es", "fr", "id", "pt")
"""Those that are written in letters with spaces between words, and that the starter has messages in."""
COUNTS = Path(__file__).parent / "starter" / "words"
UNKNOWN = -22.0
"""The log probability of a word that nobody counted; lower makes more of them two words, or another one."""

_NEIGHBOURS = ("it", "nl", "da", "sv", "ro", "tr", "fil", "cs", "fi", "hu", "pl", "nb", "ca", "ms", "uk", "bg")
"""Languages in the same letters, whose texts are left as they are."""
_TELLING = 3_000
"""How many of its commonest words a language is known by."""
_LEFT_OUT_MARKS = 1.0
"""How much less a word says of its language where it could have marks and has none."""
_NEARLY = 0.85
"""A few words can be of several languages: so near to the likeliest one, a language that can be mended is taken."""
_CAPITAL_NOUNS = frozenset({"de"})
_SHARE_OF_MESSAGES = 0.5
_DISCOUNT = 0.6
_RAREST = 750
"""wordfreq's longest list goes to centibel -800, where mistyped words are; so far it protects from mending."""


class Lexicon:
    """The words of one language; all of them in small letters.

    Attributes:
        marked: the share of words in running text that have marks on their letters.
        letters: of which its common words consist, without marks.
        capitals: whether any noun has a capital, and not names alone.
    """

    def __init__(self, language: str) -> None:
        singles, pairs = read_counts(language)
        total = sum(singles.values())
        frequencies: dict[str, float] = defaultdict(float)
        for log, common in _listed(language, "small"):
            for word in filter(_is_word, common):
                frequencies[word] += (1 - _SHARE_OF_MESSAGES) * math.exp(log)
        for word, count in singles.items():
            frequencies[word] += _SHARE_OF_MESSAGES * count / total
        self._logs = {word: math.log(frequency) for word, frequency in frequencies.items()}
        self._counts, self._pairs = singles, pairs
        self._followers = Counter(first for first, _ in pairs)
        marked: dict[str, list[str]] = defaultdict(list)
        for word in frequencies:
            if (letters := plain(word)) != word:
                marked[letters].append(word)
        self._marked = {letters: tuple(same) for letters, same in marked.items()}
        self._rare, self._rare_logs = _rare(language)
        self.capitals = language in _CAPITAL_NOUNS
        self.marked = sum(count for word, count in singles.items() if plain(word) != word) / total
        common = sorted(frequencies, key=lambda word: -frequencies[word])[:_TELLING]
        self.letters = "".join(sorted({letter for word in common for letter in plain(word) if letter.isalpha()}))

    def __contains__(self, word: str) -> bool:
        """Whether `word` is common enough to be meant where another was typed."""
        return word in self._logs

    def spelled(self, letters: str) -> Sequence[str]:
        """The words that are written so without marks."""
        marked = self._marked.get(letters, ())
        return (letters, *marked) if letters in self._logs else marked

    def log(self, word: str) -> float:
        """The log probability of a word, `UNKNOWN` of one that nobody counted."""
        found = self._logs.get(word)
        return self._log_if_rare(word) if found is None else found

    def log_after(self, previous: str | None, word: str) -> float:
        """The log probability of a word behind another one, by absolute discounting (Ney, Essen and Kneser 1994)."""
        log = self._logs.get(word)
        if log is None:
            return self._log_if_rare(word)
        before = self._counts.get(previous, 0) if previous is not None else 0
        if not before or previous is None:
            return log
        left = _DISCOUNT * self._followers[previous] / before
        seen = max(self._pairs.get((previous, word), 0) - _DISCOUNT, 0.0) / before
        # What ends a sentence has nothing behind it, and leaves no share for the others.
        return math.log(seen + max(left, _DISCOUNT / before) * math.exp(log))

    def knows(self, word: str) -> bool:
        """Whether anybody ever counted `word`, in however small a number."""
        return word in self._logs or self._log_if_rare(word) > UNKNOWN

    def _log_if_rare(self, word: str) -> float:
        at = int(np.searchsorted(self._rare, hash(word)))
        if at < len(self._rare) and self._rare[at] == hash(word):
            return float(self._rare_logs[at])
        return UNKNOWN


@cache
def lexicon(language: str) -> Lexicon:
    """The words of one of `LANGUAGES`, read once in a process, which takes up to half a second."""
    return Lexicon(language)


def likeliest_language(words: Iterable[str]) -> str | None:
    """The one of `LANGUAGES` that words in small letters are of; None where a language beside them is clearly likelier.

    By its commonest words alone, with or without marks: enough for a message, and no long lists for languages that
    never come.
    """
    votes: dict[str, float] = defaultdict(float)
    for word in words:
        for language, points in _telling().get(word, ()):
            votes[language] += points
    if not votes:
        return None
    best = max(LANGUAGES, key=lambda language: votes[language])
    return best if votes[best] >= _NEARLY * max(votes.values()) else None


def read_counts(language: str) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """How often the starter's messages have each word, and each pair of words in a row."""
    singles: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    with gzip.open(COUNTS / f"{language}.txt.gz", "rt", encoding="utf-8") as file:
        for line in file:
            count, _, words = line.rstrip("\n").partition("\t")
            first, _, second = words.partition(" ")
            if second:
                pairs[first, second] = int(count)
            else:
                singles[first] = int(count)
    return singles, pairs


@cache
def _telling() -> Mapping[str, tuple[tuple[str, float], ...]]:
    """For each telling word its languages, and how much likelier it is there than a rare word."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for language in (*LANGUAGES, *_NEIGHBOURS):
        for word, log in _commonest(language):
            for spelling, value in ((word, log), (plain(word), log - _LEFT_OUT_MARKS)):
                found[spelling][language] = max(value, found[spelling].get(language, value))
    floor = min(min(logs.values()) for logs in found.values())
    return {word: tuple((language, log - floor) for language, log in logs.items()) for word, logs in found.items()}


def _commonest(language: str) -> Iterator[tuple[str, float]]:
    taken = 0
    for log, words in _listed(language, "small"):
        for word in filter(_is_word, words):
            taken += 1
            yield word, log
        if taken > _TELLING:
            return


def _rare(language: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Hashes of the words on wordfreq's longest list, sorted, and their logs: a tenth of the room that words take."""
    hashes: list[NDArray[np.int64]] = []
    logs: list[NDArray[np.float32]] = []
    for log, words in islice(_listed(language, "best"), _RAREST + 1):
        hashes.append(np.array([hash(word) for word in words], np.int64))
        logs.append(np.full(len(words), log, np.float32))
    found = np.concatenate(hashes)
    order = np.argsort(found, kind="stable")
    return found[order], np.concatenate(logs)[order]


def _listed(language: str, length: str) -> Iterator[tuple[float, list[str]]]:
    """The log probability and the words of each step of a list, one after the other.

    wordfreq's own readers hold a whole list at once, and keep it; their docstring describes the format.
    """
    # Not above: it takes a third of a second, and most commands read no message.
    import wordfreq

    with gzip.open(wordfreq.available_languages(length)[language], "rb") as file:
        steps = msgpack.Unpacker(file, raw=False)
        count = steps.read_array_header()
        if (header := steps.unpack()) != {"format": "cB", "version": 1}:
            raise ValueError(f"wordfreq's list of {language!r} has a header that is not known: {header!r}")
        for centibels in range(count - 1):
            yield -centibels / 100 * math.log(10), steps.unpack()


def _is_word(word: str) -> bool:
    return word[:1].isalpha()
