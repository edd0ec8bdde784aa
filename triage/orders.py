"""How the order numbers of a shop look, unless a desk says otherwise."""

_NOT_PAID = r"(?! ?(?:k\b|đ|₫|tr\b|triệu|trieu|nghìn|ngàn|บาท|[元块塊万萬]|руб|р\b|₽|тыс|usd|eur|vnd|thb|[$€£%]))"

_SHAPE = (
    r"(?<![a-z\d])(?=[a-zａ-ｚ]{1,4}[-‐‑–－]\d)(?!(?:top|mid|pre|post|iso)-)"
    # An error and a model have numbers of the same shape.
    r"(?<!error )(?<!code )(?<!lỗi )(?<!รหัส )(?<!ошибка )(?<!代码 )(?<!代码)(?<!代碼)(?<!型号)(?<!型號)"
    r"[a-zａ-ｚ]{1,4}[-‐‑–－]\d{3,10}(?![a-z\d]|[-.,]\d)"
)

_WORD = (
    r"(?=[oзzđdคอ订訂单單])(?:(?<![a-z])orders?|\bзаказ\w{0,2}|\bzakaz\w?"
    r"|(?<!hóa )(?<!hoá )(?<!vận )\bđơn(?: hàng)?|(?<!hoa )(?<!van )\bdon(?: hang)?"
    r"|คำสั่งซื้อ|ออเดอร์|ออร์เดอร์|[订訂][单單]|(?<![工运運递遞流])[单單](?=[号號]))"
)
_MARK = (
    r"(?:no\.?|number|num\.?|id|ref(?:erence)?\.?|[#№]|số|so|mã|ma|หมายเลข|เลขที่|เลข|ที่|номер"
    r"|[编編][号號]|[号號][码碼]?)"
)
_LINK = r"(?: (?:của|cua) \w{2,4})?(?: ?(?:is|là|la|คือ|[是为為]))?"
_PREFIX = r"(?:[a-zа-я]{1,4}-?|(?-i:[A-Z]{2,4}) )?"
# Behind a word like "number" three digits are enough; without it a shorter number is a count or a price.
_AFTER_A_WORD = (
    rf"{_WORD} ?(?:(?:{_MARK} ?){{1,2}}{_LINK} ?[:：]? ?(?={_PREFIX}\d{{3}})|{_LINK} ?[:：]? ?(?={_PREFIX}\d{{5}}))"
    rf"({_PREFIX}\d{{3,15}})(?![a-z\d]|[-./,]\d){_NOT_PAID}"
)

DEFAULT_ORDER_PATTERNS = (_SHAPE, _AFTER_A_WORD)
