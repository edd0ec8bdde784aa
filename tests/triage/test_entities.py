import itertools
import time
import unicodedata

import pytest

from triage.entities import MAX_SCANNED, EntityConfig, EntityFinder
from triage.types import EntityType

FINDER = EntityFinder()


def found(text: str) -> list[tuple[str, str]]:
    entities = FINDER.find(text)
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    assert all(left.end <= right.start for left, right in itertools.pairwise(entities))
    return [(entity.type.value, entity.text) for entity in entities]


def only(kind: EntityType, text: str) -> list[str]:
    return [value for name, value in found(text) if name == kind]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("đơn TV-104233 của em đâu", "TV-104233"),
        ("tv-112036 any news", "tv-112036"),
        ("re A-1042", "A-1042"),
        ("剛剛下單TV-204518請問", "TV-204518"),
        ("order no. 123456 is late", "123456"),
        ("Order #1042?", "1042"),
        ("đơn hàng số 123456 chưa tới", "123456"),
        ("mã đơn 123456 nhé", "123456"),
        ("don hang so 123456", "123456"),
        ("หมายเลขคำสั่งซื้อ 123456 ค่ะ", "123456"),
        ("ออเดอร์ 123456 ถึงไหน", "123456"),
        ("订单号 123456，请查", "123456"),
        ("訂單編號：123456", "123456"),
        ("заказ № 123456 не пришёл", "123456"),
        ("заказ ТВ-104233", "ТВ-104233"),
    ],
)
def test_order_numbers(text: str, number: str) -> None:
    assert found(text) == [("order_number", number)]


@pytest.mark.parametrize(
    "text",
    [
        "COVID-19",
        "รหัส E-3041",
        "错误代码 E-207",
        "工单号88213",
        "top-100 products",
        "hóa đơn 0312345",
        "заказ 3500 штук",
    ],
)
def test_other_numbers_are_no_order_numbers(text: str) -> None:
    assert only(EntityType.ORDER_NUMBER, text) == []


@pytest.mark.parametrize(
    "amount",
    [
        "250.000đ",
        "1,1tr",
        "1tr2",
        "599฿",
        "฿1,290",
        "NT$1,000",
        "HK$1,196",
        "1000元",
        "198块",
        "¥230",
        "£25.50",
        "$12",
        "€112.40",
        "₹3,899",
        "200.-",
        "1,5 triệu",
        "1.450.000 ₫",
        "50 ngàn",
        "599 บาท",
        "3 000 ₽",
        "2990 руб.",
        "11 340 тенге",
        "12 USD",
        "30 euros",
        "Rs. 4,299",
        "USD 2,500,000.00",
        "86,20 €",
        "12 тысяч рублей",
    ],
)
def test_amounts(amount: str) -> None:
    assert found(f"({amount})") == [("amount", amount)]


def test_thousands_are_money_to_vietnamese_only() -> None:
    assert found("phí ship 250k nhé") == [("amount", "250k")]
    assert found("bi tru 590k lien minh oi") == [("amount", "590k")]
    assert found("we have 250k followers") == []


@pytest.mark.parametrize(
    "text", ["3 đôi giày", "3块蛋糕", "1,240點", "size 41", "220V", "ลดลง 6 จุด", "4 кг", "15 minutes"]
)
def test_numbers_alone_are_no_amounts(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "date",
    [
        "12/11",
        "3.11.2026",
        "2026-11-03",
        "3 tháng 11",
        "ngày 12/11",
        "ngày 2 tháng 5",
        "thứ Sáu này",
        "ngày mai",
        "hôm qua",
        "5 พ.ย.",
        "วันที่ 3 ตุลาคม 2568",
        "วันเสาร์นี้",
        "พรุ่งนี้",
        "เมื่อวานซืน",
        "วันอาทิตย์ที่ 24 พฤศจิกายน",
        "12–18 เมษายน",
        "11月9日",
        "2026年11月3日",
        "下周三",
        "下個禮拜四",
        "明天",
        "大後天",
        "今晚",
        "3 ноября",
        "8–10 ноября",
        "в пятницу",
        "во вторник",
        "завтра",
        "позавчера",
        "субботу",
        "16-го числа",
        "March 3rd",
        "3 Nov 2026",
        "Friday, 6 November",
        "this Saturday",
        "tomorrow",
        "the day after tomorrow",
        "Tues",
    ],
)
def test_dates(date: str) -> None:
    assert found(f"({date})") == [("date", date)]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("it is 6 June. Today", "6 June"),
        ("placed on the 4th for a navy suit", "4th"),
        ("Дата: 21.10", "21.10"),
        ("Сегодня 28-е. Последний", "28-е"),
        ("仓库11号就签收了", "11号"),
        ("明明3月3日寄的", "3月3日"),
        ("hôm 3/4 đặt", "3/4"),
        ("hen em thu 7 nay nhe", "thu 7 nay"),
    ],
)
def test_dates_that_need_their_context(text: str, date: str) -> None:
    assert date in only(EntityType.DATE, text)


@pytest.mark.parametrize(
    "text",
    [
        "24/7",
        "ให้ 9/10",
        "half is 1/2",
        "смены 2/2",
        "1.7 litre",
        "47/3 đường số 8",
        "12 tháng 1 đổi 1",
        "lần thứ hai",
        "两周一次",
        "这周天气怎么样",
        "地铁2号线",
        "福星路18號",
        "30日内",
        "чёрной пятницы",
        "с 1-го раза",
        "Black Friday",
        "his 5th order",
        "they may 3 times",
        "อาทิตย์หน้า",
        "เสาร์อาทิตย์",
        "thử 3 lần",
        "一個禮拜三四通",
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    assert only(EntityType.DATE, text) == []


@pytest.mark.parametrize(
    "phone",
    [
        "+84 912 345 678",
        "0912 345 678",
        "081-234-5678",
        "8 (912) 345-67-89",
        "0912-345-678",
        "138 1234 5678",
        "+7 900 000-14-27",
        "(02)5550-0142",
        "0900-310-662",
        "212-555-0123",
        "๐๘๑-๒๓๔-๕๖๗๘",
        "０９１２３４５６７８",
    ],
)
def test_phones(phone: str) -> None:
    assert found(f"({phone})") == [("phone", phone)]


def test_eight_digits_are_a_phone_only_where_a_word_says_so() -> None:
    assert found("請打電話 9123 4567") == [("phone", "9123 4567")]
    assert found("卡號 9123 4567") == []


@pytest.mark.parametrize(
    "text", ["MST: 0401999876", "ИНН 7800000015", "税号 91320500123456", "QQ 100020003000", "12 345 678 ₫"]
)
def test_other_long_numbers_are_no_phones(text: str) -> None:
    assert only(EntityType.PHONE, text) == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("xem https://torvela.example/a?b=1. Cảm ơn", "https://torvela.example/a?b=1"),
        ("(see https://en.example.org/A_(b))", "https://en.example.org/A_(b)"),
        ("看www.torvela.cn退货说明", "www.torvela.cn"),
        ("เว็บ torvela.co.thดูแล้ว", "torvela.co.th"),
        ("пишите на t.me/torvela!", "t.me/torvela"),
        ("網址torvela-gift.example，小心", "torvela-gift.example"),
    ],
)
def test_urls(text: str, url: str) -> None:
    assert found(text) == [("url", url)]


def test_a_missing_space_is_no_url() -> None:
    assert found("hàng lỗi.shop ơi") == []
    assert found("please help.me") == []


@pytest.mark.parametrize(
    "text",
    ["email thanawat.r@mail.example.", "帳號:thanawat.r@mail.example(公司)", "почта thanawat.r@mail.example, жду"],
)
def test_emails(text: str) -> None:
    assert found(text) == [("email", "thanawat.r@mail.example")]


def test_precedence() -> None:
    assert found("https://maps.example/@13.7,100.5?on=2026-11-03")[0][0] == "url"
    assert found("tv-104233@mail.example") == [("email", "tv-104233@mail.example")]
    assert found("12/11 300 руб.") == [("date", "12/11"), ("amount", "300 руб.")]
    assert found("заказ 89123456789, тел. 8 912 345-67-89") == [
        ("order_number", "89123456789"),
        ("phone", "8 912 345-67-89"),
    ]


def test_decomposed_text_keeps_its_own_offsets() -> None:
    text = unicodedata.normalize("NFD", "Đơn TV-104233: ngày mai giao, 250.000đ")
    assert [value for _, value in found(text)] == [
        unicodedata.normalize("NFD", value) for value in ("TV-104233", "ngày mai", "250.000đ")
    ]


def test_a_desk_names_its_own_order_numbers() -> None:
    finder = EntityFinder(EntityConfig(order_patterns=(r"\bINV\d{4}\b", r"ref (\w+)")))
    assert [e.text for e in finder.find("inv1234, ref AB12, ref none, TV-104233")] == ["inv1234", "AB12"]


def test_a_bad_configuration_is_named() -> None:
    with pytest.raises(ValueError, match=r"'\(unclosed' is not a regular expression"):
        EntityFinder(EntityConfig(order_patterns=("(unclosed",)))
    with pytest.raises(ValueError, match="'XX'"):
        EntityFinder(EntityConfig(regions=("VN", "XX")))


def test_only_the_beginning_of_a_long_text_is_scanned() -> None:
    assert found("x" * MAX_SCANNED + " TV-104233") == []


@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "111 ",
        "1k ",
        "0912345678 ",
        "a.a.",
        "a@a.",
        "TV-1",
        "order no ",
        "3 tháng 1 ",
        "周",
        "12/11",
        "http://",
        "((1",
        "\u0301",
    ],
)
def test_hostile_texts_take_less_than_a_second(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    found(text)
    assert time.perf_counter() - begun < 1
