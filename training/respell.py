"""The same message as another customer would type it.

Many customers write Vietnamese without its marks, and few labelled rows do; Chinese comes in two scripts with one
language behind them. A head learns from each such row twice, once in either spelling.
"""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

_VIETNAMESE = re.compile("[ăđơưĂĐƠƯ\u1ea0-\u1ef9]")
_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")


def respelled(text: str) -> str | None:
    """Vietnamese without marks, Simplified as Traditional or Traditional as Simplified; None for other texts."""
    if _VIETNAMESE.search(text):
        return _without_marks(text)
    if _HAN.search(text) and not _KANA.search(text):
        simplified = _converter("t2s").convert(text)
        other = simplified if simplified != text else _converter("s2t").convert(text)
        return other if other != text else None
    return None


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@cache
def _converter(direction: str) -> OpenCC:
    return OpenCC(direction)
