"""Sentences with a slot changed are found in every script; what people write alike in their own words is not."""

import pytest

from training.slots import slot_families

TEMPLATES = {
    "vi": [f"Shop ơi cho mình hỏi {what} của mình bao giờ giao tới vậy" for what in ("đôi giày", "cái ấm", "tai nghe")],
    "th": [f"สั่ง{what}ไปตั้งแต่วันจันทร์ยังไม่ได้เลยค่ะ" for what in ("หม้อ", "เสื้อ", "ถุง")],
    "zh-Hans": [f"请问我上周买的{what}什么时候能到啊" for what in ("鞋子", "耳机", "水壶")],
    "zh-Hant": [f"請問我上週買的{what}什麼時候會到呢" for what in ("鞋子", "耳機", "水壺")],
    "ru": [f"Когда наконец приедет мой заказ на {what} из магазина" for what in ("чайник", "куртку", "две сумки")],
    "en": [f"Could you tell me when my {what} will be here" for what in ("kettle", "new shoes", "bag")],
}  # fmt: skip
NATURAL = [
    "Shop ơi bao giờ đôi giày mình đặt mới tới", "Cho hỏi cái ấm đặt tuần trước đâu rồi", "tai nghe chưa thấy giao",
    "หม้อที่สั่งยังไม่มาเลย", "เสื้อจะถึงวันไหนคะ", "我的鞋到哪了", "耳机怎么还没到", "鞋子寄到哪裡了", "耳機還沒收到",
    "где чайник", "Куртку жду вторую неделю", "when's my kettle coming", "no sign of the shoes yet", "ok", "ok", "ok",
]  # fmt: skip


@pytest.mark.parametrize("language", TEMPLATES)
def test_one_sentence_with_a_slot_changed_is_a_family(language: str) -> None:
    rows = [*NATURAL, *TEMPLATES[language]]
    assert slot_families(rows) == [[len(NATURAL), len(NATURAL) + 1, len(NATURAL) + 2]]


def test_own_words_are_no_family_and_two_alike_happen() -> None:
    assert slot_families(NATURAL) == []
    assert slot_families(TEMPLATES["en"][:2]) == []


def test_a_row_stands_in_one_family_and_the_largest_comes_first() -> None:
    rows = [*TEMPLATES["en"], *TEMPLATES["ru"], "Could you tell me when my parcel will be here"]
    assert slot_families(rows) == [[0, 1, 2, 6], [3, 4, 5]]
