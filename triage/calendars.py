"""How days are named in each language: weekdays, words like tomorrow, and days with a month."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to name days, in any case. Where the pattern has a group, the group is the date, the rest its context.

    `hints` save time: what in lower case holds none of them cannot match, and looking for them is ten times faster.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def could_match(self, lowered: str) -> bool:
        return any(hint in lowered for hint in self.hints)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How one language names days.

    Attributes:
        weekday: names of weekdays, with "this", "next" and "last".
        near: today, tomorrow and their like.
        numbered: days that have a number and a month, or a number and a sign that it is a day.
    """

    weekday: Rule
    near: Rule
    numbered: Rule


def _rule(hints: str, pattern: str) -> Rule:
    return Rule(tuple(hints.split("|")), re.compile(pattern, re.IGNORECASE | re.VERBOSE))


# One day, or from one to another: 12–18.
_DAYS = r"(?=\d)(?<![\d.,/:-])\d{1,2}(?:[ ]?[-–][ ]?\d{1,2})?"
_DAY_OF_MONTH = r"(?=\d)(?<![\d.,/:-])(?:[12]?\d|3[01])"

_ENGLISH_MONTH = r"""
    (?: jan(?:uary)? | feb(?:ruary)? | mar(?:ch)? | apr(?:il)? | may(?![ ](?:be|have|not|also|i|we|take)\b)
      | june? | july? | aug(?:ust)? | sept?(?:ember)? | oct(?:ober)? | nov(?:ember)? | dec(?:ember)?
    )\b(?:\.(?=[ ]?\d))?
"""
_ENGLISH = Calendar(
    weekday=_rule(
        "day|tue|thu|weds|fri| mon| wed| sat| sun",
        r"""
        \b(?=[tnlcmwfs]) (?<!black[ ])(?<!cyber[ ])
          (?:(?:this|next|last|coming)[ ])?
          (?: (?:mon|tues|wednes|thurs|fri|satur|sun)day | tues | thurs? | weds | fri )\b
        | \b(?=[tnl])(?:this|next|last)[ ](?:mon|tue|wed|sat|sun)\b
        | (?<=\bon[ ])(?:mon|tue|wed|sat|sun)\b
        """,
    ),
    near=_rule(
        "day|tomorrow|tonight|tmr",
        r"""
        \b(?=[tdy]) (?: (?:the[ ])?day[ ](?:after[ ]tomorrow|before[ ]yesterday)
          | today | tonight | tomorrow | tmrw? | yesterday )\b
        """,
    ),
    numbered=_rule(
        "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|st|nd|rd|th",
        rf"""
        {_DAYS}(?:st|nd|rd|th)?[ ]?(?:of[ ])?{_ENGLISH_MONTH}(?:,?[ ]\d{{4}}\b)?
        | \b(?=[jfmasond])(?!(?-i:may|mar(?:ch)?)\b)
          {_ENGLISH_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?(?![\d:.,]\d|\d)(?:,?[ ]\d{{4}}\b)?
        | \b(?=[obufstadn])(?:on|by|until|till|since|from|before|after|dated|now)[ ](?:the[ ])?
          (\d{{1,2}}(?:st|nd|rd|th))
          (?= \s*(?:[,.;:!?)]|\Z)
            | [ ](?:and|at|because|but|for|i|in|it|my|or|so|still|the|they|to|until|we|when|with|you)\b )
        """,
    ),
)

_VIETNAMESE_TIME = r"""
    (?: [ ](?:tuần[ ])?(?:này|tới|sau|trước|nay)\b | [ ]tuần[ ](?:rồi|vừa[ ]rồi) | [ ]tuan[ ](?:nay|sau|truoc|toi) )?
"""
_VIETNAMESE = Calendar(
    weekday=_rule(
        "thứ |thu |chủ nhật|chu nhat|t2|t3|t4|t5|t6|t7",
        rf"""
        \b(?=[tc]) (?: (?<!lần[ ])(?<!người[ ])(?<!cái[ ])(?<!chiếc[ ])(?<!đơn[ ])(?<!hạng[ ])
          (?<!món[ ])(?<!gói[ ])(?<!ngày[ ])(?<!chỉ[ ])
          thứ[ ](?:hai|ba|tư|năm|sáu|bảy|[2-7](?!\d)){_VIETNAMESE_TIME}
        | chủ[ ]nhật{_VIETNAMESE_TIME} | chu[ ]nhat\b{_VIETNAMESE_TIME}
        | (?<!lan[ ])thu[ ][2-7](?:(?=[ ]roi\b|\s*(?:[.,!?]|\Z)) | [ ](?:nay|tuan[ ](?:nay|sau|truoc|toi))\b)
        | t[2-7][ ](?:này|tới|sau|tuần[ ](?:này|sau|trước|rồi))\b )
        """,
    ),
    near=_rule(
        " nay| qua| kia| mai| mốt",
        r"""
        \b(?=[hbnstcđd]) (?: (?:hôm|bữa)[ ](?:nay|qua|kia) | hom[ ](?:nay|qua|kia) | ngày[ ](?:mai|kia|mốt) | ngay[ ]mai
          | (?:sáng|trưa|chiều|tối|đêm)[ ](?:nay|mai|qua) | (?:sang|chieu)[ ](?:nay|mai|qua) | toi[ ]nay | dem[ ]qua )\b
        """,
    ),
    numbered=_rule(
        "tháng|thg|thang|ngày|mùng|mồng",
        r"""
        (?=[nm\d]) (?: \b(?:ngày|ngay|mùng|mồng)[ ]? | (?<![\d.,/:-]) )
          \d{1,2}[ ](?:tháng|thg)[ ]?\d{1,2}(?:[ ]?(?:,|năm)[ ]?\d{4})?\b
          (?![/.,]?\d | [ ](?:ngày|lần|tuần|cái|buổi|đổi|món)\b)
        | \b(?=n)ngay[ ]?\d{1,2}[ ]thang[ ]?\d{1,2}(?:[ ]?nam[ ]?\d{4})?\b
        | \b(?=[nm])(?:ngày|mùng|mồng)[ ]\d{1,2}\b
          (?![/.,-]\d | [ ](?:tháng|lần|tiếng|giờ|cái|cuộc|đơn|viên|bữa)\b)
        """,
    ),
)

_THAI_MONTH = r"""
    (?: มกรา(?:คม)? | กุมภา(?:พันธ์)? | มีนา(?:คม)? | เมษา(?:ยน)? | พฤษภา(?:คม)? | มิถุนา(?:ยน)? | กรกฎา(?:คม)?
      | สิงหา(?:คม)? | กันยา(?:ยน)? | ตุลา(?:คม)? | พฤศจิกา(?:ยน)? | ธันวา(?:คม)?
      | ม\.ค\.? | ก\.พ\.? | มี\.ค\.? | เม\.ย\.? | พ\.ค\.?
      | มิ\.ย\.? | ก\.ค\.? | ส\.ค\.? | ก\.ย\.? | ต\.ค\.? | พ\.ย\.? | ธ\.ค\.? )
"""
_THAI_TIME = r"(?:นี้|หน้า|ที่แล้ว|ที่ผ่านมา)"
_THAI = Calendar(
    weekday=_rule(
        "จันทร์|อังคาร|พุธ|พฤหัส|ศุกร์|เสาร์|วันอาทิตย์",
        rf"""
        วัน(?:จันทร์|อังคาร|พุธ|พฤหัส(?:บดี|ฯ)?|ศุกร์|เสาร์(?!อาทิตย์)|อาทิตย์){_THAI_TIME}?
        | (?:จันทร์|อังคาร|พุธ|พฤหัส(?:บดี)?|ศุกร์|เสาร์){_THAI_TIME}
        """,
    ),
    near=_rule(
        "พรุ่งนี้|เมื่อวาน|มะรืน|วันนี้|คืนนี้|เมื่อคืน",
        "(?:วัน)?พรุ่งนี้ | เมื่อวาน(?:ซืน|นี้)? | (?:วัน)?มะรืน(?:นี้)? | วันนี้ | คืนนี้ | เมื่อคืน(?:นี้)?",
    ),
    numbered=_rule(
        "วันที่|.ค|.พ|.ย|มกรา|กุมภา|มีนา|เมษา|พฤษภา|มิถุนา|กรกฎา|สิงหา|กันยา|ตุลา|พฤศจิกา|ธันวา",
        rf"""
        (?:วันที่[ ]?)?{_DAYS}[ ]?{_THAI_MONTH}(?:[ ]?(?:พ\.ศ\.[ ]?|ค\.ศ\.[ ]?)?\d{{4}}(?!\d) | [ ]?[67]\d(?!\d))?
        | วันที่[ ]?\d{{1,2}}(?![\d/.:]\d | \d)
        """,
    ),
)

_RUSSIAN_MONTH = r"""
    (?: января | февраля | марта | апреля | мая | июня | июля | августа | сентября | октября | ноября | декабря
      | янв | февр? | мар | апр | июн | июл | авг | сент? | окт | нояб? | дек )\b(?:\.(?=[ ]?\d))?
"""
_RUSSIAN = Calendar(
    weekday=_rule(
        "понед|вторн|сред|четв|пятн|субб|воскр| пн| вт| ср| чт| пт| сб| вс",
        r"""
        \b(?=[вэпсчб])(?<!ч[её]рн\w\w[ ]) (?:во?[ ])?(?:(?:эт|прошл|следующ|ближайш)\w{2,3}[ ])?
          (?: понедельник[аеу]? | вторник[аеу]? | среду | четверг[аеу]? | пятниц[аеуы]
            | суббот[аеуы] | воскресень[еюя] )\b
        | (?<=\bс[ ])среды\b | (?<=\bсо[ ])среды\b | (?<=\bдо[ ])среды\b | (?<=\bк[ ])среде\b
        | \b(?=в)во?[ ](?:пн|вт|ср|чт|пт|сб|вс)\b
        """,
    ),
    near=_rule("сегодня|завтра|вчера", r"\b(?=[сзпв])(?: сегодня | завтра | послезавтра | вчера | позавчера )\b"),
    numbered=_rule(
        "янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек|го|-е",
        rf"""
        {_DAYS}(?:-?(?:го|е|ого|ое))?[ ]{_RUSSIAN_MONTH}(?:[ ]\d{{4}}(?!\d))?
        | {_DAY_OF_MONTH}-?го(?:[ ]числа)?\b(?![ ](?:раза?|этаж|размер|класс|сорт|подъезд|ряд|уровн))
        | {_DAY_OF_MONTH}-е(?:[ ]число\b | (?=\s*(?:[,.;!?)]|\Z)))
        """,
    ),
)

_CHINESE = Calendar(
    weekday=_rule(
        "周|週|星期|礼拜|禮拜",
        r"""
        (?<![一二三四五六七八九十两兩每几幾\d])(?<![一二三四五六七八九十两兩每几幾\d][个個])
        (?:(?:上上|下下|[上下这這本])[个個]?)?(?:周|週|星期|礼拜|禮拜)(?:[一二三四五六日](?![十百千月一])|天(?![气氣]))
        """,
    ),
    near=_rule(
        "今|明|昨|前天|后天|後天|日",
        "[今明昨][天日晚早] | (?<![之以])大?[前后後]天(?!天) | [聽听尋寻琴噚]日",
    ),
    numbered=_rule(
        "月|日|号|號",
        rf"""
        (?=\d) (?: (?:(?<!\d)(?:\d{{4}}|\d{{2}})年)?(?<![\d.])\d{{1,2}}月\d{{1,2}}(?:[日号號] | (?!\d|[个個]))
        | (?<!\d)\d{{4}}年\d{{1,2}}月(?!\d)
        | (?<![路街弄巷段道村第楼樓由的有穿换換]){_DAY_OF_MONTH}[号號](?![线線楼樓店鞋码碼门門院室機机房车車])
        | {_DAY_OF_MONTH}日(?![内內后後游元本间間]) )
        """,
    ),
)

CALENDARS = (_ENGLISH, _VIETNAMESE, _THAI, _RUSSIAN, _CHINESE)
