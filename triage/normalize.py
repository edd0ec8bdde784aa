"""What the model reads of a message: its words, without the traces of keyboards, mail programs and transports.

Entities and everything that people see come from the text as it was sent; offsets are not kept here.
"""

import re
import unicodedata
from collections.abc import Collection

from triage.pinyin import without_pinyin
from triage.quotes import is_blank as is_blank
from triage.quotes import own_words
from triage.spelling import mended

MAX_CHARACTERS = 8_000
"""Code points that are kept, half of them from either end: a long message opens with its matter and closes with its
request, and an encoder reads a few hundred tokens, so that what lies between costs time and adds nothing."""

_CUT = " … "
_DROPPED = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
_BROKEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]+")
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF10, 0xFF5B) if chr(wide).isalnum()}
# A number keeps its zeros, 10000 is not 1000; but five fives alone are Thai for laughing.
_LONG_RUN = re.compile(r"(\D)\1{3,}|(?<!\d)(?<!\d[ .,-])(\d)\2{3,}(?![ .,-]?\d)")
_ANY_RUN = re.compile(r"(.)\1\1\1")
_SHOUT = re.compile("[A-ZÀ-ÖØ-ÞĂĐƠƯА-ЯЁ\u1ea0-\u1ef9]{4}")
"""What nearly all shouting has; a first look, which small letters of Vietnamese pass too."""
_SHOUTED_WORDS, _SHOUTED_LETTERS = 4, 5
"""Words in a row that are shouting; letters of a long word, with which three are, or fewer that are the whole text."""


def normalize(text: str, own_words: Collection[str] = ()) -> str:
    """`text` as encoders and heads see it, in the spelling that was meant; takes any string.

    Args:
        own_words: words of a desk, folded, which stay as they are.
    """
    return mended(cleaned(text), own_words)


def cleaned(text: str) -> str:
    """`text` without traces of keyboards, mail programs and transports, spelled as it is."""
    text = " ".join(own_words(text).split())
    # One look tells ordinary text: controls, surrogates and invisible characters are what cannot be printed.
    if not text.isprintable():
        text = " ".join(_BROKEN.sub(" ", _DROPPED.sub("", text)).split())
    if not text.isascii():
        text = _plain_forms(text)
    if _SHOUT.search(text):
        text = _without_shouting(text)
    if _ANY_RUN.search(text):
        text = _LONG_RUN.sub(_shortened, text)
    if len(text) > MAX_CHARACTERS:
        half = (MAX_CHARACTERS - len(_CUT)) // 2
        text = text[:half].rstrip() + _CUT + text[-half:].lstrip()
    return text


def fold(text: str) -> str:
    """`text` as the words of a taxonomy and a policy are looked for in it: in any case, and with any apostrophe."""
    return text.casefold().replace("’", "'")


def _plain_forms(text: str) -> str:
    # NFKC would take more apart: the sara am of Thai, the marks of units and the punctuation of Chinese.
    if _WIDE.search(text):
        text = text.translate(_NARROW)
    text = unicodedata.normalize("NFC", text)
    if "(" in text or "（" in text:
        text = without_pinyin(text)
    return text


def _without_shouting(text: str) -> str:
    """`text` in small letters where words in a row are all in capitals, which encoders read badly.

    A few words in capitals stay as they are inside ordinary text: many are names (SIM, OTP, TORVELA PLUS).
    """
    words = text.split(" ")
    quiet = list(words)
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and (_shouted(words[end]) or not _has_letters(words[end])):
            end += 1
        # Numbers of orders and models are in capitals whoever writes them.
        run = [word for word in words[at:end] if _has_letters(word) and not any(map(str.isdigit, word))]
        long_word = any(sum(map(str.isalpha, word)) >= _SHOUTED_LETTERS for word in run)
        in_a_row = len(run) >= _SHOUTED_WORDS - long_word
        if in_a_row or (long_word and end - at == len(words)):
            quiet[at:end] = [word.lower() for word in words[at:end]]
        at = end + 1
    return " ".join(quiet)


def _shouted(word: str) -> bool:
    """In capitals alone; letters of scripts without capitals are none."""
    return word.isupper() and not any(letter.isalpha() and letter.lower() == letter for letter in word)


def _has_letters(word: str) -> bool:
    return any(map(str.isalpha, word))


def _shortened(run: re.Match[str]) -> str:
    return (run[1] or run[2]) * 3
