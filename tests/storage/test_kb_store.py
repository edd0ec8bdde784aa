"""The knowledge base in SQL: written by content, versioned by content."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from kb.errors import BadArticle
from kb.store import EMPTY, KnowledgeStore, UpsertCounts
from kb.types import Article, Audience, Macro
from serving.storage.engine import Database

ARTICLES = [
    Article("returns-en", "en", "How to return an item", "Within 30 days, with the label still on.", tags=("returns",)),
    Article("returns-th", "th", "อยากคืนสินค้า ทำอย่างไร", "คืนได้ภายใน 30 วัน", translation_of="returns-en"),
    Article("returns-vi", "vi", "Đổi trả hàng", "Trong 30 ngày, còn nguyên tem.", translation_of="returns-en"),
    Article("returns-zh-Hans", "zh-Hans", "如何退货", "30天内，吊牌完好。", tags=("returns", "refund")),
    Article("returns-zh-Hant", "zh-Hant", "如何退貨", "30天內，吊牌完好。"),
    Article("goodwill-ru", "ru", "Компенсации", "До 500 ₽ без согласования.", Audience.INTERNAL),
]
MACROS = [
    Macro("vi-late", "Giao trễ", "vi", ("delivery.not_received",), "Dạ chào {{customer_name}}, em xin lỗi ạ."),
    Macro("ru-late", "Опоздание", "ru", ("delivery.not_received", "order.status"), "Здравствуйте!"),
]


def test_what_is_written_comes_back_sorted_by_id(database: Database) -> None:
    with database.transaction() as session:
        store = KnowledgeStore(session)
        assert store.upsert_articles(ARTICLES) == UpsertCounts(added=6, changed=0, unchanged=0)
        assert store.upsert_macros(MACROS) == UpsertCounts(added=2, changed=0, unchanged=0)
    with database.transaction(read_only=True) as session:
        store = KnowledgeStore(session)
        assert store.articles() == sorted(ARTICLES, key=lambda a: a.id)
        assert store.macros() == [MACROS[1], MACROS[0]]


def test_only_what_differs_in_content_is_written(database: Database) -> None:
    with database.transaction() as session:
        KnowledgeStore(session).upsert_articles(ARTICLES[:5])
    edited = [replace(ARTICLES[1], tags=("คืนสินค้า",)), *ARTICLES[2:]]
    with database.transaction() as session:
        store = KnowledgeStore(session)
        assert store.upsert_articles(edited) == UpsertCounts(added=1, changed=1, unchanged=3)
        assert store.upsert_articles(edited) == UpsertCounts(added=0, changed=0, unchanged=5)
        assert store.upsert_articles([]) == UpsertCounts(added=0, changed=0, unchanged=0)
    with database.transaction() as session:
        store = KnowledgeStore(session)
        assert store.upsert_macros(MACROS) == UpsertCounts(added=2, changed=0, unchanged=0)
        assert store.upsert_macros([replace(MACROS[0], text="Dạ, em chào ạ.")]).changed == 1
        second = replace(edited[0], version=2)
        assert store.articles() == sorted([ARTICLES[0], second, *edited[1:]], key=lambda a: a.id)
        assert store.macros()[1].text == "Dạ, em chào ạ."


def test_everything_about_an_article_is_kept_and_each_change_counts_its_version_up(database: Database) -> None:
    article = Article(
        "sale-th",
        "th",
        "ลดราคา",
        "ลด 20% ทั้งร้าน",
        Audience.INTERNAL,
        section="โปรโมชัน / ปลายปี",
        valid_from=date(2026, 12, 1),
        valid_until=date(2026, 12, 31),
        draft=True,
        edited_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    )
    with database.transaction() as session:
        KnowledgeStore(session).upsert_articles([article])
    for version, changed in enumerate((article, replace(article, draft=False), replace(article, valid_until=None)), 1):
        with database.transaction() as session:
            store = KnowledgeStore(session)
            before = store.version()
            store.upsert_articles([changed])
            assert store.articles() == [replace(changed, version=version)]
            assert (store.version() == before) is (version == 1)


def test_translations_may_not_go_round_in_a_circle_with_those_that_are_there(database: Database) -> None:
    with database.transaction() as session:
        KnowledgeStore(session).upsert_articles(ARTICLES)
    original = replace(ARTICLES[0], translation_of="returns-vi")
    circle = "in a circle: returns-en → returns-vi → returns-en"
    with pytest.raises(BadArticle, match=circle), database.transaction() as session:
        KnowledgeStore(session).upsert_articles([original])
    with database.transaction(read_only=True) as session:
        assert ARTICLES[0] in KnowledgeStore(session).articles()


def test_the_later_of_two_with_one_id_counts(database: Database) -> None:
    with database.transaction() as session:
        store = KnowledgeStore(session)
        later = replace(ARTICLES[0], title="Returns")
        assert store.upsert_articles([ARTICLES[0], later]) == UpsertCounts(added=1, changed=0, unchanged=0)
        assert store.articles() == [later]


def test_delete_names_what_existed(database: Database) -> None:
    with database.transaction() as session:
        store = KnowledgeStore(session)
        store.upsert_articles(ARTICLES)
        store.upsert_macros(MACROS)
        many = [f"ghost-{number}" for number in range(2500)]
        assert store.delete(["vi-late", "ghost", "returns-th", "vi-late", *many]) == ["vi-late", "returns-th"]
        assert store.delete(["vi-late"]) == []
        assert store.delete([]) == []
        assert "returns-th" not in {a.id for a in store.articles()}
        assert store.macros() == [MACROS[1]]


def test_the_version_follows_the_content(database: Database) -> None:
    with database.transaction() as session:
        store = KnowledgeStore(session)
        assert store.version() == EMPTY == "empty"
        store.upsert_articles(ARTICLES)
        store.upsert_macros(MACROS)
        full = store.version()
        store.upsert_articles([replace(ARTICLES[3], body="14天内。")])
        changed = store.version()
        store.upsert_articles([ARTICLES[3]])
        assert store.version() == full
        store.delete([MACROS[0].id])
        assert len({full, changed, store.version(), EMPTY}) == 4
        store.delete([*(a.id for a in ARTICLES), *(m.id for m in MACROS)])
        assert store.version() == EMPTY


def test_two_imports_at_once_both_succeed(database: Database) -> None:
    together = threading.Barrier(4)

    def load(worker: int) -> None:
        together.wait()
        with database.transaction() as session:
            KnowledgeStore(session).upsert_articles(ARTICLES if worker % 2 else ARTICLES[::-1])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(load, range(4)))
    with database.transaction(read_only=True) as session:
        assert KnowledgeStore(session).articles() == sorted(ARTICLES, key=lambda a: a.id)
