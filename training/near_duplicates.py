"""Texts that differ by a few characters, in any script, found without comparing all pairs.

MinHash over overlapping runs of three characters, with locality-sensitive hashing (Broder 1997; Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, chapter 3).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

SIMILARITY = 0.7
"""The share of runs of three characters that two near duplicates have in common, of all that either has (Jaccard)."""

MAX_LETTERS = 1_000
"""Letters of a text that are looked at, half of them from either end."""

# On BANKING77, MASSIVE and TrueVoice these find 98 to 100 % of the pairs that share 0.8 or more, and half of the rest.
_BANDS, _PER_BAND = 28, 6
_BLOCK = 1_000_000
_PAIRS = 100_000
_HAN = re.compile("([\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
_DIGITS = re.compile("0+")


def families(texts: Sequence[str]) -> NDArray[np.intp]:
    """A number for each text, equal for near duplicates and for near duplicates of near duplicates.

    Case and width are told apart; spaces, punctuation, symbols and which digits a number has are not. Time and memory
    grow with the number of characters, also where all texts are alike.
    """
    letters = [_letters(text) for text in texts]
    number_of = {different: number for number, different in enumerate(dict.fromkeys(letters))}
    signatures = _signatures(list(number_of))
    one, other = _alike(signatures)
    links = sp.coo_matrix((np.ones(len(one)), (one, other)), shape=(len(signatures), len(signatures)))
    family = connected_components(links, directed=False)[1]
    return np.array(family[[number_of[different] for different in letters]], np.intp)


def _letters(text: str) -> str:
    letters = _DIGITS.sub("0", text.translate(_KEPT)) or text
    if len(letters) > MAX_LETTERS:
        letters = letters[: MAX_LETTERS // 2] + letters[-MAX_LETTERS // 2 :]
    # A Han character says about as much as three letters, and so it counts as three.
    return _HAN.sub(r"\1\1\1", letters)


class _Kept(dict[int, int | None]):
    """For str.translate: letters and their marks stay, digits become 0, anything else goes; filled as it is met."""

    def __missing__(self, point: int) -> int | None:
        kind = unicodedata.category(chr(point))[0]
        self[point] = ord("0") if kind == "N" else point if kind in "LM" else None
        return self[point]


_KEPT = _Kept()


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Shape (texts, hashes): the smallest value of each hash over a text's runs; two texts share as many as runs."""
    random = np.random.default_rng(0)
    factors = random.integers(1 << 63, size=_BANDS * _PER_BAND, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    terms = random.integers(1 << 63, size=_BANDS * _PER_BAND, dtype=np.uint64)
    signatures = np.empty((len(texts), len(factors)), np.uint32)
    for block in _blocks(texts):
        # A mark before each text and one behind it, so that the shortest has a run too.
        marked = "".join(f"\n{text}\n" for text in texts[block]) + "\n\n"
        points = np.frombuffer(marked.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        runs = _mixed(points[:-2] + (points[1:-1] << np.uint64(21)) + (points[2:] << np.uint64(42)))
        starts = np.cumsum([0, *(len(text) + 2 for text in texts[block])])[:-1]
        for column, (factor, term) in enumerate(zip(factors, terms, strict=True)):
            hashed = ((runs * factor + term) >> np.uint64(32)).astype(np.uint32)
            signatures[block, column] = np.minimum.reduceat(hashed, starts)
    return signatures


def _blocks(texts: Sequence[str]) -> Iterator[slice]:
    start, size = 0, 0
    for at, text in enumerate(texts, 1):
        size += len(text)
        if size >= _BLOCK or at == len(texts):
            yield slice(start, at)
            start, size = at, 0


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bit of the input turns half of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _alike(signatures: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    pairs = []
    for band in np.split(signatures, _BANDS, axis=1):
        keys = np.zeros(len(band), np.uint64)
        for column in band.T:
            keys = _mixed(keys + column)
        order = np.argsort(keys, kind="stable")
        # Neighbours alone: a bucket of n texts has n² pairs, and what is alike meets again in another band.
        same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        pairs.append(np.stack([order[same], order[same + 1]]))
    one, other = np.unique(np.concatenate(pairs, axis=1), axis=1)
    shares = [
        (signatures[one[at : at + _PAIRS]] == signatures[other[at : at + _PAIRS]]).mean(axis=1)
        for at in range(0, len(one), _PAIRS)
    ]
    alike = np.concatenate([np.zeros(0), *shares]) >= SIMILARITY
    return one[alike], other[alike]
