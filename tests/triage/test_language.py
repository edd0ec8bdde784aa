"""The detector through its public surface, on what customers write in the desk's languages."""

import gzip
import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from triage.language import LanguageDetector, ScriptFirstDetector
from triage.types import UNDETERMINED, DetectedLanguage

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
DESK = ("en", "vi", "th", "zh-Hans", "zh-Hant", "ru", "es", "pt", "fr", "de", "ja", "id")

MESSAGES = {
    "vi": [
        "shop ơi đơn TV-118402 đặt từ thứ hai mà chưa thấy giao ạ",
        "Tôi muốn đổi sang size L, còn hàng không?",
        "bị trừ tiền hai lần rồi mà app vẫn báo thanh toán thất bại 😭",
    ],
    "th": [
        "สั่งของไปตั้งแต่วันจันทร์ ยังไม่ได้รับเลยค่ะ TV-104233",
        "ขอเปลี่ยนไซซ์ได้ไหมครับ ใส่แล้วคับมาก",
        "โดนตัดเงินสองรอบ ช่วยเช็คให้หน่อย 🙏🙏",
    ],
    "zh-Hans": [
        "订单三天了还没发货，请尽快处理 TV-104233",
        "刚下单就后悔了，可以取消吗？",
        "耳机右边没声音，怎么申请保修",
    ],
    "zh-Hant": ["訂單三天了還沒出貨，請幫我查一下 TV-104233", "收到的吹風機是壞的，想換一台", "請問發票可以改抬頭嗎？"],
    "ru": [
        "Заказ TV-104233 так и не пришёл, где он?",
        "списали деньги дважды, верните пожалуйста",
        "чайник перестал греть через неделю, что делать",
    ],
    "en": [
        "my order TV-104233 still hasn't arrived, where is it?",
        "I was charged twice for the same headphones",
        "Could you send the invoice to my company please",
    ],
    "es": ["¿Dónde está mi pedido? Lo compré hace una semana", "quiero devolver los zapatos, me quedan pequeños"],
    "pt": ["Meu pedido ainda não chegou, podem verificar?", "minha encomenda nao chegou, o que eu faco agora"],
    "fr": ["Je n'ai toujours pas reçu mon colis, que faire ?", "je voudrais annuler ma commande s'il vous plaît"],
    "de": ["Meine Bestellung ist immer noch nicht angekommen", "Ich möchte die Schuhe zurückgeben, sie sind zu klein"],
    "ja": ["注文した商品がまだ届きません", "返品したいのですが、どうすればいいですか", "サイズ交換できますか?"],
    "id": ["Pesanan saya belum sampai, tolong dicek ya", "barangnya rusak waktu saya buka, bisa tukar?"],
}

UNACCENTED_VIETNAMESE = [
    "don hang cua toi bi giao nham size, toi muon doi",
    "khong dang nhap duoc",
    "bao gio co hang",
    "shop oi check don giup em voi",
    "minh dat hom thu ba ma chua thay gui",
    "hang loi roi doi tra sao day",
    "tien tru roi ma don van bao chua thanh toan",
    "Cho minh hoi ao nay con mau den khong",
    "sao goi hoai khong ai nghe may vay",
    "KHONG NHAN DUOC HANG",
    "doi dia chi giao hang giup minh nhe",
    "nhiều quá mà shop tra loi cham qua",
]


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return ScriptFirstDetector(DESK)


def codes(detector: LanguageDetector, texts: list[str]) -> list[str]:
    return [found.code for found in detector.detect(texts)]


@pytest.mark.parametrize("language", MESSAGES)
def test_every_language_of_the_desk_is_recognised(detector: LanguageDetector, language: str) -> None:
    found = detector.detect(MESSAGES[language])
    assert [each.code for each in found] == [language] * len(found)
    assert all(0.5 < each.confidence <= 1.0 for each in found)


def test_vietnamese_without_accents_is_vietnamese(detector: LanguageDetector) -> None:
    found = detector.detect(UNACCENTED_VIETNAMESE)
    assert [each.code for each in found] == ["vi"] * len(found)
    assert all(each.confidence > 0.8 for each in found)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the song I got on the app was too long, can you cut it", "en"),
        ("do not let them pay me, I may buy a hat then", "en"),
        ("barang kau kirim ke mana, uang saya sudah dipotong dua kali", "id"),
        ("el tren de la tarde no va a Santiago, que me dan", "es"),
        ("nao sei o que vai ser, tem mais em casa", "pt"),
        ("on ne sait pas si le bus est au coin", "fr"),
        ("man kann mich nach dem Essen an der Bar sehen", "de"),
        ("My order hasn't arrived, I'm Nguyễn Thị Hương", "en"),
        ("Mi chiamo… perdón, me llamo Đặng Văn Tú y mi pedido no llegó", "es"),
    ],
)
def test_short_words_of_other_languages_are_not_vietnamese(
    detector: LanguageDetector, text: str, language: str
) -> None:
    assert codes(detector, [text]) == [language]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我的訂單(dān)三天了還沒(méi)發貨", "zh-Hant"),
        ("请问(qǐng wèn)什么时候发货(fā huò)？", "zh-Hans"),
        ("我的iPhone收到的時候screen壞了,怎麼申請refund", "zh-Hant"),
        ("刚买的Sony WH-1000XM5 Wireless Headphones充不进电", "zh-Hans"),
        ("สินค้า order แล้วยังไม่ ship เลย check status ให้หน่อย", "th"),
        ("อยาก refund รองเท้า Nike Air Max 90", "th"),
        ("Заказ iPhone 15 Pro Max Silicone Case with MagSafe не пришел", "ru"),
        ("shop ơi email confirm order chưa gửi, check giúp mình với", "vi"),
        ("could you write 谢谢 on the gift card for my mother", "en"),
        ("ㄏㄏ 好", "zh-Hant"),
    ],
)
def test_foreign_words_do_not_outweigh_the_language_around_them(
    detector: LanguageDetector, text: str, language: str
) -> None:
    assert codes(detector, [text]) == [language]


@pytest.mark.parametrize("language", ["vi", "th", "zh-Hans", "zh-Hant", "ru", "en"])
@pytest.mark.parametrize(
    "noise",
    [
        "https://torvela.example/orders/where-is-my-order-please-tell-me?ref=mail",
        "nguyen.van.an.dat.hang@mail.example",
        "TV-104233 TV-104234 TV-104235 SKU-88AB-KETTLE-WHITE-2L",
        "www.torvela.com +84 90 123 45 67 38.5",
        "😭😭😭🙏",
    ],
)
def test_addresses_numbers_and_emoji_are_no_evidence(detector: LanguageDetector, language: str, noise: str) -> None:
    plain, noisy = detector.detect([MESSAGES[language][1], f"{noise} {MESSAGES[language][1]} {noise}"])
    assert noisy == plain


@pytest.mark.parametrize(
    "text",
    [
        "", "   \n\t ", "12345", "1 450 000", "555555", "TV-104233", "👍👍", "?!…", "\ud800", "\ud83d 12", "๑๒๓ ฿",
        "https://torvela.example/orders", "an@mail.example",
        "مرحبا أين طلبي", "שלום איפה ההזמנה שלי", "주문한 상품이 안 왔어요",
    ],
)  # fmt: skip
def test_without_evidence_for_a_language_of_the_desk_it_is_undetermined(detector: LanguageDetector, text: str) -> None:
    assert detector.detect([text]) == [DetectedLanguage(UNDETERMINED, 0.0)]


@pytest.mark.parametrize(
    "text", ["asdf qwer 12345", "sdkjfh skjdfh", "asdfghjkl", "dfgdfg dfg", "lkjasdf oiuwer", "zzzz"]
)
def test_mashed_keys_leave_the_detector_unsure(detector: LanguageDetector, text: str) -> None:
    assert detector.detect([text])[0].confidence < 0.5


def test_a_surrogate_inside_a_message_changes_nothing(detector: LanguageDetector) -> None:
    assert codes(detector, ["where is my \ud800 order, please check", "訂單\udfff還沒到"]) == ["en", "zh-Hant"]


def test_confidence_follows_the_evidence(detector: LanguageDetector) -> None:
    clear, mixed = detector.detect(["ยังไม่ได้รับของเลยค่ะ", "ขอ refund headphone ค่ะ"])
    assert clear.code == mixed.code == "th"
    assert clear.confidence > 0.95 > mixed.confidence

    long, short = detector.detect(["I would like to return these shoes because they are too small", "moment"])
    assert long.confidence > 0.95
    assert short.confidence < 0.6


def test_chinese_that_could_be_of_either_form_takes_the_one_named_first() -> None:
    for desk in (["zh-Hans", "zh-Hant"], ["zh-Hant", "zh-Hans"]):
        (found,) = ScriptFirstDetector(desk).detect(["你好"])
        assert found.code == desk[0]
        assert found.confidence <= 0.5


@pytest.mark.parametrize("only", ["zh", "zh-Hans", "zh-Hant"])
def test_a_desk_with_one_form_of_chinese_gets_that_one(only: str) -> None:
    assert codes(ScriptFirstDetector(["en", only]), ["訂單還沒出貨", "订单还没发货", "你好"]) == [only] * 3


def test_japanese_and_chinese_are_told_apart(detector: LanguageDetector) -> None:
    assert codes(detector, ["配送状況を教えて", "発送状況", "配送状况", "優の良品旗艦店還沒出貨"]) == [
        "ja",
        "ja",
        "zh-Hans",
        "zh-Hant",
    ]
    assert codes(ScriptFirstDetector(["ja", "en"]), ["返品希望"]) == ["ja"]
    assert codes(ScriptFirstDetector(["zh-Hant", "en"]), ["まだ届きません"]) == [UNDETERMINED]


def test_right_to_left_and_other_scripts_are_supported_where_a_desk_has_them() -> None:
    wide = ScriptFirstDetector(["en", "ar", "he", "ko", "hi", "el"])
    texts = [
        "مرحبا أين طلبي",
        "שלום איפה ההזמנה שלי",
        "주문한 상품이 안 왔어요 ㅠㅠ",
        "मेरा ऑर्डर कहाँ है",
        "πού είναι η παραγγελία μου",
    ]
    assert codes(wide, texts) == ["ar", "he", "ko", "hi", "el"]


def test_languages_that_share_another_script_are_told_apart() -> None:
    slavic = ScriptFirstDetector(["ru", "uk", "en"])
    assert codes(slavic, ["где мой заказ, я жду уже неделю", "де моє замовлення, я чекаю вже тиждень"]) == ["ru", "uk"]


def test_a_russian_desk_is_less_sure_of_ukrainian(detector: LanguageDetector) -> None:
    russian, ukrainian = detector.detect(["где мой заказ", "де моє замовлення"])
    assert russian.code == ukrainian.code == "ru"
    assert ukrainian.confidence <= 0.5 < russian.confidence


def test_a_desk_with_one_latin_language() -> None:
    thai_english = ScriptFirstDetector(["th", "en"])
    assert codes(thai_english, ["where is my order", "ของยังไม่มา"]) == ["en", "th"]
    thai_vietnamese = ScriptFirstDetector(["th", "vi"])
    assert codes(thai_vietnamese, ["đơn hàng đâu rồi", "don hang dau roi", "where is my order"]) == [
        "vi",
        "vi",
        UNDETERMINED,
    ]


def test_decomposed_accents_are_the_same_text(detector: LanguageDetector) -> None:
    composed, decomposed = detector.detect(["đơn hàng chưa tới", "đơn hàng chưa tới"])
    assert composed == decomposed == DetectedLanguage("vi", composed.confidence)


def test_long_messages_are_read_at_both_ends(detector: LanguageDetector) -> None:
    mail = "Xin chào, tôi viết về đơn hàng của mình. " * 400 + "Mong shop phản hồi sớm, cảm ơn nhiều."
    assert codes(detector, [mail]) == ["vi"]


def test_order_and_company_do_not_change_a_result(detector: LanguageDetector) -> None:
    texts = (
        [text for language in MESSAGES.values() for text in language] + UNACCENTED_VIETNAMESE + ["ok thx", "hi", "test"]
    )
    once = dict(zip(texts, detector.detect(texts), strict=True))
    shuffled = random.Random(7).sample(texts, len(texts))
    assert dict(zip(shuffled, detector.detect(shuffled), strict=True)) == once
    assert {text: detector.detect([text])[0] for text in texts} == once
    fresh = ScriptFirstDetector(DESK)
    assert dict(zip(texts, fresh.detect(texts), strict=True)) == once


def test_many_threads_may_share_a_detector(detector: LanguageDetector) -> None:
    texts = [text for language in MESSAGES.values() for text in language] + ["where is my order", "ok thx bye now"]
    expected = detector.detect(texts)
    with ThreadPoolExecutor(8) as threads:
        assert all(found == expected for found in threads.map(detector.detect, [texts] * 24))


def run_elsewhere(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_texts_that_their_script_decides_load_no_statistics() -> None:
    program = f"""
import sys
from triage.language import ScriptFirstDetector
texts = ["ของยังไม่มาเลยค่ะ", "訂單還沒出貨", "где мой заказ", "đơn hàng đâu rồi shop", "12345"]
print([found.code for found in ScriptFirstDetector({DESK!r}).detect(texts)])
print(sorted({{"lingua", "langdetect"}} & set(sys.modules)))
"""
    assert run_elsewhere(program).splitlines() == ["['th', 'zh-Hant', 'ru', 'vi', 'und']", "[]"]


@pytest.mark.slow
def test_another_process_gives_the_same_result(detector: LanguageDetector) -> None:
    texts = [
        "where is my order",
        "play it for me once more",
        "donde esta el paquete",
        "ok thx",
        "kapan barang sampai ya",
    ]
    program = f"""
from triage.language import ScriptFirstDetector
print([(found.code, found.confidence) for found in ScriptFirstDetector({DESK!r}).detect({texts!r})])
"""
    assert run_elsewhere(program) == str([(found.code, found.confidence) for found in detector.detect(texts)])


@pytest.mark.parametrize("unknown", ["xx", "zh-TW", "en-US", "EN", ""])
def test_an_unknown_language_is_refused_by_name(unknown: str) -> None:
    with pytest.raises(ValueError, match=rf"'{unknown}' is not supported. Use some of: .*zh-Hans, zh-Hant"):
        ScriptFirstDetector(["en", unknown])


def test_a_desk_needs_languages_that_do_not_overlap() -> None:
    with pytest.raises(ValueError, match="at least one language"):
        ScriptFirstDetector([])
    with pytest.raises(ValueError, match="Use zh alone, or zh-Hans and zh-Hant"):
        ScriptFirstDetector(["zh", "zh-Hant"])


def test_every_language_of_lingua_can_be_configured() -> None:
    from lingua import Language

    for language in Language.all():
        code = language.iso_code_639_1.name.lower()
        (found,) = ScriptFirstDetector([code]).detect(["Torvela 104233?"])
        assert found.code in (code, UNDETERMINED)


@pytest.mark.parametrize("language", ["en", "id", "es", "pt", "fr", "de"])
def test_public_sentences_of_other_languages_are_not_taken_for_vietnamese(
    detector: LanguageDetector, language: str
) -> None:
    path = DATA / "langid" / "sentences.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in list(lines)[1::2]]
    found = codes(detector, [row["text"] for row in rows if row["language"] == language])
    assert len(found) == 100
    assert found.count("vi") <= 1
    assert found.count(language) >= 97
