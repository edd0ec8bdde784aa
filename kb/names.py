"""Names of people in agents' replies, taken out as far as address words, greetings and signatures show them.

No list of names would do for six languages; what stands around a name is short and known. Where it is a greeting, the
whole address goes; a name within a sentence becomes a placeholder. How often that works: `docs/replies.md`.
"""

import re
import unicodedata
from collections.abc import Iterable

CUSTOMER, AGENT = "{{customer_name}}", "{{agent_name}}"

# Vietnamese has its capitals and small letters by turns, so that no range holds the ones alone.
_LETTERS = map(chr, (*range(0x41, 0x250), *range(0x400, 0x530), *range(0x1E00, 0x1F00)))
_UPPER = "".join(letter for letter in _LETTERS if letter.isupper())
_NAME = rf"[{_UPPER}][\w’'-]*"
_NAMES = rf"{_NAME}(?:[ ]{_NAME}){{0,3}}"

_VI_ADDRESS = r"(?:[Aa]nh|[Cc]hị|[Ee]m|[Bb]ạn|[Cc]ô|[Cc]hú|[Bb]ác|[Ôô]ng|[Bb]à|[Cc]háu|[Kk]hách(?: hàng)?|\b[ac])"
_VI = (
    # A name after an address word has a capital; without one, it is called by "ơi".
    (rf"(?<!\w)({_VI_ADDRESS}[ ])(?!(?:Torvela|Shop|Chị|Anh)\b)(?-i:{_NAMES})", rf"\g<1>{CUSTOMER}"),
    (rf"(?<!\w)({_VI_ADDRESS}[ ])(?!gái|trai|ấy|em)[^\W\d]+(?:[ ][^\W\d]+)?([ ]ơi)\b", rf"\g<1>{CUSTOMER}\g<2>"),
    (rf"((?:[Ee]m|[Mm]ình|[Tt]ôi)[ ](?:tên(?: là)?|là)[ ])(?-i:{_NAMES})", rf"\g<1>{AGENT}"),
)
_EN = (
    (rf"\b((?:[Mm]r|[Mm]rs|[Mm]s|[Mm]iss|[Dd]r|[Pp]rof|[Ss]ir|[Mm]adam)\.?[ ]){_NAMES}", rf"\g<1>{CUSTOMER}"),
    (rf"\b((?:[Mm]y name is|[Tt]his is|I[’']m|I am)[ ]){_NAMES}", rf"\g<1>{AGENT}"),
)
_PATRONYMIC = r"[А-ЯЁ][а-яё]+(?:ович|евич|ич|овн|евн|ичн|инич)[а-яё]{0,3}"
_RU = (
    (rf"\b[А-ЯЁ][а-яё]+[ ]{_PATRONYMIC}\b", CUSTOMER),
    (rf"\b((?:[Гг]-?н|[Гг]-?жа|[Гг]осподин\w*|[Гг]оспож\w+)\.?[ ]){_NAMES}", rf"\g<1>{CUSTOMER}"),
    (rf"\b([Мм]еня зовут[ ]){_NAMES}", rf"\g<1>{AGENT}"),
)
_SURNAME = (
    "(?:欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|东方|東方|皇甫|司徒|[王李张張刘劉陈陳杨楊黄黃赵趙周吴吳徐孙孫朱马馬胡郭林何高梁郑鄭罗羅宋谢謝唐韩韓"
    "曹许許邓鄧萧蕭冯馮曾程蔡彭潘袁于董余苏蘇叶葉吕呂魏蒋蔣田杜丁沈姜范江傅钟鍾卢盧汪戴崔任陆陸廖姚方金邱夏谭譚韦韋贾賈邹鄒石熊孟秦阎閻薛侯雷"
    "白龙龍段郝孔邵史毛常万萬顾顧赖賴武康贺賀严嚴尹钱錢施牛洪龚龔游簡简詹柯温溫翁])"
)
_TITLE = (
    "(?:先生|女士|小姐|太太|夫人|老师|老師|经理|經理|阿姨|叔叔|大哥|大姐|同学|同學|师傅|師傅|姑娘|医生|醫生|教授|主任"
    "|媽媽|妈妈|爸爸|奶奶|爺爺|爷爷)"
)
_ZH = (
    (rf"(?<![感多]){_SURNAME}[\u4e00-\u9fff]{{0,2}}?(?={_TITLE})", CUSTOMER),
    (rf"(?<![\w])[A-Za-z]{{2,}}(?:[ ][A-Za-z]+)?[ ]?(?={_TITLE})", CUSTOMER),
    (
        rf"(?:(?<![\u4e00-\u9fff])|(?<=[的呢喔哦了吧啊呀嗯]))小?{_SURNAME}(?=[总總哥姐董工](?:[^\u4e00-\u9fff]|[您你好]))",
        CUSTOMER,
    ),
    (rf"([客专專服]服?[专專]?[员員]?[：: ]?)小?{_SURNAME}[\u4e00-\u9fff]{{0,2}}(?![\u4e00-\u9fff])", rf"\g<1>{AGENT}"),
    (r"(?<=我叫)[\u4e00-\u9fff]{2,3}", AGENT),
)
_THAI_END = r"(?=คะ|ค่ะ|ครับ|นะ|ด้วย|จ้า|จ๊ะ|ที่|ไว้|แล้ว|[\s,.!]|\Z)"
_THAI_YOU = (
    r"(?!ลูกค้า|สามารถ|จะ|ได้|ต้อง|ไม่|มี|เป็น|ควร|อาจ|ยัง|เอง|คะ|ค่ะ|ครับ|ภาพ|สมบัติ|เลือก|ชำระ|สั่ง|กด|เข้า|ใช้|ส่ง|รับ|คืน|แจ้ง|นะ|ลอง|อยู่|กำลัง|เคย"
    r"|เพียง|แค่|ก็|ซื้อ|เปลี่ยน|ยกเลิก|ตรวจ|เปิด|ปิด|หมอ)"
)
_TH = (
    (r"(เรียน\s*คุณ\s?)[\u0e01-\u0e4e]{2,16}[ ][\u0e01-\u0e4e]{3,16}(?=\s)(?<!เรา)", rf"\g<1>{CUSTOMER}"),
    (
        rf"((?<!ขอบ)(?<!พระ)คุณ(?:หมอ|ครู)?\s?){_THAI_YOU}(?:[\u0e01-\u0e4e]{{2,14}}?{_THAI_END}|[A-Za-z]+)",
        rf"\g<1>{CUSTOMER}",
    ),
    (
        r"((?:(?<![\u0e01-\u0e4e])|(?<=ค่ะ)|(?<=ครับ))(?:พี่|น้อง|ป้า|ลุง)\s?)[\u0e01-\u0e4e]{2,12}?(?=คะ|ค่ะ|ครับ|ขา|จ้า|\s)",
        rf"\g<1>{CUSTOMER}",
    ),
    (rf"((?:เรียน|\A)\s?ท่าน\s?)(?!ลูกค้า|ที่|สามารถ)[\u0e01-\u0e4e]{{2,14}}?{_THAI_END}", rf"\g<1>{CUSTOMER}"),
    (rf"(ชื่อ\s?)(?!ผู้|บัญชี|จริง|สินค้า|เล่น|ที่)[\u0e01-\u0e4e]{{2,14}}?{_THAI_END}", rf"\g<1>{AGENT}"),
    (rf"((?<!ร้าน)แอดมิน\s?)(?!ส่ง|จะ|ขอ|แจ้ง|ตรวจ|ช่วย)[\u0e01-\u0e4e]{{2,8}}?{_THAI_END}", rf"\g<1>{AGENT}"),
)
_WITHIN = tuple((re.compile(pattern), put) for pattern, put in (*_VI, *_EN, *_RU, *_ZH, *_TH))
_HANDLE = re.compile(r"(?<![\w.@])@\w{2,}")

_GREETING = re.compile(
    r"\b(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening|day)|greetings)\b"
    r"|\b(?:chào|kính gửi|kính chào|thân mến|thân gửi|thưa|alo)\b"
    r"|\b(?:здравствуй(?:те)?|добр(?:ый|ое|ого) (?:день|вечер|утро|дня|вечера)|приветству\w+|привет)\b"
    r"|\b(?:уважаем\w+|дорог(?:ой|ая))\b"
    r"|您好|你好|嗨|哈[喽囉啰]|尊敬的|敬爱的|敬愛的|[亲親][爱愛]的|[早晚午]安|先生好|小姐好|老[师師]好"
    r"|สวัสดี|หวัดดี|เรียน",
    re.IGNORECASE,
)
_HEAD_END = re.compile(r"[,，!！。:：;\n~～]|\.(?=\s|$)|\s[–—-]\s")
_HEAD_WORDS, _HEAD_CHARACTERS, _HEADS = 7, 45, 3
_RUN_ON_GREETING = re.compile(
    rf"\A(?:(?:สวัสดี|หวัดดี|เรียน)(?:ค่ะ|คะ|ครับ)?\s*(?:คุณ|พี่)?\s?(?:{re.escape(CUSTOMER)})?(?:ค่ะ|คะ|ครับ)?\s*"
    rf"|(?:您好|你好)\s*{re.escape(CUSTOMER)}{_TITLE}?\s*)"
)
_VALEDICTION = re.compile(
    r"(?:(?<=\n)|(?<=[.!?。！？] )|(?<=[。！？]))(?:(?:kind|best|warm|many)? ?(?:regards|wishes)"
    r"|yours (?:sincerely|faithfully|truly)|sincerely|cheers"
    r"|trân trọng|thân ái|thân mến|kính thư|с уважением|с наилучшими пожеланиями|всего доброго|ваша? (?:служба|команда)"
    r"|ขอแสดงความนับถือ|ด้วยความเคารพ|此致|敬[上祝礼禮]|[顺順][颂頌]|祝[商顺順])(?![a-zа-я])[\s,，:：!！–—-]*",
    re.IGNORECASE,
)
_SIGNED = 120
_ENDS = (*".!?。！？…:：)）”」»ๆ", "ค่ะ", "คะ", "ครับ", "ạ", "nhé", "喔", "哦")
_CAPITALISED = re.compile(rf"(?<![\w{{’'-]){_NAME}")
_VOCATIVE = re.compile(rf"(?<=[,，])([ ]?){_NAMES}(?=[,.!—–-]|[ ][—–-])")
_TRAILING = re.compile(rf"(?<=\w )(?:{_NAME})(?:[ ]{_NAME}){{0,2}}\Z")
_WORD = re.compile(r"\w[\w’'-]*")


def without_names(text: str, known: Iterable[str] = ()) -> str:
    """`text` without its greeting and signature, with placeholders for the names that address words show.

    Args:
        known: names of the people in the conversation, as its helpdesk writes them.
    """
    text = _unsigned(unicodedata.normalize("NFC", text).strip())
    text = _without_known(text, known)
    text = _HANDLE.sub(CUSTOMER, text)
    for pattern, put in _WITHIN:
        text = pattern.sub(put, text)
    text = _unaddressed(text)
    return text[:1].upper() + text[1:]


def capitalised(text: str) -> list[tuple[int, int]]:
    """Where words stand that have a capital although they begin no sentence, quotation or line: names, mostly."""
    spans = []
    for found in _CAPITALISED.finditer(text):
        before = text[: found.start()].rstrip(" ")
        if before and before[-1] not in '.!?…\n«“"„‘(•>-–—。！？「『' and len(found[0]) > 1:
            spans.append(found.span())
    return spans


def _without_known(text: str, known: Iterable[str]) -> str:
    parts = {part for name in known for part in (name, *name.split()) if len(part) > 1}
    for part in sorted(parts, key=len, reverse=True):
        # Words of scripts that write spaces have borders; Thai and Chinese names run into what follows.
        border = r"(?<!\w){}(?!\w)" if part[0].isascii() or unicodedata.category(part[0]) in ("Lu", "Ll") else "{}"
        text = re.sub(border.format(re.escape(unicodedata.normalize("NFC", part))), CUSTOMER, text)
    return re.sub(rf"{re.escape(CUSTOMER)}(?:[ ]?{re.escape(CUSTOMER)})+", CUSTOMER, text)


def _unsigned(text: str) -> str:
    """Without what follows a closing formula near the end, and without last lines that are no sentences."""
    for found in _VALEDICTION.finditer(text):
        if found.start() and len(text) - found.end() <= _SIGNED:
            text = text[: found.start()].rstrip()
            break
    lines = text.split("\n")
    while len(lines) > 1 and _is_signature(lines[-1]):
        lines.pop()
    return "\n".join(lines).rstrip()


def _is_signature(line: str) -> bool:
    line = line.strip()
    listed = re.match(r"\d+[.)]|[•*]", line)
    return not listed and len(line) <= 40 and len(line.split()) <= 6 and not line.endswith(_ENDS)


def _unaddressed(text: str) -> str:
    for _ in range(_HEADS):
        end = _HEAD_END.search(text)
        if end is None or end.end() == len(text):
            break
        head = text[: end.start()].strip()
        short = len(head) <= _HEAD_CHARACTERS and len(head.split()) <= _HEAD_WORDS
        if short and (not head or _GREETING.search(head)):
            text = text[end.end() :].lstrip(" \n,，!！.。～~")
            continue
        if _all_names(head):
            text = f"{CUSTOMER}{text[end.start() :]}"
        break
    # A greeting that no comma ends, as Thai writes it.
    text = re.sub(
        rf"\A(?:สวัสดี|หวัดดี|เรียน)(?:ค่ะ|คะ|ครับ)?\s*(?:คุณ|พี่)?\s?(?:{re.escape(CUSTOMER)})?(?:ค่ะ|คะ|ครับ)?\s*", "", text
    )
    text = re.sub(rf"\A(?:您好|你好)\s*{re.escape(CUSTOMER)}{_TITLE}?\s*", "", text)
    sentence = re.search(r"[.!?。！？\n](?=\s|$)", text)
    first = len(text) if sentence is None else sentence.end()
    opening = _VOCATIVE.sub(rf"\g<1>{CUSTOMER}", text[:first])
    if (end := _HEAD_END.search(opening)) is not None:
        opening = _TRAILING.sub(CUSTOMER, opening[: end.start()]) + opening[end.start() :]
    return opening + text[first:]


def _all_names(head: str) -> bool:
    """One word, whatever it is, or up to three with capitals; in Chinese no word has one, and none is told."""
    words = head.split()
    if not words or len(words) > 3 or "{{" in head or re.search(r"[\u0e00-\u0e7f\u4e00-\u9fff]", head):
        return False
    return (len(words) == 1 and _WORD.fullmatch(head) is not None) or all(re.fullmatch(_NAME, word) for word in words)
