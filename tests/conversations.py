"""Conversations as helpdesks export them, and replies that name a customer, in the six first languages.

In each language: a matter that two agents answered alike in two conversations, a second one, chat fragments with a
greeting and a holding reply, a voice transcript, a signature, thanks, and one conversation that nobody resolved.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
FILE = SAMPLES / "conversations.jsonl"

PERSONAL = {
    "en": ("Sarah", "Thompson", "Emily", "Carter", "Priya", "Daniel", "7946", "07700", "okafor"),
    "ru": ("Ирина", "Сергеевна", "Алексей", "Марина", "Ковал", "Ольга", "Дмитрий", "926", "orlov"),
    "th": ("สมหญิง", "สมชาย", "กิตติศักดิ์", "ปรียา", "วิชัย", "081", "089", "wichai"),
    "vi": ("Hà", "Minh", "Trang", "Lan", "Bảo", "0912", "0987", "pham"),
    "zh-Hans": ("王", "张", "李静", "陈", "刘", "138", "139", "liu"),
    "zh-Hant": ("林", "陳", "黃", "張", "吳", "2345", "0912", "wu@"),
}
"""What stands in the replies above and may stand in no candidate."""


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of samples."""
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def conversation(identity: str, *turns: str, resolved: bool = True, **names: str) -> dict[str, Any]:
    """Turns begin with `C: ` or `A: `; `customer` and `agent` in `names` are who wrote them."""
    roles = {"C": "customer", "A": "agent"}
    messages = [
        {"from": roles[turn[0]], "text": turn[3:], **({"name": name} if (name := names.get(roles[turn[0]])) else {})}
        for turn in turns
    ]
    return {"id": identity, "resolved": resolved, "messages": messages}


def write_jsonl(path: Path, conversations: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in conversations), encoding="utf-8")
    return path
