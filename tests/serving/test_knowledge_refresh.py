"""A running desk takes up what another process has written to its knowledge base, beside the requests."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kb.store import KnowledgeStore
from kb.types import Article, Macro
from models.light import LightEncoder
from models.types import TextKind, Vectors
from serving.desk import Desk
from serving.storage.engine import Database, DatabaseUnavailable, open_database
from tests.serving.wire import PASSWORD, client_of, ok, with_pipeline

ARTICLES = {
    "en": ("Forgot your password", "Open the sign-in page, choose “Forgot password” and follow the link in the mail."),
    "vi": ("Quên mật khẩu", "Mở trang đăng nhập, bấm “Quên mật khẩu” rồi làm theo đường dẫn trong email."),
    "th": ("ลืมรหัสผ่าน", "เปิดหน้าเข้าสู่ระบบ กด “ลืมรหัสผ่าน” แล้วทำตามลิงก์ในอีเมล"),
    "zh-Hans": ("忘记密码", "打开登录页，点“忘记密码”，再按邮件里的链接操作。"),
    "zh-Hant": ("忘記密碼", "打開登入頁，點「忘記密碼」，再按郵件裡的連結操作。"),
    "ru": ("Забыли пароль", "На странице входа нажмите «Забыли пароль» и перейдите по ссылке из письма."),
}


@pytest.fixture(autouse=True)
def _look_often(own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("serving.keeper.LOOK_AT_KNOWLEDGE", 0.01)
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)
    with own_desk.keeper.watching():
        yield


@pytest.fixture
def elsewhere(own_desk: Desk) -> Iterator[Database]:
    """The same database with connections of its own, as another process has them."""
    database = open_database(own_desk.settings.database)
    yield database
    database.close()


def _article(language: str) -> Article:
    title, body = ARTICLES[language]
    return Article(
        f"password-{language}", language, title, body, translation_of=None if language == "en" else "password-en"
    )


def _import(database: Database, *languages: str) -> None:
    with database.transaction() as session:
        KnowledgeStore(session).upsert_articles([_article(language) for language in languages])


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("language", sorted(ARTICLES))
def test_an_article_that_another_process_imports_answers(own_desk: Desk, elsewhere: Database, language: str) -> None:
    client = client_of(own_desk)

    def ask() -> dict[str, Any]:
        return ok(client.post("/v1/answers", json={"question": PASSWORD[language]}))

    before = ask()
    assert before["answer"] is None
    _import(elsewhere, *ARTICLES)
    assert _soon(lambda: ask()["answer"] is not None)
    answered = ask()
    assert (answered["answer"]["text"], answered["answer"]["language"]) == (ARTICLES[language][1], language)
    assert answered["versions"] != before["versions"]
    with elsewhere.transaction() as session:
        KnowledgeStore(session).delete([f"password-{one}" for one in ARTICLES])
    assert _soon(lambda: ask()["answer"] is None)
    assert ask()["versions"] == before["versions"]


def test_a_macro_that_another_process_imports_is_suggested(own_desk: Desk, elsewhere: Database) -> None:
    intents = tuple(intent.id for intent in own_desk.current().pipeline.taxonomy.intents)
    with elsewhere.transaction() as session:
        KnowledgeStore(session).upsert_macros([Macro("hello-th", "ทักทาย", "th", intents, "สวัสดีค่ะ ยินดีช่วยเหลือค่ะ")])
    client = client_of(own_desk)
    request = {"text": PASSWORD["th"]}
    assert _soon(lambda: bool(ok(client.post("/v1/suggestions", json=request))["suggestions"]))


class _SlowEncoder(LightEncoder):
    """Waits before it encodes passages, as a large import does."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.go_on = threading.Event()
        self.waiting = threading.Event()

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        if kind is TextKind.PASSAGE and texts:
            self.waiting.set()
            assert self.go_on.wait(10)
        return super().encode(texts, kind)


def test_requests_are_answered_from_the_old_version_while_the_new_one_is_built(
    own_desk: Desk, elsewhere: Database
) -> None:
    encoder = _SlowEncoder()
    desk = with_pipeline(own_desk, replace(own_desk.current().pipeline, encoder=encoder))
    client = client_of(desk)
    request = {"question": PASSWORD["ru"]}
    with desk.keeper.watching():
        _import(elsewhere, "ru")
        assert encoder.waiting.wait(10)
        for _ in range(3):
            assert ok(client.post("/v1/answers", json=request))["versions"]["kb"] == "empty"
        encoder.go_on.set()
        assert _soon(lambda: ok(client.post("/v1/answers", json=request))["versions"]["kb"] != "empty")


def test_a_database_that_is_away_for_a_while_leaves_the_knowledge_as_it_is(
    own_desk: Desk, elsewhere: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("PostgreSQL at db:5432/desk does not answer")

    _import(elsewhere, *ARTICLES)
    assert _soon(lambda: own_desk.current().knowledge.version != "empty")
    version = own_desk.current().knowledge.version
    with pytest.MonkeyPatch.context() as broken, caplog.at_level(logging.WARNING, "serving.keeper"):
        broken.setattr(own_desk.database, "transaction", away)
        assert _soon(lambda: f"stays at {version}" in caplog.text)
        assert own_desk.current().knowledge.version == version
    with elsewhere.transaction() as session:
        KnowledgeStore(session).delete(["password-en"])
    assert _soon(lambda: own_desk.current().knowledge.version != version)
