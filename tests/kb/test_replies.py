"""Replies for an agent: what is filled in, what comes first, and what must never show."""

from pathlib import Path

import pytest

from kb.replies import Source, fill, notes, suggest
from kb.search import KnowledgeBase
from kb.types import Article, Audience, Macro
from tests.kb.samples import LANGUAGES, RETURN_QUESTIONS, help_centre, knowledge, question

RETURN = {"return.request": 0.9, "refund.status": 0.06, "order.status": 0.04}
GREETINGS = {
    "vi": "Chào {{customer_name}}, đơn {{order_number}} được đổi trả hàng trong 30 ngày ạ.",
    "th": "สวัสดีค่ะคุณ{{customer_name}} ออเดอร์ {{order_number}} คืนได้ภายใน 30 วันนะคะ",
    "zh-Hans": "{{customer_name}}您好，订单{{order_number}}在30天内可以退货。",
    "zh-Hant": "{{customer_name}}您好，訂單{{order_number}}在30天內可以退貨。",
    "ru": "Здравствуйте, {{customer_name}}! Заказ {{order_number}} можно вернуть за 30 дней.",
    "en": "Hello {{customer_name}}, you can return order {{order_number}} within 30 days.",
}
MACROS = [Macro(f"{code.lower()}-return", "Return", code, ("return.request",), GREETINGS[code]) for code in LANGUAGES]
LATE = Macro("en-late", "Late", "en", ("delivery.not_received",), "Sorry that the parcel is late.")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return knowledge(tmp_path_factory.mktemp("kb"), help_centre(), [*MACROS, LATE])


def test_known_placeholders_are_filled_and_the_others_stay_open() -> None:
    text = "Chào {{customer_name}}, đơn {{order_number}} của {{ customer_name }}. {{agent_name}}, {{agent_name}}"
    assert fill(text, {"customer_name": " Chị Hương ", "unused": "x"}) == (
        "Chào Chị Hương, đơn {{order_number}} của Chị Hương. {{agent_name}}, {{agent_name}}",
        ("order_number", "agent_name"),
    )


@pytest.mark.parametrize("value", ["", "   ", "\n"])
def test_a_value_without_text_leaves_its_placeholder_open(value: str) -> None:
    assert fill("ถึงคุณ{{customer_name}}", {"customer_name": value}) == ("ถึงคุณ{{customer_name}}", ("customer_name",))


@pytest.mark.parametrize(
    ("text", "filled", "still_open"),
    [
        ("{{  order_number\t}}", "TV-104233", ()),
        ("Здравствуйте, {{ имя }}!", "Здравствуйте, {{имя}}!", ("имя",)),
        ("{{ticket.requester.name}} {{first-name}}", "{{ticket.requester.name}} {{first-name}}",
         ("ticket.requester.name", "first-name")),
        ("{{{order_number}}}", "{TV-104233}", ()),
        ("{{}} {order_number} {{ }}", "{{}} {order_number} {{ }}", ()),
        ("没有占位符", "没有占位符", ()),
    ],
)  # fmt: skip
def test_every_kind_of_placeholder(text: str, filled: str, still_open: tuple[str, ...]) -> None:
    assert fill(text, {"order_number": "TV-104233"}) == (filled, still_open)


def test_a_value_is_put_in_as_it_is() -> None:
    r"""What a customer calls himself can neither open another placeholder nor speak to `re.sub`."""
    values = {"customer_name": r"{{agent_name}} \1 \g<0>", "agent_name": "Nok"}
    assert fill("{{customer_name}} / {{agent_name}}", values) == (r"{{agent_name}} \1 \g<0> / Nok", ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_best_reply_is_for_the_intent_and_in_the_language(base: KnowledgeBase, language: str) -> None:
    asked = question(RETURN_QUESTIONS[language], language, RETURN)
    replies = suggest(base, asked, values={"order_number": "TV-104233"}, limit=20)
    macros = [reply for reply in replies if reply.source is Source.MACRO]
    assert macros[0].source_id == f"{language.lower()}-return"
    assert macros[0].language == language
    assert "TV-104233" in macros[0].text
    assert macros[0].open_placeholders == ("customer_name",)
    assert "en-late" not in {reply.source_id for reply in replies}
    first = next(reply for reply in replies if reply.source is Source.ARTICLE)
    assert (first.source_id, first.open_placeholders) == (f"returns-{language.lower()}", ())
    assert [reply.confidence for reply in replies] == sorted((r.confidence for r in replies), reverse=True)


def test_the_other_form_of_chinese_is_the_second_choice(base: KnowledgeBase) -> None:
    asked = question(RETURN_QUESTIONS["zh-Hant"], "zh-Hant", RETURN)
    macros = [r.language for r in suggest(base, asked, values={}, limit=20) if r.source is Source.MACRO]
    assert macros[:2] == ["zh-Hant", "zh-Hans"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_of_an_internal_article_never_shows(tmp_path: Path, language: str) -> None:
    secret = "Sign of fraud: the third claim in a year."
    title = RETURN_QUESTIONS[language]
    internal = Article("fraud", language, title, f"{title} {secret}", Audience.INTERNAL)
    base = knowledge(tmp_path, [*help_centre(), internal], MACROS)
    replies = suggest(base, question(title, language, RETURN), values={}, limit=50)
    assert any(reply.source is Source.ARTICLE for reply in replies)
    assert not [reply for reply in replies if secret in reply.text or reply.source_id == internal.id]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_no_more_replies_than_asked_for(base: KnowledgeBase, limit: int) -> None:
    asked = question(RETURN_QUESTIONS["ru"], "ru", RETURN)
    replies = suggest(base, asked, values={}, limit=limit)
    assert replies == suggest(base, asked, values={}, limit=20)[:limit]
    assert len(replies) == limit


def test_other_languages_show_only_where_the_customers_has_nothing_good(base: KnowledgeBase, tmp_path: Path) -> None:
    asked = question(RETURN_QUESTIONS["th"], "th", RETURN)
    assert {reply.language for reply in suggest(base, asked, values={}, limit=20)} == {"th"}
    foreign = knowledge(tmp_path, [a for a in help_centre() if a.language == "vi"], [MACROS[-1]])
    assert {reply.language for reply in suggest(foreign, asked, values={}, limit=20)} == {"vi", "en"}


def test_a_macro_for_other_intents_is_not_suggested(base: KnowledgeBase) -> None:
    unrelated = question("ไม่เกี่ยวกับร้าน", "th", {"other.out_of_scope": 1.0})
    assert not [r for r in suggest(base, unrelated, values={}, limit=20) if r.source is Source.MACRO]


@pytest.mark.parametrize("language", LANGUAGES)
def test_internal_articles_are_notes_and_no_replies(tmp_path: Path, language: str) -> None:
    rule = Article("rule", language, RETURN_QUESTIONS[language], "≤ 300", Audience.INTERNAL)
    base = knowledge(tmp_path, [*help_centre(), rule])
    asked = question(RETURN_QUESTIONS[language], language, RETURN)
    (note,) = notes(base, asked, limit=3)
    assert (note.article_id, note.text, note.language) == ("rule", "≤ 300", language)
    assert "rule" not in [reply.source_id for reply in suggest(base, asked, values={}, limit=20)]
    assert notes(knowledge(tmp_path, help_centre()), asked, limit=3) == []
    assert notes(base, asked, limit=0) == []


def test_macros_alone_are_enough_and_nothing_gives_nothing(tmp_path: Path) -> None:
    asked = question(RETURN_QUESTIONS["en"], "en", RETURN)
    (first, *_) = suggest(knowledge(tmp_path, [], MACROS), asked, values={}, limit=5)
    assert first.source_id == "en-return"
    assert suggest(knowledge(tmp_path, []), asked, values={}, limit=5) == []
