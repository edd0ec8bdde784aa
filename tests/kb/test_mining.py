"""What stays of a reply when the people in it are taken out, and which replies are one."""

from collections import Counter

import numpy as np
import pytest

from kb.conversations import Conversation, Sender, Turn, read_conversations
from kb.mining import Exchange, Read, Said, Slot, exchanges, masked, mine
from kb.names import without_names
from models.light import LightEncoder
from tests.conversations import FILE, PERSONAL, rows

ADDRESSED = rows("addressed.jsonl")
LANGUAGES = sorted(PERSONAL)


def _nothing(_text: str) -> list[Slot]:
    return []


def _said(conversation: str, text: str, language: str = "en", request: str = "Where is my refund?") -> Said:
    vector = LightEncoder().encode([text])[0]
    asked = Read(request, language, vector, 0.0, {"refund.status": 0.9})
    return Said(conversation, asked, Read(text, language, vector, 0.0, {"refund.status": 0.8}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_that_address_words_show_are_gone(language: str) -> None:
    shaped = [row for row in ADDRESSED if row["language"] == language and "held_out" not in row]
    missed = [row["reply"] for row in shaped if row["name"] in without_names(row["reply"])]
    # The last of each list names somebody in passing.
    assert missed in ([], [shaped[-1]["reply"]])


def test_names_that_the_patterns_were_not_written_for() -> None:
    """Docs quote these figures. The second is what a candidate keeps, since other conversations lack the name."""
    others = [row for row in ADDRESSED if "held_out" in row]
    by_words = [without_names(row["reply"]) for row in others]
    in_groups = [mine([_said("1", text)], min_count=1)[0].text for text in by_words]
    left = Counter(row["language"] for row, text in zip(others, in_groups, strict=True) if row["name"] in text)
    assert sum(row["name"] in text for row, text in zip(others, by_words, strict=True)) <= 11
    assert left == {"en": 1, "vi": 1, "zh-Hans": 1, "zh-Hant": 1}


@pytest.mark.parametrize(
    "text",
    [
        "You can return it within 30 days.\nJust open My orders.",
        "Вернуть товар можно в течение 30 дней.",
        "คุณสามารถคืนสินค้าได้ภายใน 30 วันค่ะ",
        "Anh vào mục Đơn hàng chọn Trả hàng giúp em ạ.",
        "我们的客服会在24小时内联系您。",
        "吊牌請保留，30天內都可以退。",
    ],
)
def test_what_names_nobody_stays_as_it_is(text: str) -> None:
    assert masked(text, _nothing) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The refund went to card 4539 1488 0343 6467 today.", "The refund went to card {{card_number}} today."),
        ("Деньги вернутся на карту **** 4242.", "Деньги вернутся на карту {{card_number}}."),
        ("Mã vận đơn là SPXVN0412345 ạ.", "Mã vận đơn là {{reference}} ạ."),
        ("您的会员号是 12345678，请登录。", None),
        ("กรุณาติดต่อ 02 123 45 67 ค่ะ", None),
        ("Write to anna@localhost and we will see.", None),
    ],
)
def test_numbers_of_one_customer_leave_or_take_the_reply_with_them(text: str, left: str | None) -> None:
    assert masked(text, _nothing) == left


def test_names_that_the_helpdesk_says_are_taken_out_anywhere() -> None:
    text = "ทางร้านโอนคืนให้สมใจเรียบร้อยแล้ว ถ้ามีปัญหาแจ้งเก่งได้เลยค่ะ"
    found = masked(text, _nothing, ("สมใจ", "เก่ง"))
    assert found is not None
    assert "สมใจ" not in found
    assert "เก่ง" not in found


def test_only_resolved_conversations_and_only_answers_are_taken() -> None:
    found = [one for conversation in read_conversations([FILE]).conversations for one in exchanges(conversation)]
    assert {one.conversation[-1] for one in found} == {"1", "2", "3", "4"}
    unasked = Conversation("x", True, (Turn(Sender.AGENT, "Your parcel is on its way."),))
    assert list(exchanges(unasked)) == []


def test_a_turn_too_short_to_be_a_request_takes_the_one_before_along() -> None:
    turns = [
        Turn(Sender.CUSTOMER, "заказ не пришёл, обещали ещё в прошлую пятницу, где он"),
        Turn(Sender.AGENT, "Подскажите номер заказа"),
        Turn(Sender.CUSTOMER, "TV-1"),
        Turn(Sender.AGENT, "Посылка на складе"),
    ]
    first, second = exchanges(Conversation("x", True, tuple(turns)))
    assert first == Exchange("x", turns[0].text, ("Подскажите номер заказа",))
    assert second.request == f"{turns[0].text}\nTV-1"


REPLY = "Once we have your return, the money goes back to your card within 5 to 7 working days."


def test_a_reply_of_one_conversation_is_no_candidate_however_often_it_is_said() -> None:
    assert mine([_said("1", REPLY), _said("1", REPLY, request="And now?")]) == []
    (found,) = mine([_said("1", REPLY), _said("2", REPLY)])
    assert (found.text, len(found.said), found.intents) == (REPLY, 2, {"refund.status": 0.9})


def test_what_only_one_conversation_says_is_a_detail_of_it() -> None:
    told = (
        "We refunded the order to the account of Miriam Adeyemi at branch 4711 with code QX77AB. Please check it there."
    )
    (found,) = mine([_said("1", told), _said("2", told.replace("Miriam Adeyemi", "Piotr Zielinski"))])
    assert "Adeyemi" not in found.text
    assert "Zielinski" not in found.text
    assert "4711" in found.text  # both say it
    (found,) = mine([_said("1", told), _said("2", told.replace("4711", "4712").replace("QX77AB", "QX78AC"))])
    assert "471" not in found.text
    assert "QX7" not in found.text
    assert "{{number}} with code {{reference}}" in found.text


def test_the_order_of_conversations_makes_no_difference() -> None:
    said = [_said(str(number), f"{REPLY} {'Have a nice day. ' * (number % 3)}".strip()) for number in range(9)]
    said += [_said(str(number), "Die Rückgabe ist kostenlos.", "de") for number in range(3)]
    assert [one.text for one in mine(said)] == [one.text for one in mine(said[::-1])]
    assert {one.language for one in mine(said)} == {"en", "de"}


def test_replies_of_two_languages_are_never_one() -> None:
    found = mine([_said("1", REPLY), _said("2", REPLY), _said("3", REPLY, "de"), _said("4", REPLY, "de")])
    assert sorted(one.language for one in found) == ["de", "en"]
    assert found[0].id != found[1].id
    assert all(np.isclose(np.linalg.norm(one.said[0].reply.vector), 1) for one in found)
