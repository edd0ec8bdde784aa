"""Texts that are one sentence with a slot changed: what a template writes and people do not."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

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
    frames: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for at, text in enumerate(texts):
        for frame in _frames(text):
            frames[frame].add(at)
    families = sorted((found for found in frames.values() if len(found) >= MIN_ROWS), key=lambda f: (-len(f), min(f)))
    taken: set[int] = set()
    kept = []
    for family in families:
        if len(own := family - taken) >= MIN_ROWS:
            kept.append(sorted(own))
            taken |= own
    return kept


def _frames(text: str) -> Iterator[tuple[object, ...]]:
    """What is left of the pieces with a slot cut out, once for each place and size of it."""
    pieces = _PIECE.findall(text.lower())
    scale = _LETTERS_PER_WORD if pieces and _ALONE.match(pieces[0]) else 1
    if len(pieces) > MAX_PIECES:
        return
    for size in range(1, MAX_SLOT * scale + 1):
        if len(pieces) - size >= MIN_SHARED * scale:
            for start in range(len(pieces) - size + 1):
                yield tuple(pieces[:start]), tuple(pieces[start + size :])
