import random

import pytest

from triage.normalize import cleaned, normalize
from triage.spelling import mended
from triage.words import LANGUAGES, UNKNOWN, lexicon, likeliest_language

MARKS = [
    ("toi muon doi tra cai ao nay vi giao nham size", "tôi muốn đổi trả cái áo này vì giao nhầm size"),
    ("the cua minh bi tru tien hai lan", "thẻ của mình bị trừ tiền hai lần"),
    ("Don hang TV-118402 giao tre 3 ngay roi", "Đơn hàng TV-118402 giao trễ 3 ngày rồi"),
    ("meu cartao nao funciona", "meu cartão não funciona"),
    ("Ma commande est arrivee cassee", "Ma commande est arrivée cassée"),
    ("el codigo no me llega al telefono", "el código no me llega al teléfono"),
]
LETTERS = [
    ("wher is my ordeer, i paied for expres delivery", "where is my order, i paid for express delivery"),
    ("Где мой закз? Оплатила вчреа, статус не меняетя", "Где мой заказ? Оплатила вчера, статус не меняется"),
    ("đơn hnàg của tôi chưa được gaio", "đơn hàng của tôi chưa được giao"),
    ("mi tarjeta no funcoina desde ayer", "mi tarjeta no funciona desde ayer"),
    ("meine Bestellnug ist nicht angekommen", "meine Bestellung ist nicht angekommen"),
    ("je veux annluer ma commande", "je veux annuler ma commande"),
    ("barang saya belum sampi juga", "barang saya belum sampai juga"),
    ("quero canclar meu pedido", "quero cancelar meu pedido"),
]
SPACES = [
    ("i paid twoweeks ago andnothing came", "i paid two weeks ago and nothing came"),
    ("Оплатилвчера, а заказотменили", "Оплатил вчера, а заказ отменили"),
    ("cho tôi hỏi đơnhàng đang ở đâu", "cho tôi hỏi đơn hàng đang ở đâu"),
    ("donhang cuatoi bigiao nham size, toimuon doi", "đơn hàng của tôi bị giao nhầm size, tôi muốn đổi"),
    ("mon colisn'est pas arrivé", "mon colis n'est pas arrivé"),
    ("saya maubatalkan pesanan", "saya mau batalkan pesanan"),
]


@pytest.mark.parametrize(("typed", "meant"), [*MARKS, *LETTERS, *SPACES])
def test_what_was_not_typed_or_slipped_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert normalize(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Đơn TV-620114 rời kho Bình Dương hôm mùng 8, shop hối bên giao giùm em",
        "Has my kettle left the warehouse yet or nah",
        "а когда отправите? оплатил вчера вечером, статус «принят»",
        "ลืมรหัสผ่านค่ะ ส่งลิงก์ใหม่ให้หน่อย",
        "亲，我周一拍的那双白色运动鞋怎么还是“待发货”啊？",
        "哈囉 剛剛下單TV-204518 請問大概什麼時候會寄出呢😊",
        "Ich heiße Wiebke Oltmanns und warte auf Paket 4711-X9",
        "write to maryem.okonqwo@torvela.example or www.torvela.exampel/retrun",
        "my friend Aoife Ní Dhomhnaill ordered it",
        "il mio ordine non è ancora arrivato, dove si trova?",
        "mijn bestelling is nog steeds niet aangekomen",
        "gdzie jest moja paczka? zamówienie z poniedziałku",
        "моє замовлення ще не прийшло, де воно зараз?",
        "siparişim hâlâ gelmedi, iade istiyorum",
        "XR-500 USB HDMI",
        "ok",
        "",
    ],
)
def test_what_was_meant_as_it_stands(text: str) -> None:
    assert mended(text) == text


def test_mixed_with_english_only_what_slipped_changes() -> None:
    assert normalize("shop ơi chekc giúp em đơnhàng, app bị lỗi") == "shop ơi check giúp em đơn hàng, app bị lỗi"


def test_a_desk_keeps_its_own_words() -> None:
    assert normalize("meu zenvio não chegou") == "meu envio não chegou"
    assert normalize("meu zenvio não chegou", {"zenvio"}) == "meu zenvio não chegou"
    assert normalize("quero canclar o zenvio", {"zenvio"}) == "quero cancelar o zenvio"


@pytest.mark.parametrize("between", ["zenvio", "a@b.example", "4711-x", "订单"])
def test_words_do_not_follow_each_other_across_what_is_left_alone(between: str) -> None:
    assert mended("toi muon hoi dia chi cua hang") == "tôi muốn hỏi địa chỉ cửa hàng"
    mixed = mended(f"toi muon hoi dia chi cua {between} hang", {"zenvio"})
    assert mixed == f"tôi muốn hỏi địa chỉ của {between} hàng"


def test_nonsense_stays_nonsense() -> None:
    assert mended("qwzx vbnmk plokj wsxedc rfvtgb") == "qwzx vbnmk plokj wsxedc rfvtgb"


KNOWN = {
    "en": ("order", "orderly", "заказ"),
    "vi": ("đơn", "bềnh", "заказ"),
    "ru": ("заказ", "заказник", "đơn"),
    "de": ("bestellung", "bestellwert", "заказ"),
    "es": ("pedido", "pedigrí", "bestellung"),
    "fr": ("commande", "commandeur", "đơn"),
    "id": ("pesanan", "pesantren", "заказ"),
    "pt": ("pedido", "pedinte", "đơn"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_each_language_are_known(language: str) -> None:
    words, (common, rarer, foreign) = lexicon(language), KNOWN[language]
    assert common in words
    assert words.log(common) > words.log(rarer) > UNKNOWN == words.log(foreign)
    assert words.knows(rarer)
    assert not words.knows(foreign)


def test_what_stands_before_decides_between_words() -> None:
    words = lexicon("vi")
    assert words.log_after("đơn", "hàng") > words.log_after("đơn", "hãng")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("toi muon huy don", "vi"),
        ("I want my money back", "en"),
        ("ich will mein Geld zurück", "de"),
        ("dove si trova il mio ordine", None),
        ("", None),
    ],
)
def test_the_language_of_a_few_words(text: str, language: str | None) -> None:
    assert likeliest_language(text.lower().split()) == language


def test_any_text_is_read() -> None:
    draw = random.Random(4)
    letters = "aàạbcçdđeéèfgğhiíjklmnñoöœpqrsßtuüưvwxyzżабвгдеёжзий'’-.,!? 0123456789\n@/#กขค我订單あ🙂\u0301"
    for _ in range(300):
        text = "".join(draw.choices(letters, k=draw.randrange(80)))
        assert isinstance(mended(cleaned(text)), str)


def test_a_word_without_end_and_many_unknown_ones() -> None:
    assert mended("a" * 5_000) == "a" * 5_000
    assert len(mended("bcdfgh " * 1_000)) == 7_000
