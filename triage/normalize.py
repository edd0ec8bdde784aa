"""What the model reads of a message: its words, without the traces of keyboards, mail programs and transports.

Entities and everything that people see come from the text as it was sent; offsets are not kept here.
"""

import re
import unicodedata

from triage.pinyin import without_pinyin
from triage.quotes import is_blank as is_blank
from triage.quotes import own_words

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


def normalize(text: str) -> str:
    """`text` as encoders and heads see it; takes any string."""
    text = " ".join(own_words(text).split())
    # One look tells ordinary text: controls, surrogates and invisible characters are what cannot be printed.
    if not text.isprintable():
        text = " ".join(_BROKEN.sub(" ", _DROPPED.sub("", text)).split())
    if not text.isascii():
        text = _plain_forms(text)
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


def _shortened(run: re.Match[str]) -> str:
    return (run[1] or run[2]) * 3
