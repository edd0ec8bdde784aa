"""Amounts of money: a number with a currency's sign, code or word before or after it, in six languages.

A number alone is not one: 1,290 may be baht, points or a model.
"""

import re
from collections.abc import Iterator

# Four groups of thousands at most, so that a long row of numbers is not read again from each of them.
_NUMBER = r"(?:\d{1,3}(?:[.,'\ \u00a0\u202f]\d{3}){1,4}(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?)(?!\d)"
_GAP = r"[\ \u00a0\u202f]?"
# Not \b: Thai and Chinese follow a Latin word without a space.
_START, _END = r"(?<![a-z])", r"(?![a-zà-ɏạ-ỹа-я\d])"
_SIGN = "[$€£¥￥฿₫₽₴₸₹₩]"
_CODE = "(?:usd|eur|gbp|vnd|thb|twd|ntd?|hkd|cny|rmb|rub|jpy|sgd|inr|kzt)"

_BEFORE = re.compile(
    rf"""
    (?: (?={_SIGN}).
      | {_START}(?=[acehijknrstuvg]) (?: (?:nt|hk|us|ca|au|sg|[sac])\$ | {_CODE}(?=[\s\d]) | rs(?=[\s\d.])\.? ) )
    {_GAP}{_NUMBER}(?:[km]{_END})?
    """,
    re.IGNORECASE | re.VERBOSE,
)

_WORD = (
    rf"(?:{_CODE}|dollars?|bucks|euros?|pounds?|quid|cents?|pence|rubles?|roubles?|rupees?|baht|yuan|dong|đồng|vnđ|đ"
    r"|тенге|тг|грн|доллар(?:ов|а)?|евро)"
)
_THOUSANDS = r"(?:nghìn|ngàn|ngan|triệu|trieu|tỷ|tr)"
_AFTER = re.compile(
    rf"""
    (?=\d)(?<![\da-z.,]) {_NUMBER}
    (?: {_GAP} (?:
        {_SIGN}(?!\s?\d)
      | {_WORD}{_END}
      | {_THOUSANDS}{_END}(?!\.|\ (?:người|lượt|khách))(?:\ ?(?:đồng{_END}|đ{_END}|₫))?
      | (?:ร้อย|พัน|หมื่น|แสน|ล้าน)?บาท | บ\.(?!\S)
      | [百千万萬]?(?:元(?![素旦件宵])|圓|圆|蚊|人民[币幣]|[台港][币幣]|美[元金]|[欧歐]元)
      | [块塊][钱錢] | (?<=\d\d)[块塊](?![布蛋肥硬电電])
      | (?:(?:тыс(?:яч[аиу]?|\.)?|млн\.?|т\.)\ ?)? (?: руб(?:лей|ля|ль|л?\.|\b) | ₽ )
      | (?<=\d\d)р\b\.?(?!/) | (?<=\d\d\ )р\b\.?(?!/) )
    | tr\d{{1,3}}{_END} | \.-(?!\d) | (?<=[.,]\d\d\d)d{_END}
    | (?P<thousands>k){_END} )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "10k" is money to Vietnamese; to others it may be steps, views or a race.
_VIETNAMESE = re.compile(
    "[à-ýăđĩũơưạ-ỹ]|"
    r"\b(?:minh|khong|duoc|tien|shop oi|roi|ship|cua|nhe|toi|cho|mua|ngay|tru|voi|vay|giup)\b",
    re.IGNORECASE,
)


def find_amounts(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the amounts in `text` from its beginning on; none overlaps another."""
    spans = [found.span() for found in _BEFORE.finditer(text)]
    after = list(_AFTER.finditer(text))
    if any(found["thousands"] for found in after) and not _VIETNAMESE.search(text):
        after = [found for found in after if not found["thousands"]]
    spans += [found.span() for found in after]
    start = end = 0
    for span in sorted(spans):
        if span[0] >= end:
            if end:
                yield start, end
            start = span[0]
        # "$12 USD" was found from both sides.
        end = max(end, span[1])
    if end:
        yield start, end
