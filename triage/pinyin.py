"""Readings in brackets, `訂單(dìng dān)`, that keyboards and learners put after Chinese words."""

import re
import unicodedata

_BRACKETED = re.compile(r"(?<=[\u3400-\u9fff])\s?[(（]\s?([a-zA-ZÀ-ÿĀ-ǿ1-5 '’·-]{1,40}?)\s?[)）]")
_BETWEEN = re.compile(r"[ '’·-]+")
_TONE_MARKS = dict.fromkeys(map(ord, "\u0300\u0301\u0304\u030c"))
_TONE_DIGIT = re.compile(r"(?<=[a-zü]{2})[1-5]")

_SYLLABLE = (
    r"(?:[bpm](?:a|ai|an|ang|ao|ei|en|eng|i|ian|iao|ie|in|ing|o|u)|miu|me|[pm]ou|f(?:a|an|ang|ei|en|eng|o|ou|u)"
    r"|[dt](?:a|ai|an|ang|ao|e|ei|eng|i|ian|iao|ie|ing|ong|ou|u|uan|ui|un|uo)|den|diu|dia"
    r"|[nl](?:a|ai|an|ang|ao|e|ei|eng|i|ian|iang|iao|ie|in|ing|iu|ong|ou|u|uan|un|uo|v|ve|ü|üe|ue)|nen|lia|lo"
    r"|[gkh](?:a|ai|an|ang|ao|e|ei|en|eng|ong|ou|u|ua|uai|uan|uang|ui|un|uo)"
    r"|[jqx](?:i|ia|ian|iang|iao|ie|in|ing|iong|iu|u|uan|ue|un)"
    r"|[zcs]h?(?:a|ai|an|ang|ao|e|ei|en|eng|i|ong|ou|u|ua|uai|uan|uang|ui|un|uo)"
    r"|r(?:an|ang|ao|e|en|eng|i|ong|ou|u|ua|uan|ui|un|uo)"
    r"|y(?:a|an|ang|ao|e|i|in|ing|o|ong|ou|u|uan|ue|un)|w(?:a|ai|an|ang|ao|ei|en|eng|o|u)"
    r"|a|ai|an|ang|ao|e|ei|en|er|o|ou)"
)
# Four syllables at most in one word, which bounds the search for where each of them ends.
_PLAIN_WORD = re.compile(rf"{_SYLLABLE}{{1,4}}")
_MARKED_WORD = re.compile(rf"(?:{_SYLLABLE}r?){{1,4}}")

# Spelled like a reading and none: English words, and names that say something about the matter.
_NOT_READINGS = frozenset(
    re.findall(
        r"\w+",
        "a an ban banana bike bite can case change cute dance data date fan game gang guide he late like line lite "
        "long made mate me men menu mine mini name nice page pan panda pin sale same she shine site size song sun tan "
        "wo women "
        "anta haier huawei jingdong kuaishou lazada meituan midea momo muji nike pinduoduo puma shunfeng taobao weibo "
        "weixin xiaomi zalo zhihu",
    )
)


def without_pinyin(text: str) -> str:
    """`text` without the readings in brackets that follow a Han character; other brackets stay."""
    return _BRACKETED.sub(lambda found: "" if _is_reading(found[1]) else found[0], text)


def _is_reading(content: str) -> bool:
    letters = unicodedata.normalize("NFC", unicodedata.normalize("NFD", content).translate(_TONE_MARKS))
    marked = letters != content
    if not marked and (content in _NOT_READINGS or not content.islower()):
        return False
    word = _MARKED_WORD if marked else _PLAIN_WORD
    return all(word.fullmatch(part) for part in _BETWEEN.split(_TONE_DIGIT.sub("", letters.lower().strip("'’·-"))))
