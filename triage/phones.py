"""Telephone numbers that can be dialled in one of the regions of a desk, as libphonenumber knows them."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from phonenumbers import PhoneMetadata, PhoneNumberMatcher

_FEWEST_DIGITS = 8
_MOST_CANDIDATES = 20
"""Numbers that are looked at in one message: a look costs 0.2 ms per region, and a list of numbers is no message."""

_CANDIDATE = re.compile(
    r"(?=[\d+＋(（])(?<![\da-z])(?<!\d[.,])[+＋]?(?:[(（](?=\d{1,5}[)）]))?\d[\d \u00a0.()（）–-]{5,24}\d(?![\da-z])",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"(?:\bđiện thoại|\bsđt|\bsdt|\bđt|\bdt|\bgọi|\bgoi|\bzalo|\bhotline|\blh|โทร|เบอร์|มือถือ"
    r"|电话|電話|手机|手機|致电|致電|"
    r"\bтел|\bтелефон|\bзвон|\bномер|\bphone|\btel|\bmob|\bmobile|\bcell|\bcall|\bring|\btext|\bwhatsapp|\bviber)"
    r"[^\d\n]{0,20}$",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"(?:\bmst|mã số thuế|\bstk|số tài khoản|\btax|\bvat|\baccount|\btracking|\bref(?:erence)?|ผู้เสียภาษี|เลขบัญชี|พัสดุ|"
    r"税号|統編|统编|統一編號|账号|帳號|工单|单号|單號|\bqq|инн|кпп|огрн|счёт|счет|трек)[^\d\n]{0,12}$",
    re.IGNORECASE,
)
_LOOK_BACK = 32
_NORTH_AMERICAN = re.compile(r"\(?\d{3}\)?[ .-]\d{3}[.-]\d{4}")


class PhoneFinder:
    """Tries the regions in their order; the first in which a number is valid as a whole has it."""

    def __init__(self, regions: Sequence[str]) -> None:
        for region in regions:
            if PhoneMetadata.metadata_for_region(region) is None:
                raise ValueError(f"Unknown phone region {region!r}; name a two-letter country code such as 'VN'.")
        self._regions = tuple(regions)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """The spans of the phone numbers in `text`, in order; none overlaps another."""
        for found in islice(filter(_is_worth_a_look, _CANDIDATE.finditer(text)), _MOST_CANDIDATES):
            for start, end in self._dialled(found[0]):
                yield found.start() + start, found.start() + end

    def _dialled(self, candidate: str) -> list[tuple[int, int]]:
        best: list[tuple[int, int]] = []
        for region in self._regions[:1] if candidate[0] in "+＋" else self._regions:
            spans = [(match.start, match.end) for match in PhoneNumberMatcher(candidate, region)]
            if _length(spans) > _length(best):
                best = spans
            if _length(best) == len(candidate):
                break
        return best


def _length(spans: list[tuple[int, int]]) -> int:
    return sum(end - start for start, end in spans)


def _is_worth_a_look(found: re.Match[str]) -> bool:
    digits = [int(character) for character in found[0] if character.isdecimal()]
    before = found.string[max(0, found.start() - _LOOK_BACK) : found.start()]
    if len(digits) < _FEWEST_DIGITS or _OTHER_NUMBER.search(before):
        return False
    return _looks_dialled(found[0], digits) or _MARKED.search(before) is not None


def _looks_dialled(candidate: str, digits: list[int]) -> bool:
    """Whether the digits are more than any number of that length: +84…, 0912…, 8 912…, 138…, (212) 555-0123."""
    if candidate[0] in "+＋" or digits[0] == 0:
        return True
    if len(digits) == 11 and (digits[0] in (7, 8) or (digits[0] == 1 and digits[1] >= 3)):
        return True
    return _NORTH_AMERICAN.fullmatch(candidate) is not None
