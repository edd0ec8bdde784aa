"""Dates as customers write them: in numbers, by month and weekday, today and tomorrow, in six languages.

Days are found, not months or weeks alone. They are not resolved: which Friday is meant, and whether 3/4 lies in March
or in April, the reader of the message knows better.
"""

import re
from collections.abc import Iterator

from triage.calendars import CALENDARS, Rule

_DIGIT = re.compile(r"\d")
_CYRILLIC = re.compile("[а-яА-Я]")

_NUMERIC = re.compile(
    r"""
    (?=\d) (?<![\da-z./:$€£¥฿₫₽-]) (?<!\d[ )])
    (?: (?P<year>\d{4}) (?P<mark>[-/.]) (?P<month>\d{1,2}) (?P=mark) (?P<day>\d{1,2})
      | (?P<first>\d{1,2}) (?P<between>[-/.]) (?P<second>\d{1,2}) (?P=between) (?:\d{4}|\d{2})
      | (?P<left>\d{1,2}) (?P<point>[/.]) (?P<right>\d{1,2}) )
    (?! \d | [./:-]\d | [a-z] )
    (?! [ ]?(?: [%€£$₫₽₴₸฿元] | руб | р\b | кг | км | см | cm\b | kg\b | usd | eur | vnd | đ\b | บาท ) )
    (?! [ ]?(?: đường | duong | phố | ngõ | hẻm | ถนน | หมู่ | ซอย ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CUE = re.compile(
    r"(?:\b(?:ngày|ngay|hôm|hom|sáng|trưa|chiều|tối|đêm|từ|đến|vào|on|by|from|until|till|since|dated|с|до|от|на|к)"
    r"|วันที่|เมื่อ|ตั้งแต่|ถึง|[于於在自到至]) ?$",
    re.IGNORECASE,
)
_NAMED_DAY = re.compile(r"(?:\bngày|\bngay|วันที่) ?$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\bsố|เลขที่|\bnhà|\bkiệt|\bhẻm|\bngõ)\.? ?$", re.IGNORECASE)
_LOOK_BACK = 12
# What stands between a weekday and the day that explains it: "Friday, 6 November", "วันอาทิตย์ที่ 24 พฤศจิกายน".
_JOINTS = frozenset(("", " ", ", ", "ที่", "ที่ ", " ngày ", ", ngày "))


def find_dates(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the dates in `text` from its beginning on; none overlaps another."""
    lowered = text.lower()
    numbered = _DIGIT.search(text) is not None
    weekdays: set[tuple[int, int]] = set()
    others = set(_in_numbers(text)) if numbered else set()
    for calendar in CALENDARS:
        weekdays.update(_matches(calendar.weekday, text, lowered))
        others.update(_matches(calendar.near, text, lowered))
        if numbered:
            others.update(_matches(calendar.numbered, text, lowered))
    last: tuple[int, int] | None = None
    for span in sorted(weekdays | others, key=lambda span: (span[0], -span[1])):
        if last is None:
            last = span
        elif span[0] >= last[1]:
            if (last in weekdays) != (span in weekdays) and _is_joint(text, last, span):
                last = last[0], span[1]
            else:
                yield last
                last = span
    if last is not None:
        yield last


def _matches(rule: Rule, text: str, lowered: str) -> Iterator[tuple[int, int]]:
    if rule.could_match(lowered):
        for found in rule.pattern.finditer(text):
            yield found.span(found.lastindex or 0)


def _is_joint(text: str, left: tuple[int, int], right: tuple[int, int]) -> bool:
    numbered = [_DIGIT.search(text, *span) is not None for span in (left, right)]
    return text[left[1] : right[0]] in _JOINTS and any(numbered) and not all(numbered)


def _in_numbers(text: str) -> Iterator[tuple[int, int]]:
    for found in _NUMERIC.finditer(text):
        before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
        if _is_day(found, text, before):
            named = _NAMED_DAY.search(before)
            yield found.start() - (len(named[0]) if named else 0), found.end()


def _is_day(found: re.Match[str], text: str, before: str) -> bool:
    if found["year"]:
        return _could_be(int(found["day"]), int(found["month"]))
    if found["first"]:
        return _could_be(int(found["first"]), int(found["second"]))
    left, right = int(found["left"]), int(found["right"])
    if not _could_be(left, right) or _ADDRESS.search(before) or found[0] == "24/7":
        return False
    if found["point"] == ".":
        # 21.10 is how Russians write a day; elsewhere it is far more often a price or a size.
        return len(found[0]) == 5 and _CYRILLIC.search(text) is not None
    # 9/10 is a mark, 1/2 a half and 2/2 a shift, unless a word before says that it is a day.
    doubtful = (right == 10 and left <= 10) or (left <= right <= 4)
    return not doubtful or _CUE.search(before) is not None


def _could_be(left: int, right: int) -> bool:
    return 1 <= min(left, right) <= 12 and max(left, right) <= 31
