"""One message per language, and records made of them."""

import hashlib
from typing import Any

from serving.storage.records import DecisionRecord, SuggestionRecord
from serving.storage.tables import SourceType
from triage.types import Action

MESSAGES = {
    "vi": "Đơn A-1042 của mình giao trễ ba ngày rồi, shop kiểm tra giúp với ạ.",
    "th": "สั่งไปเมื่อวันจันทร์ ของยังไม่ถึงเลยค่ะ ช่วยเช็กเลข A-1042 ให้หน่อย",
    "zh-Hans": "我的订单A-1042显示已签收，可是我根本没有收到包裹。",
    "zh-Hant": "訂單A-1042顯示已送達，但我到現在都沒有收到包裹。",
    "ru": "Заказ А-1042 должен был прийти в понедельник, а его всё ещё нет.",
    "en": "My order A-1042 was due on Monday and still hasn't arrived.",
}


def decision(decision_id: str, language: str = "en", **changes: Any) -> DecisionRecord:
    message = MESSAGES[language]
    fields: dict[str, Any] = {
        "id": decision_id,
        "language": language,
        "intent": "delivery.not_received",
        "urgency": "high",
        "action": Action.SUGGEST,
        "channel": "email",
        "text": message,
        "request_digest": hashlib.sha256(message.encode()).hexdigest(),
        "result": {"id": decision_id, "intent": {"label": "delivery.not_received"}, "echo": message},
        "versions": {"bundle": "starter@1", "kb": "empty"},
    }
    return DecisionRecord(**(fields | changes))


def suggestion(decision_id: str | None, language: str = "en", **changes: Any) -> SuggestionRecord:
    fields: dict[str, Any] = {
        "decision_id": decision_id,
        "rank": 1,
        "source_type": SourceType.MACRO,
        "source_id": f"{language}-parcel-late",
        "language": language,
        "confidence": 0.75,
        "text": MESSAGES[language],
    }
    return SuggestionRecord(**(fields | changes))
