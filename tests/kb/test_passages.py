"""Articles cut into passages: nothing is lost, nothing is too long, and a cut comes where a sentence ends."""

import re

import pytest

from kb.passages import MAX_CHARACTERS, cut
from kb.types import Article, Audience

SENTENCES = {
    "en": "You can return an item within 30 days, as long as the label is still on. ",
    "vi": "Bạn có thể trả hàng trong vòng 30 ngày, miễn là sản phẩm còn nguyên tem mác! ",
    "ru": "Вернуть товар можно в течение 30 дней, если бирка осталась на месте. ",
    # A space is all that ends a sentence in Thai.
    "th": "คืนสินค้าได้ภายในสามสิบวันนับจากวันที่ได้รับของโดยป้ายสินค้าต้องยังอยู่ครบถ้วน ",
    "zh-Hans": "收到商品后30天内都可以申请退货，吊牌需要保持完好，运费由我们承担。",
    "zh-Hant": "收到商品後30天內都可以申請退貨，吊牌需要保持完好，運費由我們負擔。",
}


def article(body: str, language: str = "en") -> Article:
    return Article("returns", language, "Returns", body)


def letters(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_each_section_is_a_passage_under_its_heading() -> None:
    body = 'ส่งคืนได้ภายใน 30 วัน\n\n## ขั้นตอน\n\n1. เปิดหน้าออเดอร์\n2. กด "คืนสินค้า"\n\n## ของที่ไม่รับคืน ##\nชุดชั้นใน'
    passages = cut(Article("returns-th", "th", "คืนสินค้า", body, Audience.INTERNAL))
    assert [(p.id, p.heading, p.text) for p in passages] == [
        ("returns-th#0", "", "ส่งคืนได้ภายใน 30 วัน"),
        ("returns-th#1", "ขั้นตอน", '1. เปิดหน้าออเดอร์\n2. กด "คืนสินค้า"'),
        ("returns-th#2", "ของที่ไม่รับคืน", "ชุดชั้นใน"),
    ]
    assert {(p.article_id, p.language, p.title, p.audience) for p in passages} == {
        ("returns-th", "th", "คืนสินค้า", Audience.INTERNAL)
    }


def test_title_and_heading_are_indexed_and_not_quoted() -> None:
    first, second = cut(article("Within 30 days.\n# How\nOn the order page."))
    assert first.indexed == "Returns\nWithin 30 days."
    assert second.indexed == "Returns – How\nOn the order page."
    assert second.text == "On the order page."


@pytest.mark.parametrize("language", SENTENCES)
def test_a_long_section_is_cut_where_sentences_end(language: str) -> None:
    sentence = SENTENCES[language]
    passages = cut(article("## Rules\n" + sentence * 50, language))
    for passage in passages:
        whole = len(letters(passage.text)) // len(letters(sentence))
        assert passage.text == (sentence * whole).strip()
        assert passage.heading == "Rules"
    assert all(len(passage.text) + len(sentence) > MAX_CHARACTERS for passage in passages[:-1])
    assert len(passages) > 2


@pytest.mark.parametrize("language", SENTENCES)
def test_the_limit_holds_and_nothing_is_lost(language: str) -> None:
    sentence = SENTENCES[language]
    paragraphs = [sentence * 3, f"- {sentence}\n- {sentence}", sentence * 25, sentence.replace(" ", "") * 25, sentence]
    body = "\n\n".join(paragraphs)
    passages = cut(article(body, language))
    assert all(0 < len(passage.text) <= MAX_CHARACTERS for passage in passages)
    assert letters("".join(passage.text for passage in passages)) == letters(body)


def test_paragraphs_that_fit_stay_whole() -> None:
    paragraphs = [f"{number}. " + "По правилам магазина. " * 18 for number in range(5)]
    passages = cut(article("\n\n".join(paragraphs), "ru"))
    assert [passage.text for passage in passages] == [paragraph.strip() for paragraph in paragraphs]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    sentence = "客服會說：「請在30天內把商品寄回來，我們收到後就會退款給您。」"
    for passage in cut(article(sentence * 40, "zh-Hant")):
        assert passage.text.startswith("客服")
        assert passage.text.endswith("」")


def test_parts_keep_their_lines() -> None:
    rows = [f"- {number} дней на возврат, если бирка на месте" for number in range(40)]
    passages = cut(article("\n".join(rows), "ru"))
    assert [row for passage in passages for row in passage.text.splitlines()] == rows


@pytest.mark.parametrize("body", ["", "\n \n", "## Only a heading\n"])
def test_an_article_without_text_has_no_passages(body: str) -> None:
    assert cut(article(body)) == []
