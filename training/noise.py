"""The noise of real channels, put on clean messages: to see what it costs, and to learn from.

The kinds are the same for both; what is added (signatures, advertising, fillers) is not, so that the suite measures on
texts that nothing was trained on.
"""

import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

SUITE = Path(__file__).parent / "starter" / "noise.yaml"
TO_LEARN = Path(__file__).parent / "noise.yaml"
LEARNED = ("english_inside", "no_marks", "no_spaces", "signature", "spam_tail", "typos", "voice")
"""Kinds that a head learns from; reading undoes the others, or they cost little."""
_TYPOS_PER_LETTER = 0.06
_FILLERS_PER_WORD = 0.2
_READINGS = 4
_UNSPACED = ("th", "zh-Hans", "zh-Hant", "ja")

Draw = np.random.Generator
Noise = Callable[[str, str, Draw], str | None]
"""A text in a language with the noise on it; None where the language has no such noise, or the text cannot show it."""


def noises(path: Path = SUITE) -> Mapping[str, Noise]:
    """The kinds by name, each adding what its name says and leaving the meaning alone, with the texts of `path`."""
    texts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    signatures, fillers, english = texts["signatures"], texts["fillers"], texts["english"]
    quoted, readings, faces = texts.get("quoted", {}), texts.get("pinyin", {}), texts.get("emoticons", ())

    def signature(text: str, language: str, draw: Draw) -> str | None:
        own = signatures.get(language)
        return f"{text}\n\n{_one(own, draw)}" if own else None

    def quote(text: str, language: str, _draw: Draw) -> str | None:
        return f"{text}\n\n{quoted[language]}" if language in quoted else None

    def tail(text: str, _language: str, draw: Draw) -> str:
        return text + _one(texts["tails"], draw)

    def emoticons(text: str, _language: str, draw: Draw) -> str | None:
        return text + _one(faces, draw) + _one(faces, draw) if faces else None

    def english_inside(text: str, language: str, draw: Draw) -> str | None:
        return None if language in ("", "en") else _one(english["before"], draw) + text + _one(english["after"], draw)

    def pinyin(text: str, language: str, draw: Draw) -> str | None:
        places = [at for at, letter in enumerate(text) if letter in readings]
        if not language.startswith("zh") or not places:
            return None
        chosen = set(draw.permutation(places)[:_READINGS].tolist())
        return "".join(f"{letter}({readings[letter]})" if at in chosen else letter for at, letter in enumerate(text))

    def voice(text: str, language: str, draw: Draw) -> str | None:
        own = fillers.get(language)
        if not own:
            return None
        bare = "".join(" " if unicodedata.category(c)[0] in "PS" and c not in "'’" else c for c in text.lower())
        joint = "" if language in _UNSPACED else " "
        words = []
        for word in bare.split():
            if draw.random() < _FILLERS_PER_WORD:
                words.append(_one(own, draw))
            words.append(word)
        return joint.join([_one(own, draw), *words])

    return {
        "typos": typos,
        "no_marks": no_marks,
        "no_spaces": no_spaces,
        "capitals": capitals,
        "pinyin": pinyin,
        "english_inside": english_inside,
        "emoticons": emoticons,
        "signature": signature,
        "quoted_history": quote,
        "spam_tail": tail,
        "voice": voice,
    }


def noisy(text: str, language: str | None, kinds: Mapping[str, Noise]) -> Iterator[str]:
    """`text` with each of the `LEARNED` kinds on it that applies, in an order that is always the same for the text."""
    draw = np.random.default_rng(zlib.crc32(text.encode("utf-8", "replace")))
    tried = (kinds[name](text, language or "", draw) for name in draw.permutation(LEARNED) if name in kinds)
    return (found for found in tried if found is not None)


def typos(text: str, _language: str, draw: Draw) -> str | None:
    """Neighbouring letters swapped, letters dropped or doubled, about one in sixteen."""
    letters = list(text)
    at, changed = 0, False
    while at < len(letters) - 1:
        if letters[at].isalpha() and draw.random() < _TYPOS_PER_LETTER:
            changed = True
            kind = draw.integers(3)
            if kind == 0:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
            elif kind == 1:
                letters[at] = ""
            else:
                letters[at] *= 2
            at += 1
        at += 1
    return "".join(letters) if changed else None


def no_marks(text: str, language: str, _draw: Draw) -> str | None:
    """Latin and Cyrillic letters without their marks, as people type who cannot be bothered."""
    if language in _UNSPACED:
        return None
    letters = unicodedata.normalize("NFC", text).replace("đ", "d").replace("Đ", "D").replace("ß", "ss")
    plain = "".join(map(_bare, letters))
    return plain if plain != text else None


def no_spaces(text: str, language: str, _draw: Draw) -> str | None:
    """Every third space left out; in Thai all of them."""
    at = -1
    kept = []
    for letter in text:
        if letter == " ":
            at += 1
            if language == "th" or at % 3 == 0:
                continue
        kept.append(letter)
    return "".join(kept) if len(kept) < len(text) else None


def capitals(text: str, _language: str, _draw: Draw) -> str | None:
    """SHOUTING, in scripts that can."""
    return text.upper() if text.upper() != text else None


def _bare(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    # й is a letter of its own, and nobody writes и for it; other scripts would lose more than marks.
    marked = base not in "иИ" and unicodedata.name(base, "").startswith(("LATIN", "CYRILLIC"))
    return base if marked else letter


def _one(some: list[str], draw: Draw) -> str:
    return some[int(draw.integers(len(some)))]
