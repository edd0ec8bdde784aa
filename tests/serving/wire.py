"""What tests of the API share: texts, clients, and looks at responses and at what is stored."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from httpx2 import Response
from sqlalchemy import text
from starlette.testclient import TestClient

from serving.app import create_app
from serving.desk import Desk, open_registry
from serving.keeper import Keeper
from serving.storage.records import DecisionRecord, DecisionRepository, SuggestionRecord, SuggestionRepository
from triage.pipeline import Pipeline

WRONG_SIZE = {
    "en": "My order TV-104233 came in the wrong size, I got 41 instead of 38. Write to anna.pham@example.com",
    "vi": "Đơn TV-104233 giao nhầm size, tôi đặt 38 mà nhận 41. Liên hệ giúp anna.pham@example.com",
    "th": "คำสั่งซื้อ TV-104233 ส่งผิดไซซ์ สั่ง 38 แต่ได้ 41 ติดต่อกลับที่ anna.pham@example.com ค่ะ",
    "zh-Hans": "订单TV-104233发错尺码了，我买的38号收到41号，请联系 anna.pham@example.com",
    "zh-Hant": "訂單TV-104233寄錯尺寸了，我買的是38號卻收到41號，請聯絡 anna.pham@example.com",
    "ru": "В заказе TV-104233 пришёл не тот размер: заказывала 38, а приехал 41. Пишите на anna.pham@example.com",
}
PASSWORD = {
    "en": "How do I reset my password?",
    "vi": "Quên mật khẩu thì đăng nhập kiểu gì?",
    "th": "ลืมรหัสผ่าน เข้าสู่ระบบยังไงคะ",
    "zh-Hans": "忘记密码了怎么登录？",
    "zh-Hant": "忘記密碼了怎麼登入？",
    "ru": "Забыла пароль, как войти в аккаунт?",
}


def with_pipeline(desk: Desk, pipeline: Pipeline) -> Desk:
    """The desk with another pipeline, and with what its database holds by now."""
    registry, cache = open_registry(desk.settings), desk.settings.data_dir / "kb"
    keeper = Keeper(registry, desk.database, pipeline, registry.state(), follows=False, cache=cache)
    return replace(desk, keeper=keeper)


def client_of(desk: Desk, *, keys_required: bool = False) -> TestClient:
    """A client that gets what a crash answers, and not the crash."""
    return TestClient(create_app(desk, keys_required=keys_required), raise_server_exceptions=False)


def assert_problem(response: Response, status: int) -> dict[str, Any]:
    """The body of a response that has to be a problem document of this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == "about:blank"
    assert body["title"] == HTTPStatus(status).phrase
    assert body["status"] == status
    assert body["detail"]
    assert all(set(error) == {"field", "message"} for error in body.get("errors", []))
    return body


def faults(response: Response, status: int = 422) -> dict[str, str]:
    """The fields that a problem document names, each with its message."""
    return {error["field"]: error["message"] for error in assert_problem(response, status)["errors"]}


def ok(response: Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    return body


def stored_decision(desk: Desk, identity: str) -> DecisionRecord:
    with desk.database.transaction(read_only=True) as session:
        found = DecisionRepository(session).get(identity)
    assert found is not None
    return found


def stored_suggestion(desk: Desk, identity: str) -> SuggestionRecord:
    with desk.database.transaction(read_only=True) as session:
        found = SuggestionRepository(session).get(identity)
    assert found is not None
    return found


def rows(desk: Desk, table: str) -> int:
    with desk.database.transaction(read_only=True) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
