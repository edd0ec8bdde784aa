"""Texts that are one sentence with a slot changed: what a template writes and people do not."""

import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

MAX_SLOT = 3
"""Pieces that may differ, at one place; a piece is a word, or a letter of a script that sets no spaces."""
MIN_SHARED = 5
"""Pieces that have to be the same, a third more than any slot can hold."""
MAX_PIECES = 60
"""Longer texts are left to near-duplicate search: a slot is a small part of them."""
MIN_ROWS = 3
"""Two texts that differ in a slot happen; a third one is a habit."""

# Characters of Thai, Lao, Burmese, Khmer, kana and Han stand alone: these scripts set no spaces.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PIECE = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_ALONE = re.compile(f"[{_UNSPACED}]")
_LETTERS_PER_WORD = 2


def slot_families(texts: Sequence[str]) -> list[list[int]]:
    """Positions of texts that are the same but for one slot, `MIN_ROWS` or more in each family, largest first.

    A text that fits several families stands in the largest. Case and punctuation are not looked at. Time grows with the
    number of pieces.
    """
    families = sorted(_same_frame(texts), key=lambda family: (-len(family), family))
    taken: set[int] = set()
    kept = []
    for family in families:
        if len(own := [at for at in family if at not in taken]) >= MIN_ROWS:
            kept.append(own)
            taken.update(own)
    return kept


def _same_frame(texts: Sequence[str]) -> Iterator[list[int]]:
    """The positions of texts that have a frame in common, for each frame of `MIN_ROWS` or more."""
    frames, owners = array("q"), array("q")
    for at, text in enumerate(texts):
        # A word that stands twice gives the same frame twice.
        own = set(_frames(text))
        frames.extend(own)
        owners.extend([at] * len(own))
    if not frames:
        return
    order = np.argsort(np.array(frames), kind="stable")
    found, positions = np.array(frames)[order], np.array(owners)[order]
    ends = np.flatnonzero(np.append(found[1:] != found[:-1], True)) + 1
    starts = np.append(0, ends[:-1])
    often = ends - starts >= MIN_ROWS
    for start, end in zip(starts[often], ends[often], strict=True):
        yield positions[start:end].tolist()


def _frames(text: str) -> Iterator[int]:
    """What is left of the pieces with a slot cut out, once for each place and size of it.

    As hashes: the pieces themselves would take a hundred times the room. Among millions of 64 bits none meet by chance.
    """
    pieces = _PIECE.findall(text.lower())
    scale = _LETTERS_PER_WORD if pieces and _ALONE.match(pieces[0]) else 1
    if len(pieces) > MAX_PIECES:
        return
    heads = list(accumulate(pieces, _longer, initial=0))
    tails = list(accumulate(reversed(pieces), _longer, initial=0))[::-1]
    for size in range(1, MAX_SLOT * scale + 1):
        if len(pieces) - size >= MIN_SHARED * scale:
            yield from map(hash, zip(heads, tails[size:], strict=False))


def _longer(shorter: int, piece: str) -> int:
    return hash((shorter, piece))
