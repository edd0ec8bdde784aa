"""The customer's own words in a mail: without quoted history and without what a telephone signs."""

import re
from collections.abc import Iterator

_READABLE = re.compile(r"[^\W_]")
# ">_<", ">.<" and ">:(" are faces.
_QUOTED = re.compile(r"\s*[>＞](?!\s?[<_.:;﹏︿])")

_INTRO = re.compile(
    r".*(?:\bwrote|đã viết|เขียนว่า|[写寫]道|\b(?:пишет|(?:на)?писала?(?:\(а\))?)|<[^<>\s]+@[^<>\s]+>|"
    r"\b(?:escribió|escreveu|a écrit|menulis)|\d[:.]\d\d(?: uhr)?,? schrieb\b.{0,60})\s?[:：]",
    re.IGNORECASE,
)
_INTRO_START = re.compile(r"\s*(?:on|vào|เมื่อ|(?:пн|вт|ср|чт|пт|сб|вс),|el|em|le|am|pada|\d)\b.*\d", re.IGNORECASE)
_YEAR, _CLOCK = r"(?<!\d)(?:20|25)\d\d(?!\d)", r"(?<![\d.,])(?:[01]?\d|2[0-3])[:.][0-5]\d(?!\d)"
_DAY_AND_TIME = rf"(?=.*{_YEAR}).*{_CLOCK}"
_FROM_MAIL_CLIENT = re.compile(rf"@|{_YEAR}.*{_CLOCK}|{_CLOCK}.*{_YEAR}")
# Some clients put no verb: a weekday maybe, a date with its year, a time, a name.
_DATED = re.compile(rf"{_DAY_AND_TIME}.{{0,60}}[:：]")
_DATE_FIRST = re.compile(r"\s*(?:\w{1,12}[.,]{1,2} ?)?\d{1,4}[ ./年-]")
_ORIGINAL_MESSAGE = re.compile(
    r"[-_]{2,} ?(?:original message|tin nhắn gốc|thư gốc|ข้อความต้นฉบับ|исходное сообщение|"
    r"原始(?:邮件|郵件|信件|訊息)|mensaje original|mensagem original|message d'origine|"
    r"ursprüngliche nachricht|元のメッセージ|pesan asli) ?[-_]{2,}",
    re.IGNORECASE,
)

_BRAND = (
    "(?:iphone|ipad|android|outlook|samsung|galaxy|huawei|xiaomi|redmi|oppo|vivo|realme|pixel|yahoo|gmail|proton|"
    "blackberry|windows)"
)
_SIGNATURE = re.compile(
    r"[\W_]{0,4}(?:"
    rf"sent (?:from|via|with) .{{0,20}}?(?:{_BRAND}|phone|mobile)|get outlook for|"
    rf"(?:đã |được )*gửi từ .{{0,20}}?(?:{_BRAND}|điện thoại)|tải outlook|"
    rf"ส่ง(?:มา)?จาก ?.{{0,20}}?(?:{_BRAND}|มือถือ|โทรศัพท์|สมาร์ทโฟน)|"
    rf"отправлено (?:с .{{0,20}}?(?:{_BRAND}|телефон|смартфон|устройств)|из .{{0,20}}?(?:{_BRAND}|почт|mail))|"
    rf"(?:(?:[发發寄传傳]|[发發传傳]送)自|[来來]自我的) ?.{{0,12}}?(?:{_BRAND}|手机|手機|平板|[邮郵]|华为|小米)|"
    rf"[从從]我?的? ?.{{0,12}}?(?:{_BRAND}|手机|手機|平板).{{0,6}}?(?:[发發传傳]送|[发發寄]出)"
    r").{0,30}",
    re.IGNORECASE,
)
# In these languages a telephone's line begins like many a complaint: nothing but the device may follow.
_DEVICE = rf"(?:{_BRAND}|móvil|celular|telemóvel|teléfono|téléphone|mobile|handy|smartphone|telefon)"
_MODEL = r"(?: (?:galaxy|pro|max|plus|mini|ultra|note|[a-z]?\d{1,3}|(?:para|pour|für|untuk) (?:android|ios)))*"
_SIGNATURE_WHOLE = re.compile(
    r"[\W_]{0,4}(?:"
    rf"enviad[oa] (?:desde|do|da|de|pelo|pela) (?:(?:mi|meu|minha) {_DEVICE}|iphone|ipad|outlook){_MODEL}|"
    rf"envoyé (?:de|depuis|à partir de) (?:mon {_DEVICE}|outlook){_MODEL}|"
    rf"(?:von|mit) mein(?:em|er) {_DEVICE}{_MODEL} gesendet|gesendet (?:von|mit) (?:mein(?:em|er) )?{_DEVICE}{_MODEL}|"
    rf"(?:私の ?)?(?:{_BRAND}|スマートフォン|スマホ|携帯(?:電話)?)から送信|"
    rf"dikirim dari (?:(?:{_BRAND}{_MODEL}|ponsel|hp)(?: {_BRAND}{_MODEL})? saya|(?:iphone|ipad|outlook){_MODEL})"
    r")[\W_]{0,4}",
    re.IGNORECASE,
)
_LONGEST_SIGNATURE = 60


def is_blank(text: str) -> bool:
    """Whether `text` has no letter and no digit: white space, punctuation and emoji alone cannot be classified."""
    return _READABLE.search(text) is None


def own_words(text: str) -> str:
    """`text` without quoted lines, the lines that lead them in, and mobile signatures.

    Who sends a quote alone wants it read: what would leave nothing to read is not cut.
    """
    if "\n" not in text and "\r" not in text:
        return text
    unsigned = [line for line in text.splitlines() if not _is_signature(line)]
    for lines in (list(_without_history(unsigned)), unsigned):
        own = "\n".join(lines)
        if not is_blank(own):
            return own
    return text


def _is_signature(line: str) -> bool:
    content = line.strip()
    if not 0 < len(content) <= _LONGEST_SIGNATURE:
        return False
    return any(pattern.fullmatch(content) for pattern in (_SIGNATURE, _SIGNATURE_WHOLE))


def _without_history(lines: list[str]) -> Iterator[str]:
    lines = list(_unwrapped(lines))
    for at, line in enumerate(lines):
        if _QUOTED.match(line):
            continue
        if _ORIGINAL_MESSAGE.fullmatch(line.strip()):
            return
        intro = _is_intro(line)
        if intro or _is_dated(line):
            following = next((lines[later] for later in range(at + 1, len(lines)) if lines[later].strip()), "")
            if _QUOTED.match(following):
                continue
            # Customers tell what was written to them in such lines too; mail clients add year and time, or an address.
            if intro and _FROM_MAIL_CLIENT.search(line):
                return
        yield line


def _is_intro(line: str) -> bool:
    ending = line.rstrip()
    return ending.endswith((":", "：")) and _INTRO.fullmatch(ending) is not None


def _is_dated(line: str) -> bool:
    ending = line.rstrip()
    return _DATE_FIRST.match(ending) is not None and _DATED.fullmatch(ending) is not None


def _unwrapped(lines: list[str]) -> Iterator[str]:
    """The lines, with an intro that a mail client broke in two as one."""
    at = 0
    while at < len(lines):
        wrapped = (
            at + 1 < len(lines)
            and _is_intro(lines[at + 1])
            # What looks like a beginning itself needs none, and a customer's sentence seldom has a year or a time.
            and not _INTRO_START.match(lines[at + 1])
            and _INTRO_START.match(lines[at])
            and re.search(rf"{_YEAR}|{_CLOCK}|@", lines[at])
        )
        yield f"{lines[at]} {lines[at + 1]}" if wrapped else lines[at]
        at += 2 if wrapped else 1
